//! `test`: numbers are compared and recorded by their text, whatever a float can hold.

use crate::project::{Project, document};

const MANIFEST: &str = "name = \"guard\"\nevent = \"OnAudit\"\nprogram = \"hook.sh\"\n";

const EVENT: &str =
    r#"{"specversion":"1.0","id":"7","source":"/tests","type":"OnAudit","data":{}}"#;

/// A hook that leaves this verdict; with a test, `one`, and its expectation.
fn project(verdict: &str, expected: Option<&str>) -> Project {
    let script = format!("echo '{verdict}' > /verdict.json\n");
    let project = Project::by_hand(MANIFEST, &script);
    project.write("tests/one.event.json", EVENT);
    if let Some(expected) = expected {
        project.write("tests/one.expect.json", expected);
    }
    project
}

#[test]
fn update_records_numbers_as_the_hook_wrote_them() {
    let verdict = r#"{"allow":true,"n":1.10,"big":12345678901234567890123,"e":[1e400,-0]}"#;
    let project = project(verdict, None);
    project.run(&["test", "--update"]).with_status(0);
    assert_eq!(
        project.read("tests/one.expect.json"),
        "{\n  \"status\": 0,\n  \"verdict\": {\n    \"allow\": true,\n    \
         \"big\": 12345678901234567890123,\n    \
         \"e\": [\n      1e400,\n      -0\n    ],\n    \"n\": 1.10\n  }\n}\n"
    );
    project.run(&["test"]).with_status(0);
}

#[test]
fn numbers_that_round_to_the_same_are_told_apart() {
    for (written, expected) in [
        ("12345678901234567890123", "12345678901234567899999"),
        ("1e400", "\"1e400\""),
        ("1.10", "1.1"),
        ("1.0", "1"),
    ] {
        let expected = format!(r#"{{"verdict":{{"allow":true,"n":{expected}}}}}"#);
        let project = project(
            &format!(r#"{{"allow":true,"n":{written}}}"#),
            Some(&expected),
        );
        let result = project.run(&["test"]).with_status(1);
        let shown = format!("+   \"n\": {written}\n");
        assert!(result.stdout.contains(&shown), "{written}: {result:#?}");
        let answer = project.run(&["test", "--json"]).with_status(1).stdout;
        assert!(answer.contains(&format!("\"n\":{written}}}")), "{answer}");
    }
}

#[test]
fn any_number_can_be_expected_however_the_file_is_laid_out() {
    let verdict = r#"{"allow":true,"e":1e400,"list":[1.10, {"b":2,"a":"\u00e4"}]}"#;
    let expected = "{\"verdict\": {\"list\": [1.10, {\n\"\\u0061\": \"ä\", \"b\": 2}],\
                    \"e\":  1e400, \"allow\": true}}";
    let project = project(verdict, Some(expected));
    project.run(&["test"]).with_status(0);
}

#[test]
fn log_lines_are_compared_and_shown_with_the_text_of_their_numbers() {
    let script = "echo '{\"level\":\"info\",\"message\":\"m\",\"n\":1.10}' >&2\n";
    let project = Project::by_hand(MANIFEST, script);
    project.write("tests/one.event.json", EVENT);
    project.write("tests/one.expect.json", r#"{"logs":[{"n":1.10}]}"#);
    project.run(&["test"]).with_status(0);
    project.write("tests/one.expect.json", r#"{"logs":[{"n":1.1}]}"#);
    let result = project.run(&["test"]).with_status(1);
    assert!(result.stdout.contains(r#"- {"n":1.1}"#), "{result:#?}");
    assert!(result.stdout.contains(r#""n":1.10}"#), "{result:#?}");
    project.run(&["test", "--update"]).with_status(0);
    let written = project.read("tests/one.expect.json");
    assert!(written.contains("\"n\": 1.10\n"), "{written}");
}

#[test]
fn an_expectation_that_is_nested_too_deeply_fails_its_test_alone() {
    let deep = format!(
        r#"{{"verdict":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let project = project("{}", Some(&deep));
    project.write("tests/two.event.json", EVENT);
    project.write("tests/two.expect.json", "{}");
    let answer = document(&project.run(&["test", "--json"]).with_status(1));
    assert_eq!(
        (&answer["passed"], &answer["failed"]),
        (&1.into(), &1.into())
    );
    let error = answer["tests"][0]["error"].as_str().unwrap();
    assert!(error.contains("100 levels"), "{error}");
}
