//! `replay` and `push --shadow`: what ran is run again, and compared.

use serde_json::json;

use super::Workspace;

/// A workspace in which `guard` was fired for each of these data; the ids, newest first.
fn fired(program: &str, data: &[&str]) -> (Workspace, Vec<String>) {
    let workspace = Workspace::new();
    workspace.project(program, "");
    workspace.push(&[]).with_status(0);
    for data in data {
        workspace.run(["fire", "custom.go", "--set", data]);
    }
    let listed = workspace.json(&["executions"]);
    let ids = listed.as_array().unwrap().iter();
    let ids = ids
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    (workspace, ids)
}

#[test]
fn an_execution_is_replayed_to_the_byte_and_its_status_says_so() {
    let (workspace, ids) = fired("date +%s%N; echo $RANDOM; sleep 0.1; exit 3\n", &["a=1"]);
    let short = ids[0].rsplit('-').next().unwrap();
    let replayed = workspace.run(["replay", short]).with_status(0);
    let expected = format!("attempt 1 of execution {short}: the same (exited with status 3, ");
    assert!(replayed.stdout.starts_with(&expected), "{replayed:?}");
    let replay = workspace.json(&["replay", &ids[0], "--attempt", "1"]);
    assert_eq!(
        (&replay["same"], &replay["notes"]),
        (&json!(true), &json!([]))
    );
    assert!(!replay["replayed"]["stdout"].as_str().unwrap().is_empty());
}

#[test]
fn another_program_is_different_in_named_places() {
    let (workspace, ids) = fired("echo one; echo two\n", &["a=1"]);
    let other = workspace.project.path().join("other.sh");
    std::fs::write(&other, "echo one; echo three\n").unwrap();
    let other = other.to_str().unwrap();
    let replayed = workspace
        .run(["replay", &ids[0], "--with", other])
        .with_status(1);
    assert!(replayed.stdout.contains(": different ("), "{replayed:?}");
    assert!(
        replayed
            .stdout
            .contains("\n  stdout, line 2, byte 5: was `two`, is `three`\n"),
        "{replayed:?}"
    );
}

#[test]
fn what_cannot_be_replayed_is_no_difference() {
    let (workspace, ids) = fired("echo one\n", &["a=1"]);
    for (args, message) in [
        (
            &["replay", "00000000-0000-0000-0000-000000000000"][..],
            "there is no execution",
        ),
        (
            &["replay", &ids[0], "--attempt", "2"],
            "there is no attempt `2`",
        ),
        (
            &["replay", &ids[0], "--with", "/missing.sh"],
            "cannot read /missing.sh",
        ),
        (
            &["replay", "--hook", "1", "--last", "0"],
            "must be from 1 to 1000",
        ),
        (&["replay"], "required"),
        (&["replay", &ids[0], "--hook", "1"], "cannot be used with"),
    ] {
        workspace.run(args).with_status(2).with_stderr(message);
    }
}

#[test]
fn a_new_program_is_tried_on_the_newest_executions_before_it_is_pushed() {
    let (workspace, ids) = fired(
        "read -r a; case $a in *bad*) exit 3;; esac\n",
        &["is=good", "is=bad", "is=good"],
    );
    let same = workspace.run(["replay", "--hook", "1"]).with_status(0);
    assert_eq!(same.stdout, "of 3: 3 same\n");

    // What was refused is let through, and the rest is as it was.
    workspace.project("read -r a; true\n", "");
    let shadow = workspace.push(&["--shadow", "2"]).with_status(0);
    assert!(shadow.stdout.contains("of 2: "), "{shadow:?}");
    assert!(
        shadow.stdout.contains("1 exited with status 0"),
        "{shadow:?}"
    );
    assert!(shadow.stdout.contains(ids[1].rsplit('-').next().unwrap()));
    assert!(
        shadow
            .stdout
            .ends_with("nothing was changed: this was a dry run\n")
    );
    let folder = workspace.project.path().to_str().unwrap();
    let shadow = workspace.json(&["push", folder, "--shadow", "3"]);
    assert_eq!(shadow["dry_run"], true);
    assert_eq!(shadow["shadow"]["executions"], 3);
    assert_eq!(
        shadow["shadow"]["others"]["exited with status 0"], 1,
        "{shadow}"
    );
    // Nothing was changed: the old program still runs.
    let after = workspace.run(["replay", "--hook", "1"]).with_status(0);
    assert_eq!(after.stdout, "of 3: 3 same\n");
}

#[test]
fn a_project_without_a_hook_has_nothing_to_shadow() {
    let workspace = Workspace::new();
    workspace.project("echo one\n", "");
    let shadow = workspace.push(&["--shadow", "5"]).with_status(1);
    assert!(shadow.stderr.contains("no hook of guard yet"), "{shadow:?}");
}

#[test]
fn a_quote_says_what_executions_use_and_what_another_program_would() {
    let (workspace, _) = fired("echo one\n", &["a=1", "a=2", "a=3"]);
    let table = workspace.run(["quote", "1"]).with_status(0).stdout;
    assert!(table.starts_with("PERCENTILE  FUEL"), "{table}");
    assert!(table.ends_with("of 3 executions\n"), "{table}");
    let recorded = workspace.json(&["quote", "1"]);
    let other = workspace.project.path().join("other.sh");
    std::fs::write(&other, "i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done\n").unwrap();
    let other = workspace.json(&["quote", "1", "--with", other.to_str().unwrap()]);
    let fuel = |quote: &serde_json::Value| quote["percentiles"][3]["fuel"].as_u64().unwrap();
    assert!(fuel(&other) > 10 * fuel(&recorded), "{other} {recorded}");
    assert_eq!(other["executions"], 3);
    workspace
        .run(["quote", "9"])
        .with_status(1)
        .with_stderr("hook");
}
