//! Webhooks of a server that is locked down: what arrives, and what is not sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::api::Owner;
use crate::server::Server;

/// A request that arrived: its head's lines, and its body.
struct Arrived {
    head: Vec<String>,
    body: Vec<u8>,
}

impl Arrived {
    fn header(&self, name: &str) -> &str {
        let of = |line: &'_ String| line.to_ascii_lowercase().starts_with(&format!("{name}:"));
        let line = self.head.iter().find(|line| of(line)).unwrap();
        line[name.len() + 1..].trim()
    }
}

/// Takes requests on a free port and answers 204 to each.
fn receiver() -> (u16, Receiver<Arrived>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if sender.send(take(stream.unwrap())).is_err() {
                return;
            }
        }
    });
    (port, requests)
}

fn take(stream: TcpStream) -> Arrived {
    let mut reader = BufReader::new(stream);
    let mut arrived = Arrived {
        head: Vec::new(),
        body: Vec::new(),
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => arrived.head.push(line.to_owned()),
        }
    }
    arrived.body = vec![0; arrived.header("content-length").parse().unwrap()];
    reader.read_exact(&mut arrived.body).unwrap();
    let _ = reader
        .get_mut()
        .write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
    arrived
}

/// Begins a session over one host without instances, which says at each step how far
/// it is.
fn begin_session(owner: &Owner) {
    owner.post("/api/v1/servers", &json!({"name": "node-1"}));
    let new = json!({
        "hosts": ["node-1"],
        "state": "MAINTENANCE",
        "maintenance_at": "2020-01-01 00:00:00",
        "workflow": "default",
        "metadata": {},
    });
    owner.post("/v1/maintenance", &new);
}

/// Waits until the oldest delivery has been attempted, and returns it.
fn first_tried(owner: &Owner, webhook: &Value) -> Value {
    let id = webhook["id"].as_str().unwrap();
    for _ in 0..100_000 {
        let list = owner.get(&format!("/api/v1/webhooks/{id}/deliveries"));
        let items = list["items"].as_array().unwrap();
        if let Some(oldest) = items.last().filter(|oldest| oldest["attempts"] != 0) {
            return oldest.clone();
        }
    }
    panic!("nothing was attempted");
}

#[test]
fn a_private_address_is_not_called_unless_the_operator_allows_it() {
    let (port, arrived) = receiver();
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    assert!(server.log.contains("locked down"), "{}", server.log);
    let owner = Owner::of(&server, data.path());
    // A name: to resolve it takes files and sockets that the lockdown must leave.
    let url = format!("http://localhost:{port}/hook");
    let new = json!({"url": url, "events": ["maintenance.session"]});
    let webhook = owner.post("/api/v1/webhooks", &new);
    begin_session(&owner);
    let refused = first_tried(&owner, &webhook);
    let response = refused["response"].as_str().unwrap();
    assert!(
        response.starts_with("not sent: the address is private"),
        "{response}"
    );
    assert_eq!(refused["status"], "waiting");
    let (status, output) = server.stop(Signal::TERM);
    assert_eq!(status, Some(0), "{output}");
    assert!(arrived.try_recv().is_err(), "something was sent");

    let server = Server::start(data.path(), &["--webhook-private-addresses"]);
    assert!(server.log.contains("locked down"), "{}", server.log);
    assert!(
        server.log.contains("WEBHOOKS TO PRIVATE ADDRESSES"),
        "{}",
        server.log
    );
    // What was refused is retried after a while, and no delivery is lost.
    let is_refused = |arrived: &Arrived| arrived.header("webhook-id") == refused["id"];
    let delivery = (0..1_000)
        .map(|_| arrived.recv_timeout(Duration::from_secs(120)).unwrap())
        .find(is_refused)
        .unwrap();
    assert_eq!(delivery.head[0], "POST /hook HTTP/1.1");
    assert_eq!(
        delivery.header("content-type"),
        "application/cloudevents+json"
    );
    let event: Value = serde_json::from_slice(&delivery.body).unwrap();
    assert_eq!(event["type"], "maintenance.session");
    assert_eq!(event["data"]["service"], "fenix", "{event}");
    assert_signed(&delivery, webhook["secret"].as_str().unwrap());
}

#[track_caller]
fn assert_signed(delivery: &Arrived, secret: &str) {
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, timestamp) = (
        delivery.header("webhook-id"),
        delivery.header("webhook-timestamp"),
    );
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(&delivery.body);
    let signature = delivery
        .header("webhook-signature")
        .strip_prefix("v1,")
        .unwrap();
    mac.verify_slice(&STANDARD.decode(signature).unwrap())
        .unwrap();
}

#[test]
fn files_with_secrets_are_readable_only_by_the_servers_user() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let owner = Owner::of(&server, data.path());
    owner.post("/api/v1/webhooks", &json!({"url": "http://192.0.2.1/"}));
    let files = std::fs::read_dir(data.path()).unwrap().map(Result::unwrap);
    let of_database = |file: &std::fs::DirEntry| file.file_name().to_string_lossy().contains(".db");
    let files: Vec<_> = files.filter(of_database).collect();
    assert!(!files.is_empty());
    for file in files {
        let mode = file.metadata().unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
    }
}
