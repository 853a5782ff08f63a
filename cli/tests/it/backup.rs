//! Backing up while a server is running, restoring elsewhere, and checking what is stored.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::api::{Owner, event};
use crate::server::Server;
use crate::tenterhook::{Finished, command};

fn tenterhook(words: &[&str], paths: &[&Path]) -> Finished {
    Finished::of(command(words).args(paths).output().unwrap())
}

fn backup(data: &Path, file: &Path) -> Finished {
    tenterhook(&["backup", "--data-dir"], &[data, file])
}

fn restore(file: &Path, data: &Path) -> Finished {
    tenterhook(&["restore", "--data-dir"], &[data, file])
}

fn check(data: &Path) -> (Option<i32>, Value) {
    let result = tenterhook(&["check-data", "--json", "--data-dir"], &[data]);
    let report = serde_json::from_str(&result.stdout).unwrap_or_else(|_| panic!("{result:#?}"));
    (result.status, report)
}

/// A folder with a data folder restored from a backup of a server that has run one hook,
/// which prints `GOOD-ANSWER`; the owner's token is copied.
struct Restored {
    folder: tempfile::TempDir,
    task: Value,
}

impl Restored {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let server = Server::start(&path("first"), &[]);
        let owner = Owner::of(&server, &path("first"));
        owner.hook("ask", "echo GOOD-ANSWER\n", &json!({}));
        let task = owner.fire_and_wait(&event("ask", "first"));
        // The server goes on serving meanwhile.
        backup(&path("first"), &path("backup.db")).with_status(0);
        owner.fire_and_wait(&event("ask", "after the backup"));
        restore(&path("backup.db"), &path("second"))
            .with_status(0)
            .with_stderr("--new-owner-token");
        fs::copy(path("first/owner.token"), path("second/owner.token")).unwrap();
        Self { folder, task }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes bytes of the restored database as a bad disk would.
    fn damage(&self, from: &str, to: &str) {
        let file = self.path("second/tenterhook.db");
        let mut bytes = fs::read(&file).unwrap();
        assert_eq!(from.len(), to.len());
        let mut places = Vec::new();
        for (at, window) in bytes.windows(from.len()).enumerate() {
            if window == from.as_bytes() {
                places.push(at);
            }
        }
        assert!(!places.is_empty());
        for at in places {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        fs::write(&file, bytes).unwrap();
    }
}

#[test]
fn a_backup_of_a_running_server_is_restored_elsewhere_and_serves_the_same() {
    let restored = Restored::new();
    let mode = fs::metadata(restored.path("backup.db"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    assert_eq!(check(&restored.path("second")).0, Some(0));

    let server = Server::start(&restored.path("second"), &[]);
    let owner = Owner::of(&server, &restored.path("second"));
    let number = &restored.task["number"];
    assert_eq!(owner.get(&format!("/api/v1/tasks/{number}")), restored.task);
    let tasks = owner.get("/api/v1/tasks");
    assert_eq!(tasks["items"].as_array().unwrap().len(), 1, "{tasks}");
    let again = owner.post("/api/v1/events", &event("ask", "first"));
    assert_eq!(again["repeated"], true, "{again}");
    let other = owner.fire_and_wait(&event("ask", "another"));
    assert_eq!(other["executions"][0]["stdout"], "GOOD-ANSWER\n", "{other}");
    let (status, report) = check(&restored.path("second"));
    assert_eq!((status, &report["ok"]), (Some(0), &json!(true)), "{report}");
    let (status, log) = server.stop(Signal::TERM);
    assert_eq!(status, Some(0), "{log}");
}

#[test]
fn neither_a_backup_nor_a_restore_overwrites_anything() {
    let restored = Restored::new();
    backup(&restored.path("first"), &restored.path("backup.db"))
        .with_status(1)
        .with_stderr("already exists");
    restore(&restored.path("backup.db"), &restored.path("second"))
        .with_status(1)
        .with_stderr("not empty");
    backup(&restored.path("nowhere"), &restored.path("other.db"))
        .with_status(1)
        .with_stderr("--data-dir");
    assert!(!restored.path("other.db").exists());
}

#[test]
fn of_concurrent_backups_to_one_name_one_is_complete_and_the_others_are_refused() {
    let restored = Restored::new();
    let file = restored.path("one.db");
    let all: Vec<_> = (0..4)
        .map(|_| {
            command(["backup", "--data-dir"])
                .args([&restored.path("second"), &file])
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let result = all
        .into_iter()
        .map(|one| Finished::of(one.wait_with_output().unwrap()));
    let mut whole = 0;
    for result in result {
        match result.status {
            Some(0) => {
                assert!(!result.stderr.contains("wrote 0 "), "{result:#?}");
                whole += 1;
            }
            _ => {
                result.with_status(1).with_stderr("already exists");
            }
        }
    }
    assert_eq!(whole, 1);
    restore(&file, &restored.path("third")).with_status(0);
    assert_eq!(check(&restored.path("third")).0, Some(0));
    let parts = fs::read_dir(restored.folder.path())
        .unwrap()
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().ends_with(".part")
        });
    assert_eq!(parts.count(), 0);
}

#[test]
fn a_file_that_is_not_a_backup_is_not_restored() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("file"), folder.path().join("data"));
    fs::write(&file, "this is not a database".repeat(100)).unwrap();
    restore(&file, &data)
        .with_status(1)
        .with_stderr("cannot use the database");
    assert!(!data.join("tenterhook.db").exists());
}

#[test]
fn a_program_that_was_changed_in_the_database_is_detected_and_never_run() {
    let restored = Restored::new();
    restored.damage("echo GOOD-ANSWER", "echo EVIL-ANSWER");

    let (status, report) = check(&restored.path("second"));
    assert_eq!(
        (status, &report["ok"]),
        (Some(1), &json!(false)),
        "{report}"
    );
    let programs = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["name"] == "programs")
        .unwrap();
    assert!(
        programs["faults"][0]
            .as_str()
            .unwrap()
            .contains("is damaged"),
        "{report}"
    );

    let server = Server::start(&restored.path("second"), &[]);
    let owner = Owner::of(&server, &restored.path("second"));
    let task = owner.fire_and_wait(&event("ask", "another"));
    let execution = &task["executions"][0];
    assert_eq!(execution["state"], "FAILED", "{task}");
    assert!(
        execution["error"].as_str().unwrap().contains("is damaged"),
        "{task}"
    );
    assert!(!task.to_string().contains("EVIL"), "{task}");

    // Who uploads it again has it again.
    owner.source("the-same", "echo GOOD-ANSWER\n");
    let task = owner.fire_and_wait(&event("ask", "one more"));
    assert_eq!(task["executions"][0]["stdout"], "GOOD-ANSWER\n", "{task}");
    assert_eq!(check(&restored.path("second")).0, Some(0));
}

#[test]
fn check_data_reports_to_a_person_and_ends_with_a_status() {
    let restored = Restored::new();
    let result = tenterhook(&["check-data", "--data-dir"], &[&restored.path("second")]);
    let report = result.with_status(0).stdout;
    for check in [
        "integrity",
        "references",
        "programs",
        "orphans",
        "tasks",
        "disk",
    ] {
        assert!(report.contains(&format!("ok     {check}\n")), "{report}");
    }
    tenterhook(&["check-data", "--data-dir"], &[&restored.path("nowhere")])
        .with_status(1)
        .with_stderr("--data-dir");
}
