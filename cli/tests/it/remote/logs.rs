//! `logs`: of finished executions, and of output while it is printed.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::Workspace;
use crate::tenterhook::{Finished, command, signal};

/// Time for a hook that sleeps until it is cancelled.
const LONG: &str = "[hook.limits]\nwall_ms = 600000\n";

/// Prints on both streams and then sleeps.
const TALKS: &str = "echo begun
echo '{\"level\":\"warn\",\"message\":\"nearly full\",\"percent\":97}' >&2
printf '\\033[2Jplain\\n' >&2
";

#[test]
fn what_was_printed_is_shown_with_log_lines_drawn() {
    let workspace = Workspace::new();
    workspace.project(TALKS, "");
    workspace.push(&[]).with_status(0);
    let reply = workspace.json(&["fire", "custom.go"]);
    let id = reply["task"]["executions"][0]["id"].as_str().unwrap();
    let alone = workspace.run(["logs", id]).with_status(0);
    assert_eq!(
        alone.stdout,
        "begun\nWARN  nearly full percent=97\n^[[2Jplain\n"
    );
    let short = id.rsplit('-').next().unwrap();
    let of_task = workspace.run(["logs", "--task", "1"]).with_status(0).stdout;
    assert!(
        of_task.starts_with(&format!("guard[{short}] begun\n")),
        "{of_task}"
    );
    assert!(
        of_task.ends_with(&format!(
            "guard[{short}] -- FINISHED, exited with status 0\n"
        )),
        "{of_task}"
    );
    assert_eq!(
        workspace.run(["logs", "--hook", "1"]).with_status(0).stdout,
        of_task
    );
    assert_eq!(workspace.run(["logs"]).with_status(0).stdout, of_task);

    let lines = workspace
        .run(["logs", short, "--json"])
        .with_status(0)
        .stdout;
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines[0],
        json!({"execution": id, "task": 1, "name": "guard", "stream": "stdout", "text": "begun"})
    );
    assert_eq!(lines[1]["log"]["percent"], 97);
    assert_eq!(lines[2]["text"], "\u{1b}[2Jplain");
    assert_eq!(
        (&lines[3]["state"], &lines[3]["outcome"]["status"]),
        (&json!("FINISHED"), &json!(0))
    );
}

#[test]
fn one_execution_is_followed_to_its_end() {
    let workspace = Workspace::new();
    workspace.project(format!("{TALKS}sleep 1h\n"), LONG);
    workspace.push(&[]).with_status(0);
    let task = workspace.fire();
    let id = workspace.one_that_runs()["id"].as_str().unwrap().to_owned();
    let mut following = workspace.start(&["logs", &id, "--follow"]);
    // It sleeps for an hour after this: what is heard was printed a moment ago.
    following.line_with("begun");
    following.line_with("WARN  nearly full");
    following.line_with("^[[2Jplain");
    workspace.run(["cancel", "--task", &task]).with_status(0);
    assert_eq!(following.result(), Some(0));
}

#[test]
fn executions_of_a_hook_are_followed_as_they_come_until_ctrl_c() {
    let workspace = Workspace::new();
    workspace.project(format!("{TALKS}sleep 1h\n"), LONG);
    workspace.push(&[]).with_status(0);
    let mut following = workspace.start(&["logs", "--hook", "1", "-f"]);
    for task in 1..3 {
        assert_eq!(workspace.fire(), task.to_string());
        let line = following.line_with("begun");
        assert!(line.starts_with("guard["), "{line}");
        following.line_with("plain");
        workspace
            .run(["cancel", "--task", &task.to_string()])
            .with_status(0);
        following.line_with("-- CANCELED");
    }
    signal(&following.child, Signal::INT);
    assert_eq!(following.result(), Some(130));
}

#[test]
fn a_task_or_an_execution_is_followed_over_its_attempts_until_it_is_over() {
    let workspace = Workspace::new();
    workspace.project(
        "echo try $HOOK_ATTEMPT; exit 1\n",
        "[hook.retry]\nattempts = 2\nbackoff_ms = 1500\n",
    );
    workspace.push(&[]).with_status(0);
    let task = workspace.fire();
    let id = workspace.json(&["executions"])[0]["id"].clone();
    let mut alone = workspace.start(&["logs", id.as_str().unwrap(), "-f"]);
    let mut following = workspace.start(&["logs", "--task", &task, "-f"]);
    following.line_with("try 2");
    following.line_with("-- FAILED, exited with status 1");
    assert_eq!(following.result(), Some(0));
    alone.line_with("try 2");
    assert_eq!(alone.result(), Some(0));
}

#[test]
fn nobody_who_reads_on_is_no_failure() {
    let workspace = Workspace::new();
    workspace.project(
        "n=0; while [ $n -lt 20000 ]; do echo 0123456789; n=$((n + 1)); done\n",
        "",
    );
    workspace.push(&[]).with_status(0);
    workspace.run(["fire", "custom.go"]).with_status(0);
    for args in [
        &["logs"][..],
        &["logs", "--json"],
        &["logs", "--task", "1", "-f"],
    ] {
        let mut child = command(args)
            .env("TENTERHOOK_DATA", workspace.data.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        drop(stdout);
        let result = Finished::of(child.wait_with_output().unwrap()).with_status(0);
        assert_eq!(result.stderr, "", "{args:?}");
    }
}

#[test]
fn a_server_that_stops_ends_what_follows_with_a_word() {
    let workspace = Workspace::new();
    workspace.project(format!("{TALKS}sleep 1h\n"), LONG);
    workspace.push(&[]).with_status(0);
    workspace.fire();
    let id = workspace.one_that_runs()["id"].as_str().unwrap().to_owned();
    let following = workspace.start(&["logs", &id, "-f"]);
    following.line_with("begun");
    let Workspace { server, .. } = workspace;
    server.stop_at_once();
    let (status, log) = following.finish();
    assert_eq!(status, Some(1), "{log}");
    assert!(log.contains("closed the connection"), "{log}");
}
