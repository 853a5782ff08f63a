//! Errors of the commands that work on a server say what to do next.

use super::Workspace;
use crate::tenterhook::{Finished, command};

const COMMANDS: [&[&str]; 5] = [
    &["fire", "custom.go"],
    &["logs"],
    &["executions"],
    &["top"],
    &["cancel", "--task", "1"],
];

#[test]
fn without_a_server_each_command_says_how_to_start_one() {
    let folder = tempfile::tempdir().unwrap();
    for args in COMMANDS {
        let output = command(args).current_dir(folder.path()).output().unwrap();
        Finished::of(output)
            .with_status(1)
            .with_stderr("start one with `tenterhook serve`");
        let output = command(args)
            .args(["--server", "127.0.0.1:1", "--token", "th_x"])
            .output()
            .unwrap();
        Finished::of(output)
            .with_status(1)
            .with_stderr("no server answers at http://127.0.0.1:1; is it running?");
    }
}

#[test]
fn an_invalid_token_or_an_insufficient_role_is_named() {
    let workspace = Workspace::new();
    for args in COMMANDS {
        let wrong = args.iter().copied().chain(["--token", "th_wrong"]);
        workspace
            .run(wrong)
            .with_status(1)
            .with_stderr("the token is that of --token or TENTERHOOK_TOKEN");
    }
    let issued = workspace.json(&["token", "create", "eye", "--role", "viewer"]);
    let token = issued["token"].as_str().unwrap();
    for args in [&["fire", "custom.go"][..], &["cancel", "--task", "1"]] {
        let small = args.iter().copied().chain(["--token", token]);
        workspace
            .run(small)
            .with_status(1)
            .with_stderr("this call needs the role `member`");
    }
    for args in [&["logs"][..], &["executions"], &["top"]] {
        workspace
            .run(args.iter().copied().chain(["--token", token]))
            .with_status(0);
    }
}

#[test]
fn unknown_and_ambiguous_ids_are_distinguished() {
    let workspace = Workspace::new();
    workspace.project("true\n", "");
    workspace.push(&[]).with_status(0);
    for _ in 0..2 {
        workspace.run(["fire", "custom.go"]).with_status(0);
    }
    let whole = "0198c0de-7a1b-7c3d-8e4f-5a6b7c8d9e0f";
    let list = workspace.json(&["executions"]);
    let id = list[0]["id"].as_str().unwrap();
    for command in ["logs", "cancel"] {
        for (argument, expected) in [
            (whole, "there is no execution"),
            ("guard", "`tenterhook executions` lists them"),
            ("abc", "too short"),
            ("ffffffffffff", "none of the newest 2 executions"),
            (&id[..4], "give more characters"),
        ] {
            workspace
                .run([command, argument])
                .with_status(1)
                .with_stderr(expected);
        }
        workspace
            .run([command, "--task", "9"])
            .with_status(1)
            .with_stderr("there is no task `9`");
    }
    workspace
        .run(["logs", "--hook", "9"])
        .with_status(1)
        .with_stderr("there is no hook `9`");
    workspace
        .run(["executions", "--state", "lost"])
        .with_status(1)
        .with_stderr("must be `WAITING`");
    workspace
        .run(["top", "--interval", "1ms"])
        .with_status(1)
        .with_stderr("--interval");
}

#[test]
fn nothing_of_another_account_is_reached() {
    let workspace = Workspace::new();
    workspace.project("sleep 1h\n", "");
    workspace.push(&[]).with_status(0);
    let task = workspace.fire();
    let id = workspace.one_that_runs()["id"].as_str().unwrap().to_owned();
    workspace.json(&["account", "create", "acme"]);
    let issued = workspace.json(&[
        "token",
        "create",
        "ada",
        "--role",
        "owner",
        "--account",
        "acme",
    ]);
    let token = issued["token"].as_str().unwrap();
    let as_other = |args: &[&str]| workspace.run(args.iter().chain(&["--token", token]));
    for args in [["logs", &id], ["cancel", &id]] {
        as_other(&args)
            .with_status(1)
            .with_stderr("there is no execution");
    }
    for args in [["logs", "--task", &task], ["cancel", "--task", &task]] {
        as_other(&args)
            .with_status(1)
            .with_stderr("there is no task");
    }
    for args in [["executions", "--json"], ["top", "--json"]] {
        assert_eq!(as_other(&args).with_status(0).stdout, "[]\n");
    }
    // A project of the same name makes a source of its own there.
    let pushed = workspace.push(&["--token", token]).with_status(0);
    assert!(pushed.stdout.contains("+ source guard"), "{pushed:?}");
    assert_eq!(workspace.push(&[]).with_status(0).stdout, "up to date\n");
}
