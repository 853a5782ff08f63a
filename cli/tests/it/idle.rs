//! More connections than the server has places for, held open by a client that
//! says nothing: others are served, and the server's memory stays bounded.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::api::{Owner, event};
use crate::server::Server;

/// More than two and a half times as many as there are places for connections.
const HELD: usize = 2_000;

/// What an attack may cost the server beside the limits of its runs.
const GROWTH_MAX_KIB: u64 = 32 << 10;

#[test]
fn two_thousand_idle_connections_do_not_keep_others_out() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--host-descriptors", "896"]);
    let owner = Owner::of(&server, data.path());
    owner.hook("honest", "echo fine", &json!({}));
    owner.fire_and_wait(&event("honest", "before"));
    let before = memory_kib(server.id());

    allow_descriptors(HELD as u64 + 200);
    let mut held = Vec::new();
    for number in 0..HELD {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        if number % 2 == 1 {
            // The server may have let go of it already.
            let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ");
        }
        held.push(stream);
        if number % 400 == 0 {
            let honest = owner.fire_and_wait(&event("honest", number));
            assert_eq!(honest["executions"][0]["stdout"], "fine\n");
        }
    }
    let honest = owner.fire_and_wait(&event("honest", "after"));
    assert_eq!(honest["executions"][0]["stdout"], "fine\n");
    assert_eq!(server.get("/healthz", "").status, 200);

    let grown = memory_kib(server.id()).saturating_sub(before);
    assert!(grown <= GROWTH_MAX_KIB, "grown by {grown} KiB");
    let open = held.iter().filter(|stream| is_open(stream)).count();
    assert!(open <= 768, "{open} connections are held open");
}

/// Whether the other side has not closed yet.
fn is_open(mut stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    match stream.read(&mut [0]) {
        Err(error) => error.kind() == ErrorKind::WouldBlock,
        Ok(read) => read > 0,
    }
}

fn memory_kib(process: Pid) -> u64 {
    let path = format!("/proc/{}/status", process.as_raw_nonzero());
    let status = fs::read_to_string(path).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kib.parse().unwrap()
}

/// Raises this process's own bound, as far as it may.
fn allow_descriptors(count: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < count) {
        let raised = Rlimit {
            current: Some(count),
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, raised).unwrap();
    }
}
