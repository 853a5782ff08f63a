//! `top`, `cancel` and `executions`: what runs now and what ran.

use serde_json::{Value, json};

use super::Workspace;

#[test]
fn a_spinning_hook_is_shown_using_fuel_and_is_cancelled() {
    let workspace = Workspace::new();
    workspace.project(
        "while :; do :; done\n",
        "[hook.limits]\nfuel = 200000000000\nwall_ms = 600000\n",
    );
    workspace.push(&[]).with_status(0);
    assert_eq!(workspace.json(&["top"]), json!([]));
    let task = workspace.fire();
    let first = workspace.one_that_runs();
    assert_eq!(first["state"], "RUNNING");
    assert_eq!(first["usage"]["so_far"], true, "{first}");
    assert!(
        first["usage"]["memory_peak_bytes"].as_u64() > Some(0),
        "{first}"
    );
    let burnt = |one: &Value| one["usage"]["fuel"].as_u64().unwrap();
    let grows = (0..1_000).any(|_| burnt(&workspace.one_that_runs()) > burnt(&first));
    assert!(grows, "it burns nothing: {first}");
    let table = workspace.run(["top"]).with_status(0);
    assert!(table.stdout.contains("guard"), "{table:?}");

    let id = first["id"].as_str().unwrap();
    let short = id.rsplit('-').next().unwrap();
    let cancelled = workspace.run(["cancel", short]).with_status(0);
    assert!(
        cancelled.stdout.contains("is being cancelled"),
        "{cancelled:?}"
    );
    let result = workspace.owner().result(&task);
    assert_eq!(result["executions"][0]["state"], "CANCELED");
    let cancelled = workspace.run(["cancel", id]).with_status(0);
    assert!(
        cancelled.stdout.contains("has already finished: CANCELED"),
        "{cancelled:?}"
    );
    assert_eq!(workspace.json(&["top"]), json!([]));
}

#[test]
fn a_whole_task_is_cancelled_at_once() {
    let workspace = Workspace::new();
    workspace.project("sleep 1h\n", "");
    workspace.push(&[]).with_status(0);
    let task = workspace.fire();
    workspace.run(["cancel", "--task", &task]).with_status(0);
    let result = workspace.owner().result(&task);
    assert_eq!(result["state"], "CANCELED");
    workspace.run(["cancel"]).with_status(2);
}

#[test]
fn executions_are_listed_newest_first_and_filtered() {
    let workspace = Workspace::new();
    workspace.project("read -r a; case $a in *bad*) exit 3;; esac\n", "");
    workspace.push(&[]).with_status(0);
    for kind in ["good", "bad", "good"] {
        workspace.run(["fire", "custom.go", "--set", &format!("is={kind}")]);
    }
    let table = workspace.run(["executions"]).with_status(0).stdout;
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), 4, "{table}");
    assert_eq!(rows[0][..2], ["EXECUTION", "TASK"]);
    let tasks: Vec<&str> = rows[1..].iter().map(|row| row[1]).collect();
    assert_eq!(tasks, ["3", "2", "1"], "{table}");
    assert!(rows[2].contains(&"FAILED"), "{table}");

    let count = |flags: &[&str]| {
        let args: Vec<&str> = ["executions"].iter().chain(flags).copied().collect();
        workspace.json(&args).as_array().unwrap().len()
    };
    assert_eq!(count(&["--state", "FAILED"]), 1);
    assert_eq!(count(&["--state", "failed"]), 1);
    assert_eq!(count(&["--task", "2"]), 1);
    assert_eq!(count(&["--hook", "1"]), 3);
    assert_eq!(count(&["--limit", "2"]), 2);
    assert_eq!(count(&["--since", "1h"]), 3);
    assert_eq!(count(&["--since", "2999-01-01T00:00:00Z"]), 0);
    workspace
        .run(["executions", "--since", "2026-01-01 00:00:00Z"])
        .with_status(1)
        .with_stderr("`--since 2026-01-01 00:00:00Z` is neither a time");
    workspace
        .run(["executions", "--limit", "0"])
        .with_status(2)
        .with_stderr("must be from 1");
}
