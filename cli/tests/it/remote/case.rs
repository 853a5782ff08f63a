//! `case`: an attempt as one file, which `run` repeats anywhere.

use std::path::PathBuf;

use super::Workspace;

/// A workspace, an execution that has ended, and its case.
fn a_case(program: &str) -> (Workspace, String, PathBuf) {
    let workspace = Workspace::new();
    workspace.project(
        program,
        "[hook]\nargs = [\"own\"]\nenv = { WHO = \"me\" }\n",
    );
    workspace.push(&[]).with_status(0);
    workspace.run(["fire", "custom.go", "--set", "a=1"]);
    let listed = workspace.json(&["executions"]);
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    let file = workspace.project.path().join("one.case");
    std::fs::write(&file, workspace.bytes(&["case", &id])).unwrap();
    (workspace, id, file)
}

#[test]
fn a_case_runs_anywhere_to_the_byte() {
    let (workspace, id, file) = a_case(
        "date +%s%N; echo $RANDOM $WHO $1 $HOOK_EXECUTION_ID; cat; sleep 0.05; echo '{\"allow\":false}' > /verdict.json\n",
    );
    let file = file.to_str().unwrap();
    let shown = workspace.json(&["replay", &id]);
    let elsewhere = Workspace::offline(["run", file]).with_status(0);
    assert_eq!(
        elsewhere.stdout,
        shown["replayed"]["stdout"].as_str().unwrap()
    );
    assert!(
        elsewhere.stdout.contains(&format!(" me own {id}\n")),
        "{elsewhere:?}"
    );
    assert!(
        elsewhere.stderr.contains("the same as was recorded"),
        "{elsewhere:?}"
    );
    let attempt = workspace.bytes(&["case", &id, "--attempt", "1"]);
    assert_eq!(attempt, std::fs::read(file).unwrap());
}

#[test]
fn a_case_of_an_interrupted_attempt_ends_as_the_attempt_did() {
    let workspace = Workspace::new();
    workspace.project(
        "echo begun; sleep 1h\n",
        "[hook]\nlimits = { wall_ms = 300 }\n",
    );
    workspace.push(&[]).with_status(0);
    workspace.run(["fire", "custom.go", "--set", "a=1"]);
    let listed = workspace.json(&["executions"]);
    let file = workspace.project.path().join("one.case");
    let case = workspace.bytes(&["case", listed[0]["id"].as_str().unwrap()]);
    std::fs::write(&file, case).unwrap();
    let run = Workspace::offline(["run", file.to_str().unwrap()]).with_status(124);
    assert_eq!(run.stdout, "begun\n");
    assert!(run.stderr.contains("the same as was recorded"), "{run:?}");
    assert!(!run.stderr.contains("fuel limit"), "{run:?}");
}

#[test]
fn a_case_has_its_own_input() {
    let (_workspace, _, file) = a_case("echo x\n");
    let file = file.to_str().unwrap();
    Workspace::offline(["run", "--seed", "1", "--fuel", "1M", file, "a"])
        .with_status(125)
        .with_stderr("leave out arguments, `--seed`, limits");
}

#[test]
fn a_case_that_was_cut_or_altered_or_is_of_another_version_is_refused() {
    let (workspace, _, file) = a_case("echo x\n");
    let whole = std::fs::read(&file).unwrap();
    let mut altered = whole.clone();
    *altered.last_mut().unwrap() ^= 1;
    let newer =
        String::from_utf8_lossy(&whole).replacen("tenterhook-case 1", "tenterhook-case 7", 1);
    for (content, message) in [
        (&whole[..whole.len() - 1], "was cut or altered"),
        (&altered[..], "was cut or altered"),
        (newer.as_bytes(), "a case file of version `7`"),
    ] {
        let file = workspace.project.path().join("bad.case");
        std::fs::write(&file, content).unwrap();
        Workspace::offline(["run", file.to_str().unwrap()])
            .with_status(125)
            .with_stderr(message);
    }
}
