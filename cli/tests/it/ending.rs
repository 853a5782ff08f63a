//! How a server ends, and how it begins where another has ended.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::api::{Owner, event};
use crate::server::Server;
use crate::tenterhook::{Finished, command};

/// A hook whose first attempt goes on for an hour, and which prints its attempt.
const LONG_AT_FIRST: &str = "echo $HOOK_ATTEMPT; [ $HOOK_ATTEMPT = 1 ] && sleep 1h; true";

/// Fires an event, and waits until its hook has printed something.
fn running(owner: &Owner, name: &str) -> String {
    let accepted = owner.post("/api/v1/events", &event(name, 1));
    let task = accepted["task"]["id"].as_str().unwrap().to_owned();
    printed(owner, &task, "");
    task
}

/// Waits until a task's execution has printed something else than `before`.
fn printed(owner: &Owner, task: &str, before: &str) {
    loop {
        let found = owner.get(&format!("/api/v1/tasks/{task}"));
        let stdout = found["executions"][0]["stdout"]
            .as_str()
            .unwrap_or_default();
        if !stdout.is_empty() && stdout != before {
            return;
        }
    }
}

fn log_bytes(data: &Path) -> u64 {
    fs::metadata(data.join("tenterhook.db-wal")).map_or(0, |log| log.len())
}

fn refused(data: &Path, flags: &[&str]) -> Finished {
    let output = command(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data)
        .args(flags)
        .output()
        .unwrap();
    Finished::of(output).with_status(1)
}

#[test]
fn after_a_clean_stop_everything_is_in_the_database_and_nothing_in_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let owner = Owner::of(&server, folder.path());
    owner.hook("x", "echo done", &json!({}));
    owner.fire_and_wait(&event("x", 1));
    assert!(log_bytes(folder.path()) > 0);

    let (status, log) = server.stop(Signal::TERM);

    assert_eq!(status, Some(0), "{log}");
    assert_eq!(log_bytes(folder.path()), 0);
    // The one file holds everything.
    let copy = tempfile::tempdir().unwrap();
    fs::copy(
        folder.path().join("tenterhook.db"),
        copy.path().join("tenterhook.db"),
    )
    .unwrap();
    fs::copy(
        folder.path().join("owner.token"),
        copy.path().join("owner.token"),
    )
    .unwrap();
    fs::set_permissions(
        copy.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o700),
    )
    .unwrap();
    let server = Server::start(copy.path(), &[]);
    let tasks = Owner::of(&server, copy.path()).get("/api/v1/tasks");
    assert_eq!(tasks["items"].as_array().unwrap().len(), 1, "{tasks}");
}

#[test]
fn a_hook_that_outlasts_the_grace_is_cut_off_and_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(
        folder.path(),
        &[],
        &[("TENTERHOOK_GRACE", OsStr::new("500ms"))],
    );
    let owner = Owner::of(&server, folder.path());
    owner.hook("long", LONG_AT_FIRST, &json!({"wall_ms": 1_200_000}));
    let task = running(&owner, "long");

    let (status, log) = server.stop(Signal::TERM);

    assert_eq!(status, Some(0), "{log}");
    assert!(log.contains("stopped"), "{log}");
    assert_eq!(log_bytes(folder.path()), 0);
    let server = Server::start(folder.path(), &[]);
    let result = Owner::of(&server, folder.path()).result(&task);
    assert_eq!(result["executions"][0]["stdout"], "2\n", "{result}");
}

#[test]
fn an_invalid_grace_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(["serve", "--grace", "1h", "--data-dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    Finished::of(output)
        .with_status(2)
        .with_stderr("`--grace` must be at most 25min");
}

#[test]
fn a_supervisor_is_notified_of_ready_watchdog_and_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify.socket");
    let supervisor = UnixDatagram::bind(&path).unwrap();
    let heard = || {
        let mut bytes = [0; 200];
        let read = supervisor.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..read].into()).unwrap()
    };
    let environment = [
        ("NOTIFY_SOCKET", path.as_os_str()),
        ("WATCHDOG_USEC", OsStr::new("20000")),
    ];
    let server = Server::start_in(&folder.path().join("data"), &[], &environment);

    assert!(heard().starts_with("READY=1"));
    assert_eq!(heard(), "WATCHDOG=1");
    assert_eq!(heard(), "WATCHDOG=1", "again and again");
    let (status, log) = server.stop(Signal::TERM);
    assert_eq!(status, Some(0), "{log}");
    while !heard().starts_with("STOPPING=1") {}
}

#[test]
fn an_unreachable_supervisor_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path())
        .env("NOTIFY_SOCKET", folder.path().join("missing"))
        .output()
        .unwrap();
    Finished::of(output)
        .with_status(1)
        .with_stderr("cannot use NOTIFY_SOCKET");
}

#[test]
fn a_used_data_folder_without_its_database_is_not_a_new_server() {
    let folder = tempfile::tempdir().unwrap();
    Server::start(folder.path(), &[]).stop(Signal::TERM);
    let token = || fs::read_to_string(folder.path().join("owner.token")).unwrap();
    let old = token();
    fs::remove_file(folder.path().join("tenterhook.db")).unwrap();

    let result = refused(folder.path(), &[]);

    result
        .with_stderr("cannot find the database")
        .with_stderr("--new-database");
    assert_eq!(token(), old, "the owner's token is not overwritten");
    // Another database that is not there either is no better.
    let elsewhere = format!("sqlite:{}", folder.path().join("other/hooks.db").display());
    refused(folder.path(), &["--database", &elsewhere]).with_stderr("cannot find the database");
    // SQLite treats an empty file as a new database.
    fs::write(folder.path().join("tenterhook.db"), "").unwrap();
    refused(folder.path(), &[]).with_stderr("cannot find the database");

    Server::start(folder.path(), &["--new-database"]).stop(Signal::TERM);

    assert_ne!(token(), old, "a new database has a new owner");
    refused(folder.path(), &["--new-database"]).with_stderr("exists");
}

#[test]
fn a_data_folder_with_only_the_reserve_left_is_not_a_new_server() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tenterhook.db-reserve"), "").unwrap();

    refused(folder.path(), &[])
        .with_stderr("cannot find the database")
        .with_stderr("tenterhook.db-reserve exists")
        .with_stderr("--new-database");
}

#[test]
fn a_data_folder_with_only_compiled_code_left_is_not_a_new_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let owner = Owner::of(&server, folder.path());
    owner.hook("hi", "echo hi\n", &json!({}));
    owner.fire_and_wait(&event("hi", "1"));
    server.stop(Signal::TERM);
    let code = ["code", "code.key", "lock"];
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        if code.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        match entry.metadata().unwrap().is_dir() {
            true => fs::remove_dir_all(entry.path()).unwrap(),
            false => fs::remove_file(entry.path()).unwrap(),
        }
    }

    refused(folder.path(), &[])
        .with_stderr("cannot find the database")
        .with_stderr("code.key exists")
        .with_stderr("--new-database");

    assert!(!folder.path().join("owner.token").exists());
    // A first start that was interrupted had not got as far as its database.
    fs::write(folder.path().join("first-start"), "").unwrap();
    Server::start(folder.path(), &[]).stop(Signal::TERM);
    assert!(!folder.path().join("first-start").exists());
}

#[test]
fn a_data_folder_with_an_interrupted_restore_is_not_a_new_server() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lock"), "").unwrap();
    fs::write(folder.path().join("tenterhook.db.0f0f.part"), "half").unwrap();

    refused(folder.path(), &[])
        .with_stderr("tenterhook.db.0f0f.part exists")
        .with_stderr("interrupted")
        .with_stderr("restore the backup again");

    assert!(!folder.path().join("owner.token").exists());
}

#[test]
fn a_hook_that_was_running_at_three_kills_of_the_server_is_dead() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let mut owner = Owner::of(&server, folder.path());
    let long = json!({"wall_ms": 1_200_000});
    owner.hook("killer", "echo $HOOK_ATTEMPT; sleep 1h", &long);
    owner.hook("other", "echo done", &json!({}));
    let task = running(&owner, "killer");
    for attempt in 1..=3 {
        // Others are served meanwhile.
        let other = owner.fire_and_wait(&event("other", format!("other-{attempt}")));
        assert_eq!(other["executions"][0]["stdout"], "done\n", "{other}");
        let (status, _) = server.stop(Signal::KILL);
        assert_eq!(status, None, "it was killed");
        server = Server::start(folder.path(), &[]);
        owner = Owner::of(&server, folder.path());
        if attempt < 3 {
            printed(&owner, &task, &format!("{attempt}\n"));
        }
    }

    let result = owner.result(&task);

    let execution = &result["executions"][0];
    assert_eq!(
        (
            &execution["state"],
            &execution["attempt"],
            &execution["dead"]
        ),
        (&json!("FAILED"), &json!(3), &Value::Bool(true)),
        "{result}"
    );
    let error = execution["error"].as_str().unwrap();
    assert!(
        error.contains("the server was killed while it ran, 3 times"),
        "{error}"
    );
}
