//! Measures Nova's API over a socket: how many external events are accepted and how
//! many of their hooks run per second, durably, and how long a request of 100 takes.
//! The database is in the folder that is named first.
//!
//! Not a test: it prints what it measures and asserts nothing about time.

#![expect(clippy::print_stdout, reason = "a measurement is read by a person")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenterhook_api::App;
use tenterhook_delivery::Webhooks;
use tenterhook_dispatch::{
    Dispatcher, NewHook, NewServer, NewSource, NewToken, Number, PrincipalId, Role, Settings,
    Targets, Visibility,
};
use tenterhook_engine::Engine;
use tenterhook_maintenance::Maintenance;
use tenterhook_store::Sqlite;
use tenterhook_tests_artifacts::handmade;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Events in all, and in each request.
const EVENTS: usize = 10_000;
const BATCH: usize = 100;

/// Connections that are used at one time, in one run each.
const CALLERS: [usize; 3] = [1, 4, 16];

#[tokio::main]
async fn main() {
    let folder = std::env::args()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder).expect("the folder can be written");
    let store = Sqlite::open(&folder.path().join("bench.db"))
        .await
        .expect("the database opens");
    let store = Arc::new(store);
    let engine = Engine::start(tenterhook_engine::Settings::default()).expect("the engine starts");
    let dispatcher = Dispatcher::start(store.clone(), engine, Settings::default())
        .await
        .expect("the dispatcher starts");
    let house = House::open(&dispatcher, store).await;
    println!("{EVENTS} events in requests of {BATCH}, one module each");
    println!("connections  events/s  executions/s  p50 ms  p99 ms");
    for callers in CALLERS {
        let begun = Instant::now();
        let mut times = house.post(callers).await;
        let accepted = begun.elapsed();
        while dispatcher.stats().loaded_tasks + dispatcher.stats().accounts_with_backlog > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let done = begun.elapsed();
        times.sort_unstable();
        println!(
            "{callers:>11}  {:>8.0}  {:>12.0}  {:>6.1}  {:>6.1}",
            rate(accepted),
            rate(done),
            millis(times[times.len() / 2]),
            millis(times[times.len() * 99 / 100]),
        );
    }
    println!("{:?}", dispatcher.stats().attempts);
    dispatcher.drain(Duration::from_secs(10)).await;
}

/// A server on a port, and what a caller of it has to know.
struct House {
    address: String,
    request: Arc<str>,
}

impl House {
    /// Enters a hook and an instance, and serves them.
    async fn open(dispatcher: &Dispatcher, store: Arc<Sqlite>) -> Self {
        let account = dispatcher
            .accounts()
            .create("bench")
            .await
            .expect("the account is new")
            .id;
        let source = NewSource {
            name: "nothing".into(),
            bytes: handmade::memory_of(1).into(),
            kind: None,
            description: String::new(),
            visibility: Visibility::Readable,
            labels: Vec::new(),
            created_by: PrincipalId::SYSTEM,
        };
        let hook = NewHook {
            targets: Some(Targets::All),
            ..NewHook::new(Number::UNASSIGNED, "network-changed")
        };
        dispatcher
            .sources()
            .create(account, source, vec![hook])
            .await
            .expect("the module is accepted");
        let server = NewServer {
            name: "vm-1".into(),
            host: Some("compute-1".into()),
            ..NewServer::default()
        };
        let server = dispatcher
            .servers()
            .create(account, server)
            .await
            .expect("the server is entered");
        let token = NewToken {
            name: "bench".into(),
            principal: None,
            role: Role::Admin,
            expires_at: None,
        };
        let (_, secret) = dispatcher
            .tokens()
            .issue(account, token)
            .await
            .expect("the token is issued");

        let settings = tenterhook_delivery::Settings::default();
        let ledger = dispatcher.ledger().clone();
        let delivery = Webhooks::start(store.clone(), settings, ledger)
            .await
            .expect("the deliveries start");
        let settings = tenterhook_maintenance::Settings::default();
        let maintenance = Maintenance::start(dispatcher.clone(), delivery, store, settings)
            .await
            .expect("the sessions start");
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("there is a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let app = App::new(dispatcher.clone(), maintenance);
        tokio::spawn(tenterhook_api::serve(listener, app, std::future::pending()));

        let event = json!({"name": "network-changed", "server_uuid": server.id, "tag": "port"});
        let body = json!({"events": vec![event; BATCH]}).to_string();
        let request = format!(
            "POST /v2.1/os-server-external-events HTTP/1.1\r\nhost: {address}\r\nx-auth-token: {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            secret.reveal(),
            body.len()
        );
        Self {
            address,
            request: request.into(),
        }
    }

    /// Posts all events over so many connections; answers how long each request took.
    async fn post(&self, callers: usize) -> Vec<Duration> {
        let mut tasks = tokio::task::JoinSet::new();
        for caller in 0..callers {
            let (address, request) = (self.address.clone(), Arc::clone(&self.request));
            tasks.spawn(async move {
                let stream = TcpStream::connect(address)
                    .await
                    .expect("the server listens");
                stream.set_nodelay(true).expect("it is a socket");
                let mut connection = BufReader::new(stream);
                let mut times = Vec::new();
                for _ in (caller..EVENTS / BATCH).step_by(callers) {
                    let begun = Instant::now();
                    exchange(&mut connection, request.as_bytes()).await;
                    times.push(begun.elapsed());
                }
                times
            });
        }
        tasks.join_all().await.into_iter().flatten().collect()
    }
}

/// Sends one request and reads the reply, which has to accept every event.
async fn exchange(connection: &mut BufReader<TcpStream>, request: &[u8]) {
    connection
        .write_all(request)
        .await
        .expect("the server reads");
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        connection
            .read_line(&mut line)
            .await
            .expect("the server answers");
        if let Some(value) = line
            .to_ascii_lowercase()
            .strip_prefix("content-length:")
            .map(str::trim)
        {
            length = value.parse().expect("a length is a number");
        }
        if line == "\r\n" || line.is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    connection
        .read_exact(&mut body)
        .await
        .expect("the body has its length");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let body: Value = serde_json::from_slice(&body).expect("the body is JSON");
    assert_eq!(body["events"].as_array().map(Vec::len), Some(BATCH));
}

fn rate(took: Duration) -> f64 {
    u32::try_from(EVENTS).map_or(0.0, f64::from) / took.as_secs_f64()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
