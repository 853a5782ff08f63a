//! One tenant sends more than the disk holds, and another does not notice.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::api::{Owner, event};
use crate::server::Server;

/// What all files in a folder hold together.
fn size_of(folder: &Path) -> u64 {
    let mut size = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        // One may go while it is looked at.
        let Ok(found) = entry.metadata() else {
            continue;
        };
        size += match found.is_dir() {
            true => size_of(&entry.path()),
            false => found.len(),
        };
    }
    size
}

/// Sends 30 events of 250 KB at once; returns the status.
fn flood(owner: &Owner, number: usize) -> (u16, Value) {
    let data = "x".repeat(250_000);
    let events: Vec<Value> = (0..30)
        .map(|index| {
            let mut event = event("flood", format!("{number}-{index}"));
            event["data"] = json!(data);
            event
        })
        .collect();
    let kind = "application/cloudevents-batch+json";
    owner
        .try_call("POST", "/api/v1/events", kind, json!(events).to_string())
        .unwrap()
}

#[test]
fn a_tenant_that_sends_more_than_the_disk_holds_is_refused_and_others_continue() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--max-disk", "64MiB"]);
    let operator = Owner::of(&server, data.path());
    let (greedy, other) = (
        operator.of_another_account("greedy"),
        operator.of_another_account("other"),
    );
    other.hook("hi", "echo hi\n", &json!({}));

    let mut refused = 0;
    // 300 MB in all.
    for number in 0..40 {
        match flood(&greedy, number) {
            (202, _) => {}
            (507, problem) => {
                assert_eq!(
                    problem["type"], "/problems/insufficient-storage",
                    "{problem}"
                );
                refused += 1;
            }
            (status, problem) => panic!("{status} {problem}"),
        }
        if number % 8 == 0 {
            let task = other.fire_and_wait(&event("hi", number));
            assert_eq!(task["executions"][0]["stdout"], "hi\n", "{task}");
        }
    }
    assert!(refused > 0);
    // What may be shared out, and the log.
    let size = size_of(data.path());
    assert!(size < 170 << 20, "{size}");
    // Its oldest events make room for new ones.
    let mut number = 40;
    while flood(&greedy, number).0 != 202 {
        number += 1;
    }
}
