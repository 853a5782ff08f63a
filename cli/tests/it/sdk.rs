//! Hooks that are written with the SDK: what they report when something is wrong, and
//! how small they are.

mod size;

use std::path::{Path, PathBuf};

use serde_json::Value;
use tenterhook_sdk::log::LogLine;
use tenterhook_tests_artifacts::{self as artifacts, foreach_sdk};

use crate::tenterhook::{Finished, command};

/// The guests of this suite, as constants of this test alone: a guest that no test
/// names does not compile here.
#[deny(dead_code, reason = "every guest has a test")]
mod guests {
    macro_rules! guest {
        ($name:ident) => {
            pub(super) const $name: &str = tenterhook_tests_artifacts::$name;
        };
    }
    super::foreach_sdk!(guest);
}

fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../guest-examples")
        .join(file)
}

/// Runs a guest for an event; answers how it ended and its verdict.
fn run(guest: impl AsRef<Path>, flags: &[&str]) -> (Finished, Value) {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let output = command(["run", "--report"])
        .arg(&report)
        .args(flags)
        .arg(guest.as_ref())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    (Finished::of(output), report["verdict"].clone())
}

/// The same for an event of the catalog, with its sample data.
fn run_for(event: &str, guest: &str) -> (Finished, Value) {
    run(guest, &["--event", event])
}

#[test]
fn a_typed_hook_has_the_output_and_verdict_of_a_bare_module() {
    let (bare, _) = run_for("PreFormatDisk", guests::SDK_BARE);
    let (hook, verdict) = run_for("PreFormatDisk", guests::SDK_HELLO);
    assert_eq!(bare.with_status(0).stdout, "hello /dev/sdc\n");
    assert_eq!(hook.with_status(0).stdout, "hello /dev/sdc\n");
    assert_eq!(verdict, Value::Null);

    for guest in [guests::SDK_BARE_ALLOW, guests::SDK_ALLOW] {
        let (result, verdict) = run_for("PreFormatDisk", guest);
        assert_eq!(result.with_status(0).stdout, "hello /dev/sdc\n");
        assert_eq!(verdict["allow"], true);
    }
}

#[test]
fn a_component_does_what_the_module_does() {
    let (result, verdict) = run_for("PreFormatDisk", artifacts::SDK_ALLOW_COMPONENT);
    assert_eq!(result.with_status(0).stdout, "hello /dev/sdc\n");
    assert_eq!(verdict["allow"], true);
}

#[test]
fn a_hook_that_panics_names_the_line() {
    let (result, _) = run(guests::SDK_PANIC, &[]);
    let result = result.with_status(101);
    assert_eq!(result.stdout, "looking\n");
    let line = "error: panicked at tests/guests/src/bin/sdk_panic.rs:8:20: \
        index out of bounds: the len is 0 but the index is 17\n";
    assert!(result.stderr.contains(line), "{result:#?}");
    assert!(!result.stderr.contains("unreachable"), "{result:#?}");
}

#[test]
fn a_missing_parameter_is_reported_with_the_available_ones() {
    let (result, _) = run_for("PreFormatDisk", guests::SDK_PARAMETER);
    result.with_status(1).with_stderr(
        "error: the event has no parameter `sizeByte` (did you mean `size_bytes`?); \
         there are: device, hostname, role, serial, size_bytes\n",
    );
}

#[test]
fn an_error_is_one_line_with_its_source() {
    let (result, verdict) = run(guests::SDK_ERROR, &[]);
    result
        .with_status(1)
        .with_stderr("error: cannot read the size of the disk: invalid digit found in string\n");
    assert_eq!(verdict, Value::Null);
}

#[test]
fn an_event_of_another_type_is_refused_with_where_to_bind_the_hook() {
    let (result, _) = run_for("OnAudit", guests::SDK_HELLO);
    result.with_status(2).with_stderr(
        "error: this hook is for PreFormatDisk; the event is OnAudit: bind the hook to PreFormatDisk",
    );
}

#[test]
fn without_an_event_a_typed_hook_says_how_to_get_one() {
    let (result, _) = run(guests::SDK_HELLO, &[]);
    result
        .with_status(2)
        .with_stderr("error: this run has no event");
}

#[test]
fn a_missing_member_of_an_event_is_named_with_its_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.json");
    std::fs::write(&data, r#"{"hostname": "node-3"}"#).unwrap();
    let flags = ["--event", "PreFormatDisk", "--data", data.to_str().unwrap()];
    let (result, _) = run(guests::SDK_HELLO, &flags);
    result.with_status(2).with_stderr(
        "error: the event PreFormatDisk has no `device` (path of the disk, such as /dev/sdc) in its data",
    );
}

#[test]
fn data_that_does_not_suit_the_hooks_own_type_names_the_member() {
    let event = example("volume-guard/tests/odd.event.json");
    let flags = ["--event", event.to_str().unwrap()];
    let (result, _) = run(artifacts::VOLUME_GUARD, &flags);
    result.with_status(2).with_stderr(
        "error: `data.usedBytes` of the event PreFormatDisk: invalid type: string \"much\", expected u64\n",
    );
}

#[test]
fn a_too_long_verdict_is_a_failure_with_that_reason() {
    let (result, verdict) = run(guests::SDK_LONG_VERDICT, &[]);
    result
        .with_status(2)
        .with_stderr("error: the verdict has 80027 bytes, and no more than 65536 are read");
    assert_eq!(verdict, Value::Null);
}

#[test]
fn log_lines_are_structured_and_obey_the_hooks_variable() {
    let lines = |flags: &[&str]| -> Vec<LogLine> {
        let (result, _) = run(guests::SDK_TOLD, flags);
        let stderr = result.with_status(0).stderr;
        stderr.lines().filter_map(LogLine::parse).collect()
    };
    let event = ["--event", "OnHealthRecover", "--env", "OWN=mine"];
    let logged = lines(&event);
    assert_eq!(logged.len(), 2);
    assert_eq!(logged[0].message, "told of OnHealthRecover");
    assert_eq!(logged[0].fields["attempt"], 1);
    assert_eq!(logged[0].fields["has_time"], true);
    assert_eq!(logged[0].fields["args"][1], "HEALTH_OK");
    assert!(logged[0].fields["fuel"].as_u64().unwrap() > 0);
    assert_eq!(logged[1].to_string(), "WARN  mine");

    let all = lines(&[&event[..], &["--env", "HOOK_LOG=debug"]].concat());
    assert_eq!(all[0].message, "nobody asked for this");
    assert!(lines(&[&event[..], &["--env", "HOOK_LOG=off"]].concat()).is_empty());
}

/// The examples' own unit tests say what they answer; here is the same in the sandbox.
#[test]
fn the_examples_judge_their_sample_events_in_the_sandbox() {
    let judged = |guest: &str, event: &str| {
        let event = example(event);
        let (result, verdict) = run(guest, &["--event", event.to_str().unwrap()]);
        (result.with_status(0), verdict)
    };
    let guard = artifacts::VOLUME_GUARD;
    let (result, verdict) = judged(guard, "volume-guard/tests/in-use.event.json");
    assert_eq!(result.stdout, "/dev/sdc still holds 73014444032 bytes\n");
    assert_eq!(verdict["allow"], false);
    assert_eq!(verdict["usedBytes"], 73_014_444_032_u64);
    let (_, verdict) = judged(guard, "volume-guard/tests/empty.event.json");
    assert_eq!(verdict["allow"], true);
    let (_, verdict) = judged(guard, "volume-guard/tests/nobody-looked.event.json");
    assert_eq!(verdict["allow"], false);

    let workflow = artifacts::MAINTENANCE_WORKFLOW;
    for (event, next) in [
        ("empty-host", "START_MAINTENANCE"),
        ("keep-spare", "SCALE_IN"),
        ("enough-spare", "PREPARE_MAINTENANCE"),
        ("no-spare-left", "MAINTENANCE_FAILED"),
        ("enough-done", "MAINTENANCE_COMPLETE"),
    ] {
        let event = format!("maintenance-workflow/tests/{event}.event.json");
        let (_, verdict) = judged(workflow, &event);
        assert_eq!(verdict["next"], next, "{event}");
    }

    let redaction = artifacts::AUDIT_REDACTION;
    let (result, verdict) = judged(redaction, "audit-redaction/tests/new-user.event.json");
    let line = result.stderr.lines().find_map(LogLine::parse).unwrap();
    assert_eq!(line.fields["body"]["password"], "***");
    assert_eq!(line.fields["user"], "a***");
    assert_eq!(verdict, Value::Null);
}
