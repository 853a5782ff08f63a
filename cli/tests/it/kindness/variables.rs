//! A misspelt variable, hook point or member is answered with the nearest.

use crate::project::{Project, tenterhook};
use crate::tenterhook::{Ended, Program, command};

#[test]
fn a_parameter_that_is_not_set_is_answered_with_the_nearest() {
    let script = Program::script("set -u\necho \"$HOOK_PARAM_SERAIL\"\n");
    let ended = script.run(&["--event", "PreFormatDisk"]);
    assert_ne!(ended.status, Some(0));
    ended
        .saying("HOOK_PARAM_SERAIL: unbound variable")
        .saying("`HOOK_PARAM_SERAIL` is not set; did you mean `HOOK_PARAM_SERIAL`?");
}

#[test]
fn a_test_of_a_project_offers_the_nearest_too() {
    let project = Project::new("shell");
    project.write("hook.sh", "set -u\necho \"$HOOK_PARAM_SERAIL\"\n");
    let ended = tenterhook(&project.parent, ["test", "guard"]).with_status(1);
    let told = "\n      `HOOK_PARAM_SERAIL` is not set; did you mean `HOOK_PARAM_SERIAL`?\n";
    assert!(ended.stdout.contains(told), "{ended:#?}");
}

#[test]
fn a_parameter_without_an_event_is_answered_with_the_flag() {
    let script = Program::script("set -u\necho \"$HOOK_PARAM_SERIAL\"\n");
    script
        .run(&[])
        .saying("the run has no event; `--event NAME` gives it one");
}

#[test]
fn a_variable_that_a_script_does_without_is_no_matter() {
    let script = Program::script("echo \"${HOOK_PARAM_SERAIL-none}\"\n");
    let ended = script.run(&["--event", "PreFormatDisk"]).with_status(0);
    assert_eq!(ended.stdout, "none\n");
    assert!(!ended.stderr.contains("not set"), "{ended:?}");
}

#[test]
fn a_hook_point_that_nobody_knows_is_answered_with_the_nearest() {
    let event = Ended::of(command(["event", "PreFormatDisks"]).output().unwrap());
    event.with_status(2).saying("did you mean PreFormatDisk?");
    let run = Program::script(":").run(&["--event", "onaudit"]);
    run.with_status(125).saying("did you mean OnAudit?");
    let check = command(["check", "--event", "snapshot-pre", "Cargo.toml"])
        .output()
        .unwrap();
    Ended::of(check)
        .with_status(2)
        .saying("did you mean snapshot.pre?");
}

#[test]
fn a_member_that_the_catalog_does_not_know_is_answered_with_the_nearest() {
    let line = ["event", "PreFormatDisk", "--set", "serail=X"];
    let ended = Ended::of(command(line).output().unwrap()).with_status(0);
    assert!(ended.stdout.contains("\"serail\": \"X\""));
    ended.saying("PreFormatDisk has no parameter `serail`; did you mean `serial`?");
}

#[test]
fn a_missing_file_is_answered_with_what_a_project_would_do() {
    let folder = tempfile::tempdir().unwrap();
    for (name, status) in [("run", 125), ("check", 2)] {
        let output = command([name]).current_dir(&folder).output().unwrap();
        Ended::of(output)
            .with_status(status)
            .saying("there is no tenterhook.toml here")
            .saying("`tenterhook new NAME`");
    }
}
