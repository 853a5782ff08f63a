//! `event`: the catalog, and sample events that everything else takes.

use serde_json::Value;

use crate::tenterhook::{Finished, Program, command};

fn event(args: &[&str]) -> Finished {
    Finished::of(command(["event"].iter().chain(args)).output().unwrap())
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&event(args).with_status(0).stdout).unwrap()
}

#[test]
fn a_sample_event_is_accepted_by_run_as_a_file_and_on_standard_input() {
    let script = Program::script("jq -r .id /event.json; jq -r .serial; echo $HOOK_PARAM_ROLE");
    let sample = event(&["PreFormatDisk", "--id", "e1"])
        .with_status(0)
        .stdout;
    let expected = "e1\nWD-WCC7K4AB\nosd\n";
    let file = script.beside("first.event.json", &sample);
    let result = script.run(&["--event", file.to_str().unwrap()]);
    assert_eq!(result.with_status(0).stdout, expected);
    let result = script.run_with_stdin(&["--event", "-"], sample.as_bytes());
    assert_eq!(result.with_status(0).stdout, expected);
}

#[test]
fn an_id_is_new_each_time_unless_it_is_given() {
    let [one, other] = [(); 2].map(|()| json(&["OnAudit"]));
    assert_ne!(one["id"], other["id"]);
    assert_eq!(one["data"], other["data"]);
    let fixed = ["OnAudit", "--id", "a", "--time", "2026-03-10T16:15:50Z"];
    assert_eq!(event(&fixed).stdout, event(&fixed).stdout);
    assert_eq!(json(&fixed)["time"], "2026-03-10T16:15:50Z");
}

#[test]
fn members_can_be_set_with_the_types_of_the_catalog() {
    let set = [
        "--set",
        "serial=42",
        "--set",
        "sizeBytes=42",
        "--set",
        "x=[1]",
    ];
    let line: Vec<_> = ["PreFormatDisk"].iter().chain(&set).copied().collect();
    let data = &json(&line)["data"];
    assert_eq!(data["serial"], "42");
    assert_eq!(data["sizeBytes"], 42);
    assert_eq!(data["x"], serde_json::json!([1]));
    assert_eq!(data["role"], "osd");
    event(&["PreFormatDisk", "--set", "sizeBytes=large"])
        .with_status(2)
        .with_stderr("`sizeBytes` must be a whole number");
    event(&["PreFormatDisk", "--set", "role"])
        .with_status(2)
        .with_stderr("must be a name and a value");
}

#[test]
fn a_custom_event_starts_empty() {
    let own = json(&["custom.deployed", "--set", "version=3"]);
    assert_eq!(own["type"], "custom.deployed");
    assert_eq!(own["data"], serde_json::json!({"version": 3}));
}

#[test]
fn the_data_alone_is_accepted_by_run_as_data() {
    let script = Program::script("jq -r .serial");
    let data = event(&["PreFormatDisk", "--data-only"])
        .with_status(0)
        .stdout;
    let file = script.beside("data.json", data);
    let result = script.run(&["--data", file.to_str().unwrap()]);
    assert_eq!(result.with_status(0).stdout, "WD-WCC7K4AB\n");
}

#[test]
fn without_a_name_the_whole_catalog_is_listed() {
    let list = event(&[]).with_status(0).stdout;
    for part in [
        "croit's hooks",
        "  PreFormatDisk ",
        "  snapshot.pre ",
        "custom.NAME",
    ] {
        assert!(list.contains(part), "{part}: {list}");
    }
    assert!(!list.contains('\u{1b}'), "{list}");
    let points = json(&["--json"]);
    let points = points.as_array().unwrap();
    assert!(points.len() > 20);
    for point in points {
        for member in ["name", "face", "description", "parameters", "sample"] {
            assert!(!point[member].is_null(), "{member}: {point}");
        }
    }
}

#[test]
fn colours_are_used_only_where_wanted() {
    let forced = |name: &str| {
        let mut list = command(["event"]);
        list.env("CLICOLOR_FORCE", "1");
        list.env(name, "1");
        Finished::of(list.output().unwrap()).stdout
    };
    assert!(forced("LANG").contains("\u{1b}[1mcroit's hooks"));
    assert!(!forced("NO_COLOR").contains('\u{1b}'));
}
