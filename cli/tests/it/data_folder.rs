//! What lies in a data folder when a server starts on it: what it may be taken for, and what
//! of it is mended.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::server::Server;
use crate::tenterhook::{Finished, command};

fn tenterhook(words: &[&str], data: &Path) -> Finished {
    Finished::of(command(words).arg("--data-dir").arg(data).output().unwrap())
}

fn refused(data: &Path) -> Finished {
    tenterhook(&["serve", "--listen", "127.0.0.1:0"], data).with_status(1)
}

#[test]
fn folders_that_only_a_server_creates_are_traces_of_one_and_a_lock_alone_is_not() {
    for traces in [&["code"][..], &["scratch"], &["code", "scratch"]] {
        for lock in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            for trace in traces {
                fs::create_dir(folder.path().join(trace)).unwrap();
            }
            if lock {
                fs::write(folder.path().join("lock"), "").unwrap();
            }

            refused(folder.path())
                .with_stderr("cannot find the database")
                .with_stderr(&format!("{} exists", traces[0]))
                .with_stderr("--new-database");

            assert!(!folder.path().join("owner.token").exists());
        }
    }

    // A start that was interrupted before it could note anything leaves no more than this.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lock"), "").unwrap();
    let (status, log) = Server::start(folder.path(), &[]).stop(Signal::TERM);
    assert_eq!(status, Some(0), "{log}");
}

#[test]
fn a_restore_interrupted_early_is_not_a_new_server_and_can_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    Server::start(&path("first"), &[]).stop(Signal::TERM);
    let backup = command(["backup", "--data-dir"])
        .args([path("first"), path("backup.db")])
        .output()
        .unwrap();
    Finished::of(backup).with_status(0);
    fs::create_dir(path("second")).unwrap();
    fs::write(path("second/restoring"), "").unwrap();
    fs::write(path("second/lock"), "").unwrap();

    refused(&path("second"))
        .with_stderr("restoring a backup into it was interrupted")
        .with_stderr("run `tenterhook restore` again");

    let again = command(["restore", "--data-dir"])
        .args([path("second"), path("backup.db")])
        .output()
        .unwrap();
    Finished::of(again).with_status(0);
    assert!(!path("second/restoring").exists());
    let (status, log) = Server::start(&path("second"), &["--new-owner-token"]).stop(Signal::TERM);
    assert_eq!(status, Some(0), "{log}");
}

#[test]
fn files_in_place_of_disposable_folders_are_replaced_and_named_by_check_data() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    Server::start(data, &[]).stop(Signal::TERM);
    fs::remove_dir_all(data.join("code")).unwrap();
    fs::write(data.join("code"), "no folder").unwrap();
    // What an older server has left.
    fs::create_dir(data.join("scratch")).unwrap();
    fs::remove_file(data.join("owner.token")).unwrap();
    fs::create_dir(data.join("owner.token")).unwrap();

    let report = tenterhook(&["check-data", "--json"], data).with_status(1);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let files = checks
        .iter()
        .find(|check| check["name"] == "files")
        .unwrap();
    let faults = files["faults"].to_string();
    for name in ["`owner.token`", "`code`"] {
        assert!(faults.contains(name), "{faults}");
    }

    tenterhook(
        &["serve", "--listen", "127.0.0.1:0", "--new-owner-token"],
        data,
    )
    .with_status(1)
    .with_stderr("owner.token")
    .with_stderr("move it away");
    let (status, log) = Server::start(data, &[]).stop(Signal::TERM);
    assert_eq!(status, Some(0), "{log}");
    assert!(data.join("code").is_dir() && !data.join("scratch").exists());
}

#[test]
fn the_old_name_of_the_data_folder_flag_is_refused_with_the_new_one() {
    for words in [
        &["serve"][..],
        &["backup", "file"],
        &["restore", "file"],
        &["check-data"],
        &["token", "list"],
        &["fire", "OnAudit"],
    ] {
        let output = command(words).args(["--data", "x"]).output().unwrap();
        Finished::of(output)
            .with_status(2)
            .with_stderr("'--data-dir'");
    }
}
