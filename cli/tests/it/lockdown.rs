//! What a serving process has left of the rights that it was started with.

use std::process::Command;

use rustix::process::geteuid;
use serde_json::json;

use crate::api::{Owner, event};
use crate::server::Server;
use crate::status::{status, threads};
use crate::tenterhook::{Finished, Program};
use crate::tiny;

const LAYERS: [&str; 4] = ["no_new_privs", "capabilities", "landlock", "seccomp"];

/// A server that has compiled and run something, so that all its threads are there.
fn busy_server(data: &std::path::Path, flags: &[&str]) -> Server {
    let server = Server::start(data, flags);
    let owner = Owner::of(&server, data);
    let source = owner.source("seven", tiny::exiting(7));
    owner.post(
        "/api/v1/hooks",
        &json!({"source": source, "event": "custom.seven"}),
    );
    let task = owner.fire_and_wait(&event("seven", 1));
    let outcome = &task["executions"][0]["outcome"];
    assert_eq!(*outcome, json!({"kind": "exited", "status": 7}), "{task}");
    server
}

#[track_caller]
fn assert_metrics(server: &Server, scope: &str, holds: u8) {
    let page = server.get("/metrics", "").body;
    for layer in LAYERS {
        let line = format!("tenterhook_lockdown{{layer=\"{layer}\",scope=\"{scope}\"}} {holds}");
        assert!(page.lines().any(|own| own == line), "{line}\n{page}");
    }
}

#[test]
fn every_thread_of_a_server_has_dropped_its_rights() {
    let data = tempfile::tempdir().unwrap();
    let server = busy_server(data.path(), &[]);
    assert!(server.log.contains("locked down guests="), "{}", server.log);
    let mut names = Vec::new();
    for thread in threads(server.id()) {
        let name = thread.field("Name").to_owned();
        assert_eq!(thread.field("NoNewPrivs"), "1", "{name}");
        assert_eq!(thread.field("Seccomp"), "2", "{name}");
        for set in ["CapEff", "CapPrm"] {
            assert_eq!(thread.field(set), "0000000000000000", "{name}");
        }
        names.push(name);
    }
    for name in ["guest", "epoch", "loader"] {
        assert!(names.iter().any(|own| own == name), "{name}: {names:?}");
    }
    assert_metrics(&server, "guests", 1);
    assert_metrics(&server, "process", 1);
}

#[test]
fn a_server_without_lockdown_says_so_loudly() {
    let data = tempfile::tempdir().unwrap();
    let server = busy_server(data.path(), &["--no-lockdown"]);
    assert!(server.log.contains("WARN"), "{}", server.log);
    assert!(server.log.contains("NO LOCKDOWN"), "{}", server.log);
    assert_eq!(status(server.id()).field("Seccomp"), "0");
    assert_metrics(&server, "guests", 0);
    assert_metrics(&server, "process", 0);
}

#[test]
fn a_server_with_its_database_elsewhere_is_locked_down_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let database = format!("sqlite:{}", folder.path().join("other/hooks.db").display());
    std::fs::create_dir(folder.path().join("other")).unwrap();
    let server = busy_server(&data, &["--database", &database]);
    assert_metrics(&server, "process", 1);
}

/// As in a container: processes have other numbers, and those that they come from
/// have none.
#[test]
fn a_guest_runs_in_a_process_namespace_of_its_own() {
    let program = Program::module(tiny::exiting(7));
    let mut unshare = Command::new("unshare");
    unshare.args(["--fork", "--kill-child", "--pid"]);
    if !geteuid().is_root() {
        unshare.args(["--user", "--map-root-user"]);
    }
    let inside = unshare
        .arg("timeout")
        .arg("120")
        .arg(env!("CARGO_BIN_EXE_tenterhook"))
        .arg("run")
        .arg(&program.path);
    let result = Finished::of(inside.output().unwrap());
    result.with_status(7);
}
