//! A misspelt variable, hook point or member is answered with the nearest.

use crate::project::{Project, tenterhook};
use crate::tenterhook::{Finished, Program, command};

#[test]
fn an_unset_parameter_is_reported_with_the_closest_match() {
    let script = Program::script("set -u\necho \"$HOOK_PARAM_SERAIL\"\n");
    let result = script.run(&["--event", "PreFormatDisk"]);
    assert_ne!(result.status, Some(0));
    result
        .with_stderr("HOOK_PARAM_SERAIL: unbound variable")
        .with_stderr("`HOOK_PARAM_SERAIL` is not set; did you mean `HOOK_PARAM_SERIAL`?");
}

#[test]
fn a_test_of_a_project_suggests_the_closest_match_too() {
    let project = Project::new("shell");
    project.write("hook.sh", "set -u\necho \"$HOOK_PARAM_SERAIL\"\n");
    let result = tenterhook(&project.parent, ["test", "guard"]).with_status(1);
    let hint = "\n      `HOOK_PARAM_SERAIL` is not set; did you mean `HOOK_PARAM_SERIAL`?\n";
    assert!(result.stdout.contains(hint), "{result:#?}");
}

#[test]
fn a_parameter_without_an_event_is_reported_with_the_flag_to_use() {
    let script = Program::script("set -u\necho \"$HOOK_PARAM_SERIAL\"\n");
    script
        .run(&[])
        .with_stderr("the run has no event; `--event NAME` gives it one");
}

#[test]
fn a_variable_with_a_default_gets_no_hint() {
    let script = Program::script("echo \"${HOOK_PARAM_SERAIL-none}\"\n");
    let result = script.run(&["--event", "PreFormatDisk"]).with_status(0);
    assert_eq!(result.stdout, "none\n");
    assert!(!result.stderr.contains("not set"), "{result:?}");
}

#[test]
fn an_unknown_hook_point_of_an_event_is_refused_with_the_closest_match() {
    let event = Finished::of(command(["event", "PreFormatDisks"]).output().unwrap());
    event
        .with_status(2)
        .with_stderr("did you mean PreFormatDisk?");
    let run = Program::script(":").run(&["--event", "onaudit"]);
    run.with_status(125).with_stderr("did you mean OnAudit?");
    let check = command(["check", "--event", "snapshot-pre", "Cargo.toml"])
        .output()
        .unwrap();
    Finished::of(check)
        .with_status(2)
        .with_stderr("did you mean snapshot.pre?");
}

#[test]
fn an_undocumented_member_is_refused_with_the_closest_match() {
    let line = ["event", "PreFormatDisk", "--set", "serail=X"];
    let result = Finished::of(command(line).output().unwrap()).with_status(0);
    assert!(result.stdout.contains("\"serail\": \"X\""));
    result.with_stderr("PreFormatDisk has no parameter `serail`; did you mean `serial`?");
}

#[test]
fn a_missing_file_is_reported_with_what_a_project_would_do() {
    let folder = tempfile::tempdir().unwrap();
    for (name, status) in [("run", 125), ("check", 2)] {
        let output = command([name]).current_dir(&folder).output().unwrap();
        Finished::of(output)
            .with_status(status)
            .with_stderr("there is no tenterhook.toml here")
            .with_stderr("`tenterhook new NAME`");
    }
}
