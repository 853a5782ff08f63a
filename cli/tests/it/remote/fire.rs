//! `fire`: what hooks decide about an event, and the exit status for it.

use serde_json::{Value, json};

use super::Workspace;

const VETO: &str = "read -r data
echo \"looked at $data\"
case $data in *WD-1*) echo '{\"allow\":false,\"reason\":\"WD-1 is in use\"}' > /verdict.json;; esac
";

#[test]
fn an_event_is_allowed_or_denied_and_the_status_shows_which() {
    let workspace = Workspace::new();
    workspace.project(VETO, "[hook]\nfailure_policy = \"closed\"\n");
    workspace.push(&[]).with_status(0);
    let allowed = workspace
        .run(["fire", "custom.go", "--set", "serial=X-2"])
        .with_status(0);
    assert!(
        allowed
            .stdout
            .starts_with("task 1 (custom.go): allowed\n  guard FINISHED, exited with status 0  ["),
        "{allowed:?}"
    );
    assert!(allowed.stdout.contains(" fuel, "), "{allowed:?}");
    assert!(
        allowed.stdout.contains("| looked at {\"serial\":\"X-2\"}"),
        "{allowed:?}"
    );
    let denied = workspace
        .run(["fire", "custom.go", "--set", "serial=WD-1"])
        .with_status(1);
    assert!(
        denied.stdout.contains("denied") && denied.stdout.contains("deny: WD-1 is in use"),
        "{denied:?}"
    );
}

#[test]
fn an_event_comes_from_a_file_and_only_once() {
    let workspace = Workspace::new();
    workspace.project("cat\n", "");
    workspace.push(&[]).with_status(0);
    let file = workspace.project.path().join("first.event.json");
    let event = json!({
        "specversion": "1.0", "id": "e1", "source": "/tests", "type": "custom.go", "data": {"a": 1},
    });
    std::fs::write(&file, event.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let first = workspace.run(["fire", file]).with_status(0);
    assert!(!first.stderr.contains("posted before"), "{first:?}");
    let again = workspace
        .run(["fire", file])
        .with_status(0)
        .with_stderr("posted before");
    assert!(again.stdout.starts_with("task 1 "), "{again:?}");
    let another = workspace.json(&["fire", file, "--id", "e2", "--set", "b=[2]"]);
    assert_eq!(
        (&another["event"]["data"], &another["repeated"]),
        (&json!({"a": 1, "b": [2]}), &json!(false))
    );
}

#[test]
fn an_event_of_the_catalog_has_sample_data_only_on_request() {
    let workspace = Workspace::new();
    let server = workspace
        .owner()
        .post("/api/servers", &json!({"name": "node-1"}));
    let reply = workspace.json(&["fire", "PreFormatDisk", "--sample", "--on", "node-1"]);
    assert!(
        reply["event"]["data"].as_object().unwrap().len() > 1,
        "{reply}"
    );
    assert_eq!(reply["event"]["serverid"], "node-1");
    let number = server["id"].to_string();
    let reply = workspace.json(&["fire", "PreFormatDisk", "--on", &number]);
    assert_eq!(reply["event"]["data"], Value::Null);
    let data = workspace.project.path().join("data");
    std::fs::write(&data, "[1]").unwrap();
    let reply = workspace.json(&["fire", "custom.go", "--data-file", data.to_str().unwrap()]);
    assert_eq!(reply["event"]["data"], json!([1]));
}

#[test]
fn data_is_sent_and_replies_are_printed_with_the_text_of_their_numbers() {
    let workspace = Workspace::new();
    workspace.project(
        "cat; echo '{\"n\":1.10,\"far\":1e400}' > /verdict.json\n",
        "",
    );
    workspace.push(&[]).with_status(0);
    let data = workspace.project.path().join("data");
    std::fs::write(
        &data,
        r#"{"z":1.10,"a":12345678901234567890123,"s":"\ud83d","a":2}"#,
    )
    .unwrap();
    let data = data.to_str().unwrap();
    let reply = workspace
        .run([
            "fire",
            "custom.go",
            "--data-file",
            data,
            "--set",
            "a=0.50",
            "--json",
        ])
        .with_status(0)
        .stdout;
    assert!(
        reply.contains(r#""data":{"z":1.10,"s":"\ud83d","a":0.50}}"#),
        "{reply}"
    );
    assert!(
        reply.contains(r#""verdict":{"far":1e400,"n":1.10}"#),
        "{reply}"
    );
    let listed = workspace.run(["executions", "--json"]).with_status(0);
    assert!(
        listed
            .stdout
            .contains(r#""verdict":{"far":1e400,"n":1.10}"#),
        "{listed:?}"
    );
    workspace.run(["executions"]).with_status(0);
}

#[test]
fn an_event_that_does_not_finish_in_time_has_a_distinct_status() {
    let workspace = Workspace::new();
    workspace.project("sleep 1h\n", "");
    workspace.push(&[]).with_status(0);
    let reply = workspace
        .run(["fire", "custom.go", "--wait", "0.05"])
        .with_status(3);
    assert!(
        reply.stdout.contains("tenterhook logs --task 1 -f"),
        "{reply:?}"
    );
    workspace
        .run(["fire", "custom.go", "--no-wait"])
        .with_status(0);
}

#[test]
fn an_invalid_event_is_reported_before_it_is_sent() {
    let workspace = Workspace::new();
    for (args, reply) in [
        (&["fire", "PreFormatDsk"][..], "did you mean PreFormatDisk?"),
        (&["fire", "none.json"], "cannot read none.json"),
        (
            &["fire", "custom.go", "--set", "x"],
            "`--set` must be a name and a value",
        ),
        (
            &["fire", "custom.go", "--wait", "-1"],
            "must be from 0 to 120",
        ),
        (
            &["fire", "custom.go", "--wait", "500"],
            "must be from 0 to 120",
        ),
    ] {
        let args: Vec<String> = match args.iter().position(|arg| *arg == "-1") {
            // A value that begins with a dash has to be joined.
            Some(_) => vec!["fire".into(), "custom.go".into(), "--wait=-1".into()],
            None => args.iter().map(|arg| (*arg).to_owned()).collect(),
        };
        workspace.run(&args).with_status(1).with_stderr(reply);
    }
}
