//! An unusable verdict is reported with what is wrong and where, by `run` and
//! by a server, and never taken for a yes.

use serde_json::{Value, json};
use tenterhook_tests_artifacts as artifacts;

use crate::api::Owner;
use crate::server::Server;
use crate::tenterhook::{Finished, Program, command};

/// Contents of `/verdict.json`, and the fault that must be reported.
const UNUSABLE: [(&str, &str); 5] = [
    (
        r#"{"allow":"false"}"#,
        "`allow` must be true or false, not \"false\" (line 1, column 10)",
    ),
    (
        r#"{"allow":false,"reason":7}"#,
        "`reason` must be text, not 7",
    ),
    (
        "{'allow': false}",
        "key must be a string (line 1, column 2)",
    ),
    (
        "false",
        "must be an object such as {\"allow\":true}, not false",
    ),
    ("", "it is empty"),
];

#[test]
fn an_unusable_verdict_is_reported_with_its_position() {
    let script = Program::script("printf %s \"$1\" > /verdict.json");
    for (text, expected) in UNUSABLE {
        for program in [script.path.as_path(), artifacts::FRIENDLY_VERDICT.as_ref()] {
            let mut run = command(["run", "--report", "-"]);
            run.arg(program).arg(text);
            let result = Finished::of(run.output().unwrap()).with_status(0);
            let report: Value = serde_json::from_str(&result.stdout).unwrap();
            let fault = report["verdict_fault"].as_str().unwrap();
            assert!(fault.contains(expected), "{fault}");
            assert_eq!(report["verdict"], Value::Null);
            assert_eq!(report["outcome"], json!({"kind": "exited", "status": 0}));
            let result = result.with_stderr("tenterhook: /verdict.json cannot be used: ");
            result
                .with_stderr(expected)
                .with_stderr("a server treats that as a failure of the hook");
        }
    }
}

#[test]
fn a_verdict_that_is_too_long_or_not_a_text_file_is_reported() {
    for (script, expected) in [
        (
            "head -c 65537 /dev/zero > /verdict.json",
            "more than 65536 bytes",
        ),
        (
            "printf '{\"a\":\"\\377\"}' > /verdict.json",
            "not UTF-8 from byte 6",
        ),
        ("mkdir /verdict.json", "it is not a regular file"),
    ] {
        Program::script(script)
            .run(&[])
            .with_status(0)
            .with_stderr(expected);
    }
}

#[test]
fn a_denial_is_reported_and_the_status_remains_the_programs() {
    let script =
        "echo '{\"allow\":false,\"reason\":\"the disk is in \\u001b[2J use\"}' > /verdict.json";
    let result = Program::script(script).run(&[]).with_status(0);
    assert_eq!(result.stdout, "");
    assert_eq!(
        result.stderr,
        "tenterhook: denied: the disk is in ^[[2J use\n"
    );
    let script = "echo '{\"allow\":false}' > /verdict.json; exit 3";
    let result = Program::script(script).run(&[]).with_status(3);
    result.with_stderr("denied, without a reason");
    let script = "echo '{\"allow\":true,\"reason\":\"fine\"}' > /verdict.json";
    assert_eq!(Program::script(script).run(&[]).stderr, "");
}

#[test]
fn a_server_denies_on_behalf_of_a_hook_with_an_unusable_verdict() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let owner = Owner::of(&server, data.path());
    let script = "echo '{\"allow\":\"false\"}' > /verdict.json\n";
    let source = owner.source("guard", script);
    owner.post(
        "/api/v1/hooks",
        &json!({"source": source, "event": "PreFormatDisk"}),
    );

    let task = owner.fire_and_wait(&json!({
        "specversion": "1.0", "id": "1", "source": "/tests", "type": "PreFormatDisk",
        "data": {"device": "/dev/sdc"},
    }));

    assert_eq!(task["allow"], false, "{task}");
    let execution = &task["executions"][0];
    assert_eq!(execution["state"], "FAILED");
    assert_eq!(execution["outcome"], json!({"kind": "exited", "status": 0}));
    let fault = execution["verdict_fault"].as_str().unwrap();
    assert!(fault.contains("(line 1, column 10)"), "{fault}");
    assert!(
        task["reasons"]
            .to_string()
            .contains("must be true or false"),
        "{task}"
    );
    let of_croit = owner.get(&format!("/api/tasks/{}", task["number"]));
    assert!(
        of_croit["output"].as_str().unwrap().contains(fault),
        "{of_croit}"
    );
}
