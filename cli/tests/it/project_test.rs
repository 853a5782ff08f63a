//! `test`: sample events and their expectations.

use serde_json::{Value, json};

use crate::project::{Project, document, tenterhook};

const MANIFEST: &str = "name = \"guard\"\nevent = \"OnAudit\"\nprogram = \"hook.sh\"\n";

/// A complete event with this data.
fn event(data: &Value) -> String {
    json!({
        "specversion": "1.0",
        "id": "7",
        "source": "/tests",
        "type": "OnAudit",
        "time": "2026-03-10T16:15:50Z",
        "data": data,
    })
    .to_string()
}

/// A project with one test, `one`.
fn project(script: &str, expected: Option<&Value>) -> Project {
    let project = Project::by_hand(MANIFEST, script);
    project.write("tests/one.event.json", &event(&json!({"username": "ada"})));
    if let Some(expected) = expected {
        project.write("tests/one.expect.json", &expected.to_string());
    }
    project
}

#[test]
fn a_new_project_passes_its_own_tests() {
    let project = Project::new("shell");
    let result = tenterhook(&project.parent, ["test", "guard"]).with_status(0);
    let lines: Vec<_> = result.stdout.lines().collect();
    assert!(
        lines[0].starts_with("ok    allowed  allowed "),
        "{result:#?}"
    );
    assert!(
        lines[1].starts_with("ok    denied   denied "),
        "{result:#?}"
    );
    for line in &lines[..2] {
        let time = line.rsplit("  ").next().unwrap_or_default();
        assert!(line.contains(" fuel ") && time.ends_with('s'), "{line}");
    }
    assert_eq!(lines[2..], ["2 passed"]);
}

#[test]
fn differences_are_shown_line_by_line() {
    let script = "echo '{\"allow\": false, \"reason\": \"full\"}' > /verdict.json\n\
        echo one; echo three\n\
        echo 'why it is so' >&2\n";
    let expected = json!({
        "status": 1,
        "verdict": {"allow": true, "reason": "full"},
        "stdout": "one\ntwo\nthree\n",
    });
    let result = project(script, Some(&expected))
        .run(&["test"])
        .with_status(1);
    let (first, rest) = result.stdout.split_once('\n').unwrap();
    assert!(first.starts_with("fail  one  denied "), "{first}");
    assert_eq!(
        rest,
        "      status: expected 1, got 0\n      \
         verdict (- expected, + actual):\n          \
             {\n        \
           -   \"allow\": true,\n        \
           +   \"allow\": false,\n            \
               \"reason\": \"full\"\n          \
             }\n      \
         stdout (- expected, + actual):\n          \
             one\n        \
           - two\n          \
             three\n      \
         stderr:\n        \
           why it is so\n\
         0 passed, 1 failed; if these results are intended, `tenterhook test --update` records them\n"
    );
    assert!(
        !result.stdout.contains('\u{1b}'),
        "colours are for terminals"
    );
}

#[test]
fn a_hook_cannot_control_the_terminal_through_its_output() {
    let script = "printf '\\033[2J\\n'; printf '\\033]0;x\\007' >&2; exit 1";
    let result = project(script, Some(&json!({"stdout": ""}))).run(&["test"]);
    let result = result.with_status(1);
    assert!(result.stdout.contains("+ ^[[2J"), "{result:#?}");
    assert!(result.stdout.contains("^[]0;x^G"), "{result:#?}");
    assert!(!result.stdout.contains('\u{1b}'), "{result:#?}");
}

#[test]
fn a_test_without_an_expectation_fails_until_update_writes_it() {
    let project = project("echo hi", None);
    let result = project.run(&["test"]).with_status(1);
    assert!(
        result.stdout.contains("`tenterhook test --update`"),
        "{result:#?}"
    );
    assert!(
        result.stdout.contains("tests/one.expect.json"),
        "{result:#?}"
    );
    let result = project.run(&["test", "--update"]).with_status(0);
    assert!(
        result.stdout.contains("wrote tests/one.expect.json"),
        "{result:#?}"
    );
    assert!(
        result
            .stdout
            .ends_with("1 passed, 1 of them with a new expectation\n")
    );
    assert_eq!(
        project.read("tests/one.expect.json"),
        "{\n  \"status\": 0,\n  \"stdout\": \"hi\\n\"\n}\n"
    );
    project.run(&["test"]).with_status(0);
}

#[test]
fn update_shows_what_it_changes_and_touches_nothing_else() {
    let kept = json!({"status": 0, "stdout": "hi\n", "max_fuel": 1_000_000_000});
    let project = project("echo hi", Some(&kept));
    let before = project.read("tests/one.expect.json");
    project.run(&["test", "--update"]).with_status(0);
    assert_eq!(
        project.read("tests/one.expect.json"),
        before,
        "nothing differs"
    );

    project.write("hook.sh", "echo ho; exit 2");
    let result = project.run(&["test", "--update"]).with_status(0);
    assert!(
        result.stdout.contains("rewrote tests/one.expect.json"),
        "{result:#?}"
    );
    assert!(result.stdout.contains("expected 0, got 2"), "{result:#?}");
    assert!(
        result.stdout.contains("- hi\n") && result.stdout.contains("+ ho\n"),
        "{result:#?}"
    );
    let after: Value = serde_json::from_str(&project.read("tests/one.expect.json")).unwrap();
    assert_eq!(
        after,
        json!({"status": 2, "stdout": "ho\n", "max_fuel": 1_000_000_000})
    );
    project.run(&["test"]).with_status(0);
}

#[test]
fn an_exceeded_budget_fails_even_with_update() {
    let budget = json!({"max_fuel": 10, "max_memory_bytes": 10});
    let project = project(":", Some(&budget));
    for words in [&["test"][..], &["test", "--update"]] {
        let result = project.run(words).with_status(1);
        assert!(
            result.stdout.contains("max_fuel: 10 is allowed, "),
            "{result:#?}"
        );
        assert!(
            result.stdout.contains("max_memory_bytes: 10 is allowed, "),
            "{result:#?}"
        );
    }
    assert_eq!(project.read("tests/one.expect.json"), budget.to_string());
}

#[test]
fn log_lines_are_compared_only_by_expected_members() {
    let script = r#"echo '{"level":"warn","message":"slow","ms":7}' >&2"#;
    let logs = |logs: Value| {
        let expected = json!({"logs": logs});
        project(script, Some(&expected)).run(&["test"]).status
    };
    assert_eq!(logs(json!([{"level": "warn", "message": "slow"}])), Some(0));
    assert_eq!(logs(json!([{"message": "fast"}])), Some(1));
}

#[test]
fn runs_are_reproducible() {
    let project = project(
        "date -u; head -c 8 /dev/urandom | od -An -tx1; echo $RANDOM",
        None,
    );
    project.run(&["test", "--update"]).with_status(0);
    let stdout = project.read("tests/one.expect.json");
    assert!(
        stdout.contains("2026"),
        "the clock stands at the event's time: {stdout}"
    );
    for _ in 0..3 {
        project.run(&["test"]).with_status(0);
    }
}

#[test]
fn a_hook_gets_what_its_manifest_specifies() {
    let project = project(
        "echo \"$GREETING $1 $HOOK_PARAM_USERNAME $HOOK_LIMIT_WALL_MS\"; cat > in; jq -r .id /event.json",
        None,
    );
    let hook =
        "[hook]\nenv = { GREETING = \"hi\" }\nargs = [\"first\"]\nlimits = { wall_ms = 1500 }\n";
    project.write("tenterhook.toml", &format!("{MANIFEST}{hook}"));
    project.write(
        "tests/one.expect.json",
        &json!({"stdout": "hi first ada 1500\n7\n"}).to_string(),
    );
    project.run(&["test"]).with_status(0);
}

#[test]
fn a_hook_that_reaches_a_limit_has_the_status_of_run() {
    let project = project("while :; do :; done", Some(&json!({"status": 137})));
    project.write(
        "tenterhook.toml",
        &format!("{MANIFEST}[hook]\nlimits = {{ fuel = 5_000_000 }}\n"),
    );
    let result = project.run(&["test"]).with_status(0);
    assert!(result.stdout.contains(" over fuel "), "{result:#?}");
    project.write("tests/one.expect.json", "{}");
    let result = project.run(&["test"]).with_status(1);
    assert!(
        result
            .stdout
            .contains("stopped at its fuel limit; `limits` in tenterhook.toml"),
        "{result:#?}"
    );
}

#[test]
fn an_unusable_verdict_fails_whatever_is_expected() {
    let project = project("echo '{not json' > /verdict.json", Some(&json!({})));
    for words in [&["test"][..], &["test", "--update"]] {
        let result = project.run(words).with_status(1);
        assert!(
            result.stdout.contains("      /verdict.json "),
            "{result:#?}"
        );
    }
}

#[test]
fn data_without_an_event_is_refused_with_a_remedy() {
    let project = project(":", None);
    project.write("tests/one.event.json", "{\"username\": \"ada\"}");
    let result = project.run(&["test"]).with_status(1);
    assert!(
        result
            .stdout
            .contains("`specversion`: is required; move its content into the member `data`"),
        "{result:#?}"
    );
    assert!(
        result.stdout.contains("`tenterhook event OnAudit`"),
        "{result:#?}"
    );
}

#[test]
fn an_invalid_file_fails_only_its_own_test() {
    let project = project(":", Some(&json!({})));
    for (name, text, expected) in [
        ("a", "{not json", "is not an event"),
        (
            "b",
            &*event(&json!({})).replace("OnAudit", "PreFormatDisk"),
            "tenterhook.toml has `event = \\\"OnAudit\\\"`",
        ),
        (
            "c",
            &*" ".repeat(256 * 1024 + 1),
            "it has 262145 bytes; at most 262144 are accepted",
        ),
    ] {
        project.write(&format!("tests/{name}.event.json"), text);
        let result = project.run(&["test", name, "--json"]).with_status(1);
        assert!(result.stdout.contains(expected), "{expected}: {result:#?}");
    }
    project.write("tests/d.event.json", &event(&json!({})));
    project.write("tests/d.expect.json", "{\"statsu\": 1}");
    let result = project.run(&["test", "--update"]).with_status(1);
    assert!(
        result.stdout.contains("unknown field `statsu`"),
        "{result:#?}"
    );
    assert_eq!(project.read("tests/d.expect.json"), "{\"statsu\": 1}");
    let answer = document(&project.run(&["test", "--json"]).with_status(1));
    assert_eq!(answer["passed"], 1);
    assert_eq!(answer["failed"], 4);
}

#[test]
fn names_select_tests_and_unknown_ones_are_reported() {
    let project = Project::new("shell");
    let result = project.run(&["test", "denied"]).with_status(0);
    assert!(result.stdout.ends_with("1 passed\n"), "{result:#?}");
    let words = ["test", "guard", "denied"];
    tenterhook(&project.parent, words).with_status(0);
    project
        .run(&["test", "denies"])
        .with_status(1)
        .with_stderr("no folder or test is named \"denies\"; the tests are: allowed, denied");
}

#[test]
fn an_unbuilt_program_is_reported_with_the_build_command() {
    let project = Project::new("c");
    project
        .run(&["test"])
        .with_status(1)
        .with_stderr("./hook.wasm does not exist; `tenterhook build` creates it");
}

#[test]
fn a_project_without_events_is_told_how_to_create_one() {
    let project = Project::by_hand(MANIFEST, ":");
    let expected = "`tenterhook event OnAudit > tests/NAME.event.json`";
    project.run(&["test"]).with_status(1).with_stderr(expected);
    std::fs::remove_dir(project.folder.join("tests")).unwrap();
    project
        .run(&["test"])
        .with_status(1)
        .with_stderr("the folder ./tests does not exist");
}

#[test]
fn results_are_one_json_document() {
    let project = project("exit 3", Some(&json!({"status": 2})));
    project.write("tests/two.event.json", &event(&json!({})));
    project.write("tests/two.expect.json", "{\"status\": 3}");
    let answer = document(&project.run(&["test", "--json"]).with_status(1));
    assert_eq!(
        (&answer["passed"], &answer["failed"]),
        (&json!(1), &json!(1))
    );
    let one = &answer["tests"][0];
    assert_eq!(one["name"], "one");
    assert_eq!(one["result"], "failed");
    assert_eq!(one["outcome"], json!({"kind": "exited", "status": 3}));
    assert_eq!(
        one["differences"],
        json!([{"member": "status", "expected": 2, "actual": 3}])
    );
    assert!(one["usage"]["fuel"].as_u64() > Some(0));
    assert_eq!(answer["tests"][1]["result"], "ok");
}
