//! What a script gets and what it returns: arguments, variables, event, verdict.

use crate::harness::{printed, run, status};
use tenterhook_shell::{Job, Verdict};

#[test]
fn arguments_are_positional_parameters_under_the_scripts_name() {
    let mut job = Job::new("echo \"$0 $# $1 $2\"");
    job.name = "hook".into();
    job.arguments = vec!["a b".into(), "c".into()];
    assert_eq!(run(job).text(), "/hooks/hook 2 a b c\n");
}

#[test]
fn a_script_sees_only_the_given_variables_and_the_shells_own() {
    let mut job = Job::new("env | cut -d= -f1 | sort | tr '\\n' ' '; echo $HOOK_EVENT");
    job.environment = vec![("HOOK_EVENT".into(), "deploy=now".into())];
    assert_eq!(
        run(job).text(),
        "HOME HOOK_EVENT PATH PWD SHLVL USER deploy=now\n"
    );
}

#[test]
fn given_variables_override_the_defaults() {
    let mut job = Job::new("echo $HOME; sh -c 'echo $PATH'");
    job.environment = vec![("HOME".into(), "/h".into()), ("PATH".into(), "/p".into())];
    assert_eq!(run(job).text(), "/h\n/p\n");
}

#[test]
fn a_script_starts_as_root_in_an_empty_folder() {
    assert_eq!(
        printed("pwd; ls -A; id -u; whoami; echo $UID; echo ~"),
        "/work\n0\nroot\n0\n/root\n"
    );
}

#[test]
fn the_event_is_a_read_only_file() {
    let mut job = Job::new(
        "jq -r .id /event.json; stat -c %a /event.json; echo x 2>&1 >> /event.json; rm -f /event.json; cat /event.json",
    );
    job.event = Some(b"{\"id\":\"7\"}".to_vec());
    let answer = run(job);
    assert_eq!(answer.text(), "7\n444\n{\"id\":\"7\"}");
    assert!(
        answer.errors().contains("Read-only file system"),
        "{}",
        answer.errors()
    );
}

#[test]
fn without_an_event_there_is_no_such_file() {
    assert_eq!(status("test -e /event.json"), 1);
}

#[test]
fn the_verdict_is_the_content_of_the_file_after_the_exit_trap() {
    let answer = run(Job::new(
        "trap 'echo \"{}\" > /verdict.json' EXIT; echo early > /verdict.json; exit 3",
    ));
    assert_eq!(answer.ended.status, 3);
    assert_eq!(answer.ended.verdict, Verdict::Text(b"{}\n".into()));
}

#[test]
fn an_unusable_verdict_is_passed_to_the_engine_unchanged() {
    for (script, left) in [
        ("true", Verdict::None),
        (": > /verdict.json", Verdict::Text(vec![])),
        ("mkdir /verdict.json", Verdict::NotRegular),
        (
            "head -c 70000 /dev/zero > /verdict.json",
            Verdict::Text(vec![0; 70_000]),
        ),
    ] {
        let answer = run(Job::new(script));
        assert_eq!((answer.ended.status, &*answer.errors()), (0, ""));
        assert!(answer.ended.verdict == left, "{script}");
    }
}

#[test]
fn exit_statuses_are_those_of_a_process() {
    assert_eq!(status("exit 255"), 255);
    assert_eq!(status("exit 256"), 0);
    assert_eq!(status("nosuchcommand"), 127);
    assert_eq!(status("kill -TERM $$"), 143);
    assert_eq!(status("if then"), 2);
}

#[test]
fn a_seed_determines_randomness_in_the_shell() {
    let random = |seed| {
        let mut job = Job::new("echo $RANDOM $RANDOM");
        job.seed = seed;
        run(job).text()
    };
    assert_eq!(random(7 << 32), random(7 << 32));
    assert_ne!(random(7 << 32), random(8 << 32));
}

#[test]
fn the_first_line_is_line_one_and_syntax_errors_show_the_script_alone() {
    assert_eq!(printed("echo $LINENO $SECONDS\necho $LINENO"), "1 0\n2\n");
    assert_eq!(printed("#!/bin/sh\necho $LINENO"), "2\n");
    let errors = run(Job::new("if then fi\n")).errors();
    assert!(errors.contains("line 1: `if then fi'"), "{errors}");
    assert!(!errors.contains("RANDOM"), "{errors}");
}
