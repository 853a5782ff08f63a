//! `check`: every refusal that an upload could get, with its reason.

use serde_json::Value;
use tenterhook_tests_artifacts::handmade;

use crate::tenterhook::{Finished, Program, command};
use crate::tiny;

#[track_caller]
fn refused(program: &Program, reason: &str) {
    let result = program.check().with_status(1);
    let verdict = result
        .stdout
        .lines()
        .find(|line| line.starts_with("verdict "));
    let verdict = verdict.unwrap_or_else(|| panic!("no verdict in {result:?}"));
    assert!(
        verdict.contains("refused: ") && verdict.contains(reason),
        "`{reason}` is not in: {verdict}"
    );
}

#[test]
fn a_script_is_accepted_with_kind_size_and_digest() {
    let result = Program::script("#!/bin/sh\necho hi\n")
        .check()
        .with_status(0);
    lines(
        &result.stdout,
        &[
            "kind       script",
            "size       18 bytes",
            "digest     sha256:",
            "verdict    accepted",
        ],
    );
}

#[test]
fn a_module_is_accepted_with_its_imports() {
    let result = Program::module(tiny::exiting(0)).check().with_status(0);
    lines(
        &result.stdout,
        &[
            "kind       module",
            "functions  1",
            "imports    1",
            "           wasi_snapshot_preview1::proc_exit",
            "compiled   in ",
            "verdict    accepted",
        ],
    );
}

/// Fails unless each of `wanted` begins a line of `page`, in this order.
#[track_caller]
fn lines(page: &str, wanted: &[&str]) {
    let mut rest = page.lines();
    for line in wanted {
        assert!(
            rest.any(|own| own.starts_with(line)),
            "`{line}` is not in its place in\n{page}"
        );
    }
}

#[test]
fn an_unparsable_script_is_reported_with_its_position_and_status_1() {
    let script = Program::script("#!/bin/sh\nqm stop 1\necho b )\n");
    let ended = script.check().with_status(1);
    lines(
        &ended.stdout,
        &[
            "verdict    accepted",
            "warning    2:1: the sandbox has no command `qm`",
            "error      3:8: syntax error",
        ],
    );
    let mut check = command(["check", "--json"]);
    let ended = check.arg(&script.path).output().unwrap();
    let found: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(found["accepted"], true, "{found}");
    assert_eq!(found["warnings"][0]["severity"], "warning", "{found}");
    assert_eq!(found["warnings"][1]["line"], 3, "{found}");
}

#[test]
fn an_unknown_command_is_only_a_warning() {
    let script = Program::script("command -v pct && pct list\nf() { :; }; f\nqm list | jq .\n");
    let ended = script.check().with_status(0);
    lines(
        &ended.stdout,
        &["warning    3:1: the sandbox has no command `qm`"],
    );
    assert!(!ended.stdout.contains("pct"), "{ended:?}");
    let sound = Program::script("echo hi\n").check().with_status(0);
    assert!(!sound.stdout.contains("warning"), "{sound:?}");
}

#[test]
fn another_interpreter_is_refused() {
    refused(
        &Program::script("#!/usr/bin/env python3\nprint(1)\n"),
        "asks for the interpreter `/usr/bin/env python3`; only sh, dash and bash are offered",
    );
}

#[test]
fn junk_is_refused() {
    refused(&Program::script("echo \0"), "is not text: byte 5 is NUL");
    refused(
        &Program::new("hook.sh", b"\x7fELF\x02\x01\x01\xff"),
        "is not text",
    );
}

#[test]
fn a_script_that_is_too_long_is_refused() {
    refused(
        &Program::new("hook.sh", vec![b'#'; 96 * 1024 + 1]),
        "has 98305 bytes; at most 98304",
    );
}

#[test]
fn a_truncated_module_is_refused() {
    let whole = tiny::exiting(0);
    refused(
        &Program::module(&whole[..whole.len() - 3]),
        "not a valid module",
    );
    refused(&Program::module(b"\0asm"), "not a valid module");
}

#[test]
fn an_import_that_is_not_offered_is_named() {
    refused(
        &Program::module(tiny::importing("env", "launch")),
        "imports `env::launch`",
    );
    refused(
        &Program::module(tiny::importing("wasi_snapshot_preview1", "fd_teleport")),
        "imports `wasi_snapshot_preview1::fd_teleport`",
    );
}

#[test]
fn a_proposal_that_is_switched_off_is_named() {
    refused(
        &Program::module(tiny::threaded()),
        "uses the `threads` proposal",
    );
}

#[test]
fn a_library_is_refused() {
    refused(
        &Program::module(tiny::reactor()),
        "does not export `_start`",
    );
}

#[test]
fn a_module_beyond_the_servers_own_bound_is_refused() {
    let module = Program::module(tiny::exiting(0));
    let output = command(["check", "--max-module", "10"])
        .arg(&module.path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("at most 10 are accepted"), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_file_too_large_for_any_program_is_refused_with_its_own_size() {
    let module = Program::module("\0asm");
    let file = std::fs::File::options()
        .write(true)
        .open(&module.path)
        .unwrap();
    file.set_len(140_000_000).unwrap();
    refused(&module, "the module has 140000000 bytes; at most 33554432");
    module
        .run(&[])
        .with_status(125)
        .with_stderr("the module has 140000000 bytes; at most 134217728");
}

#[test]
fn a_trial_has_the_stack_that_is_asked_for() {
    let deep = Program::module(handmade::recursing(50_000));
    for (stack, outcome) in [("512KiB", "exhausted at 512 KiB"), ("8MiB", "status 0")] {
        let output = command(["check", "--trial", "--stack", stack])
            .arg(&deep.path)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(outcome), "{text}");
    }
}

#[test]
fn a_component_that_imports_http_is_accepted_with_a_warning() {
    let http = std::fs::read(tenterhook_tests_artifacts::CONTAINED_HTTP).unwrap();
    let result = Program::module(http).check().with_status(0);
    for part in [
        "wasi:http/outgoing-handler@0.2",
        "accepted",
        "hooks have no network: a request over HTTP fails with `HTTP-request-denied`",
    ] {
        assert!(result.stdout.contains(part), "{result:#?}");
    }
    let result = Program::module(tiny::exiting(0)).check();
    assert!(!result.stdout.contains("HTTP"), "{result:#?}");
}

#[test]
fn guest_text_in_a_refusal_cannot_control_the_terminal() {
    let script = Program::script("#!/bin/\u{1b}[2Jzsh\n");
    let module = Program::module(tiny::exporting_twice("evil\u{1b}[2J"));
    for program in [script, module] {
        let checked = program.check().with_status(1);
        assert!(!checked.stdout.contains('\u{1b}'), "{checked:?}");
        let run = program.run(&[]).with_status(125);
        assert!(!run.stderr.contains('\u{1b}'), "{run:?}");
    }
}

#[test]
fn an_unreadable_file_is_reported() {
    let output = command(["check", "/nonexistent"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot read /nonexistent"));
}

#[test]
fn a_trial_shows_the_usage_of_one_run() {
    let script = "echo out; echo '{\"allow\":false,\"reason\":\"in use\"}' > /verdict.json";
    let script = Program::script(script);
    let mut check = command(["check", "--event", "PreFormatDisk"]);
    let result = Finished::of(check.arg(&script.path).output().unwrap()).with_status(0);
    lines(
        &result.stdout,
        &[
            "verdict    accepted",
            "trial      one run for PreFormatDisk",
            "fuel       ",
            "memory     ",
            "time       ",
            "outcome    exited with status 0",
            "answer     denied: in use",
        ],
    );
}

#[test]
fn a_trial_that_fails_shows_why_and_leaves_the_status_to_the_upload() {
    let script = Program::script("echo the disk is \u{1b}[2Jgone >&2; exit 3");
    let mut check = command(["check", "--trial"]);
    let result = Finished::of(check.arg(&script.path).output().unwrap()).with_status(0);
    lines(
        &result.stdout,
        &[
            "trial      one run without an event; `--event NAME` gives it one",
            "outcome    exited with status 3",
            "           the disk is ^[[2Jgone",
        ],
    );
}

#[test]
fn findings_are_one_json_document() {
    let json = |program: &Program, status| -> Value {
        let mut check = command(["check", "--json", "--trial"]);
        let result = Finished::of(check.arg(&program.path).output().unwrap());
        serde_json::from_str(&result.with_status(status).stdout).unwrap()
    };
    let found = json(&Program::module(tiny::exiting(3)), 0);
    assert_eq!(found["kind"], "module");
    assert_eq!(found["accepted"], true);
    assert_eq!(found["functions"], 1);
    let imports = serde_json::json!(["wasi_snapshot_preview1::proc_exit"]);
    assert_eq!(found["imports"], imports);
    assert!(found["compile_us"].as_u64().unwrap() > 0);
    let trial = &found["trial"];
    assert_eq!(trial["exit_status"], 3);
    assert_eq!(trial["limits"]["fuel"], 10_000_000_000_u64);
    assert!(trial["usage"]["fuel"].as_u64().unwrap() > 0, "{trial}");

    let refused = json(&Program::module(tiny::reactor()), 1);
    assert_eq!(refused["accepted"], false);
    assert!(refused["reason"].as_str().unwrap().contains("`_start`"));
    assert_eq!(refused["trial"], Value::Null);
}
