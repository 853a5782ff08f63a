//! `serve`: from an empty folder to answers, and back to silence.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};
use tenterhook_tests_artifacts::handmade::recursing;

use crate::api::{Owner, event};
use crate::http;
use crate::server::Server;
use crate::tenterhook::{Finished, command};

#[test]
fn a_first_start_needs_no_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data, &[]);
    assert_eq!(server.get("/healthz", "").status, 200);
    let mode = |file: &str| fs::metadata(data.join(file)).unwrap().mode() & 0o777;
    assert_eq!(
        (mode("."), mode("owner.token"), mode("tenterhook.db")),
        (0o700, 0o600, 0o600)
    );
    let token = fs::read_to_string(data.join("owner.token")).unwrap();
    let bearer = format!("Authorization: Bearer {}\r\n", token.trim());
    assert_eq!(server.get("/api/v1/limits", &bearer).status, 200);
    assert_eq!(server.get("/api/v1/limits", "").status, 401);
}

#[test]
fn health_can_have_a_separate_address() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--health-listen", "127.0.0.1:0"]);
    let (_, after) = server.log.split_once("serving health on http://").unwrap();
    let address = after.lines().next().unwrap();
    let status = |path| http::request(address, "GET", path, "", "").status;
    assert_eq!(
        (status("/healthz"), status("/readyz"), status("/metrics")),
        (200, 200, 200)
    );
    assert_eq!(
        (status("/api/v1/limits"), status("/openapi.json")),
        (404, 404)
    );
}

#[test]
fn the_owners_token_is_shown_on_a_terminal_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("owner.token");
    let server = Server::start(folder.path(), &[]);
    let token = fs::read_to_string(&file).unwrap();
    assert!(!server.log.contains(token.trim()), "{}", server.log);
    let kept = format!("the owner's token is in {}", file.display());
    assert!(server.log.contains(&kept), "{}", server.log);
    drop(server);
    let shown = on_a_terminal(folder.path(), "--new-owner-token");
    let token = fs::read_to_string(&file).unwrap();
    assert!(
        shown.contains(&format!("owner token {}", token.trim())),
        "{shown}"
    );
}

/// Starts a server that has a terminal, stops it, and returns what the terminal showed.
fn on_a_terminal(data: &Path, flag: &str) -> String {
    // The command of util-linux that runs another one on a terminal of its own.
    let server = format!(
        "exec '{}' serve --listen 127.0.0.1:0 {flag} --data-dir '{}'",
        env!("CARGO_BIN_EXE_tenterhook"),
        data.display()
    );
    let mut script = Command::new("script")
        .args(["--quiet", "--return", "--command", &server, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("util-linux has `script`");
    let mut stdin = script.stdin.take().unwrap();
    let mut stdout = BufReader::new(script.stdout.take().unwrap());
    let mut shown = String::new();
    while !shown.contains("listening on http://") {
        assert!(stdout.read_line(&mut shown).unwrap() > 0, "{shown}");
    }
    stdin.write_all(b"\x03").unwrap();
    stdout.read_to_string(&mut shown).unwrap();
    assert!(script.wait().unwrap().success(), "{shown}");
    shown
}

#[test]
fn the_owners_token_survives_a_restart_and_is_not_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    Server::start(folder.path(), &[]).stop(Signal::TERM);
    let token = fs::read_to_string(folder.path().join("owner.token")).unwrap();
    let server = Server::start(folder.path(), &[]);
    assert!(!server.log.contains(token.trim()), "{}", server.log);
    let bearer = format!("Authorization: Bearer {}\r\n", token.trim());
    assert_eq!(server.get("/api/v1/limits", &bearer).status, 200);
}

#[test]
fn a_lost_owners_token_can_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("owner.token");
    Server::start(folder.path(), &[]).stop(Signal::TERM);
    let lost = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let server = Server::start(folder.path(), &[]);
    assert!(server.log.contains("--new-owner-token"), "{}", server.log);
    assert!(!file.exists());
    drop(server);
    let server = Server::start(folder.path(), &["--new-owner-token"]);
    let new = fs::read_to_string(&file).unwrap();
    let status = |token: &str| {
        let bearer = format!("Authorization: Bearer {}\r\n", token.trim());
        server.get("/api/v1/limits", &bearer).status
    };
    assert_eq!((status(&lost), status(&new)), (401, 200));
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = Server::start(folder.path(), &[]);
    let second = command(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    Finished::of(second)
        .with_status(1)
        .with_stderr("in use by another server (process ");
    assert_eq!(first.get("/healthz", "").status, 200);
}

#[test]
fn a_second_server_on_the_same_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("hooks.db").display());
    let _first = Server::start(&folder.path().join("a"), &["--database", &database]);
    let second = command([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--database",
        &database,
        "--data-dir",
    ])
    .arg(folder.path().join("b"))
    .output()
    .unwrap();
    Finished::of(second)
        .with_status(1)
        .with_stderr("in use by another server");
}

#[test]
fn both_signals_stop_a_server_cleanly() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), &[]);
        let (status, log) = server.stop(signal);
        assert_eq!(status, Some(0), "{log}");
        assert!(log.contains("stopped"), "{log}");
    }
}

#[test]
fn the_log_can_be_json() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--log-format", "json"]);
    let (_, log) = server.stop(Signal::TERM);
    let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(last["fields"]["message"], "stopped");
}

#[test]
fn a_second_signal_stops_a_server_whose_hooks_are_still_running() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let owner = Owner::of(&server, folder.path());
    owner.hook("nap", "sleep 1h", &json!({}));
    owner.post("/api/v1/events", &event("nap", 1));
    let (status, log) = server.stop_at_once();
    assert_eq!(status, Some(0), "{log}");
    assert!(log.contains("unfinished hooks are run again"), "{log}");
}

#[test]
fn all_invalid_settings_are_reported_before_anything_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = command([
        "serve",
        "--database",
        "postgres://db/hooks",
        "--max-fuel",
        "1T",
        "--data-dir",
    ])
    .arg(&data)
    .env("TENTERHOOK_LISTEN", "nowhere")
    .output()
    .unwrap();
    let result = Finished::of(output)
        .with_status(2)
        .with_stderr("PostgreSQL, which is not supported yet");
    result
        .with_stderr("`--listen` ")
        .with_stderr("`--max-fuel` ");
    assert!(!data.exists());
}

#[test]
fn an_address_in_use_is_reported() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let output = command(["serve", "--listen", &address, "--data-dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    Finished::of(output)
        .with_status(1)
        .with_stderr(&format!("cannot listen on {address}"));
}

#[test]
fn a_server_gives_hooks_the_stack_that_it_was_started_with() {
    for (flags, outcome) in [
        (
            &["--stack", "8MiB"][..],
            json!({"kind": "exited", "status": 0}),
        ),
        (
            &[],
            json!({
                "kind": "trapped",
                "reason": "wasm trap: call stack exhausted at 512 KiB; `--stack` allows more",
            }),
        ),
    ] {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start(data.path(), flags);
        let owner = Owner::of(&server, data.path());
        let source = owner.source("deep", recursing(50_000));
        owner.post(
            "/api/v1/hooks",
            &json!({"source": source, "event": "custom.deep"}),
        );
        let task = owner.fire_and_wait(&event("deep", 1));
        let mut own = task["executions"][0]["outcome"].clone();
        own.as_object_mut().unwrap().remove("backtrace");
        assert_eq!(own, outcome, "{task}");
    }
}

#[test]
fn a_module_beyond_the_servers_own_bound_is_refused_with_its_size_and_the_bound() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--max-module", "1KiB"]);
    let owner = Owner::of(&server, data.path());
    let path = "/api/v1/sources?name=large&wait=120";
    let large = [b"\0asm\x01\0\0\0", &[0; 1_024][..]].concat();
    let (status, problem) = owner
        .try_call("POST", path, "application/wasm", &large)
        .unwrap();
    assert_eq!(status, 413, "{problem}");
    assert_eq!(problem["limit_bytes"], 1_024, "{problem}");
    assert_eq!(problem["size_bytes"], 1_032, "{problem}");
    owner.source("small", recursing(1));
}
