//! What lies in a data folder when a server starts on it: what it may be taken for, and what
//! of it is mended.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::server::Server;
use crate::tenterhook::{Ended, command};

fn tenterhook(words: &[&str], data: &Path) -> Ended {
    Ended::of(command(words).arg("--data-dir").arg(data).output().unwrap())
}

fn refused(data: &Path) -> Ended {
    tenterhook(&["serve", "--listen", "127.0.0.1:0"], data).with_status(1)
}

#[test]
fn folders_that_only_a_server_makes_are_traces_of_one_and_its_lock_alone_is_none() {
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
                .saying("cannot find the database")
                .saying(&format!("{} is there", traces[0]))
                .saying("--new-database");

            assert!(!folder.path().join("owner.token").exists());
        }
    }

    // A start that was broken off before it could note anything leaves no more than this.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lock"), "").unwrap();
    let (status, said) = Server::start(folder.path(), &[]).stop(Signal::TERM);
    assert_eq!(status, Some(0), "{said}");
}

#[test]
fn a_restore_that_was_broken_off_at_its_beginning_is_no_new_server_and_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    Server::start(&path("first"), &[]).stop(Signal::TERM);
    let backup = command(["backup", "--data-dir"])
        .args([path("first"), path("backup.db")])
        .output()
        .unwrap();
    Ended::of(backup).with_status(0);
    fs::create_dir(path("second")).unwrap();
    fs::write(path("second/restoring"), "").unwrap();
    fs::write(path("second/lock"), "").unwrap();

    refused(&path("second"))
        .saying("restoring a backup into it was broken off")
        .saying("run `tenterhook restore` again");

    let again = command(["restore", "--data-dir"])
        .args([path("second"), path("backup.db")])
        .output()
        .unwrap();
    Ended::of(again).with_status(0);
    assert!(!path("second/restoring").exists());
    let (status, said) = Server::start(&path("second"), &["--new-owner-token"]).stop(Signal::TERM);
    assert_eq!(status, Some(0), "{said}");
}

#[test]
fn what_is_in_the_place_of_disposable_folders_gives_way_and_check_data_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    Server::start(data, &[]).stop(Signal::TERM);
    for name in ["code", "scratch"] {
        fs::remove_dir_all(data.join(name)).unwrap();
        fs::write(data.join(name), "no folder").unwrap();
    }
    fs::remove_file(data.join("owner.token")).unwrap();
    fs::create_dir(data.join("owner.token")).unwrap();

    let told = tenterhook(&["check-data", "--json"], data).with_status(1);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let checks = told["checks"].as_array().unwrap();
    let files = checks
        .iter()
        .find(|check| check["name"] == "files")
        .unwrap();
    let faults = files["faults"].to_string();
    for name in ["`owner.token`", "`code`", "`scratch`"] {
        assert!(faults.contains(name), "{faults}");
    }

    tenterhook(
        &["serve", "--listen", "127.0.0.1:0", "--new-owner-token"],
        data,
    )
    .with_status(1)
    .saying("owner.token")
    .saying("move it away");
    let (status, said) = Server::start(data, &[]).stop(Signal::TERM);
    assert_eq!(status, Some(0), "{said}");
    assert!(data.join("code").is_dir() && data.join("scratch").is_dir());
}

#[test]
fn the_former_name_of_the_data_folders_flag_is_refused_with_the_present_one() {
    for words in [
        &["serve"][..],
        &["backup", "file"],
        &["restore", "file"],
        &["check-data"],
        &["token", "list"],
        &["fire", "OnAudit"],
    ] {
        let output = command(words).args(["--data", "x"]).output().unwrap();
        Ended::of(output).with_status(2).saying("'--data-dir'");
    }
}
