//! `fire`: what hooks make of an event, and the status that says so.

use serde_json::{Value, json};

use super::Place;

const VETO: &str = "read -r data
echo \"looked at $data\"
case $data in *WD-1*) echo '{\"allow\":false,\"reason\":\"WD-1 is in use\"}' > /verdict.json;; esac
";

#[test]
fn an_event_is_allowed_or_denied_and_the_status_says_which() {
    let place = Place::new();
    place.project(VETO, "[hook]\nfailure_policy = \"closed\"\n");
    place.push(&[]).with_status(0);
    let allowed = place
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
    let denied = place
        .run(["fire", "custom.go", "--set", "serial=WD-1"])
        .with_status(1);
    assert!(
        denied.stdout.contains("denied") && denied.stdout.contains("deny: WD-1 is in use"),
        "{denied:?}"
    );
}

#[test]
fn an_event_comes_from_a_file_and_only_once() {
    let place = Place::new();
    place.project("cat\n", "");
    place.push(&[]).with_status(0);
    let file = place.project.path().join("first.event.json");
    let event = json!({
        "specversion": "1.0", "id": "e1", "source": "/tests", "type": "custom.go", "data": {"a": 1},
    });
    std::fs::write(&file, event.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let first = place.run(["fire", file]).with_status(0);
    assert!(!first.stderr.contains("posted before"), "{first:?}");
    let again = place
        .run(["fire", file])
        .with_status(0)
        .saying("posted before");
    assert!(again.stdout.starts_with("task 1 "), "{again:?}");
    let another = place.json(&["fire", file, "--id", "e2", "--set", "b=[2]"]);
    assert_eq!(
        (&another["event"]["data"], &another["repeated"]),
        (&json!({"a": 1, "b": [2]}), &json!(false))
    );
}

#[test]
fn an_event_of_the_catalog_has_sample_data_only_if_that_is_asked_for() {
    let place = Place::new();
    let server = place
        .owner()
        .post("/api/servers", &json!({"name": "node-1"}));
    let told = place.json(&["fire", "PreFormatDisk", "--sample", "--on", "node-1"]);
    assert!(
        told["event"]["data"].as_object().unwrap().len() > 1,
        "{told}"
    );
    assert_eq!(told["event"]["serverid"], "node-1");
    let number = server["id"].to_string();
    let told = place.json(&["fire", "PreFormatDisk", "--on", &number]);
    assert_eq!(told["event"]["data"], Value::Null);
    let data = place.project.path().join("data");
    std::fs::write(&data, "[1]").unwrap();
    let told = place.json(&["fire", "custom.go", "--data-file", data.to_str().unwrap()]);
    assert_eq!(told["event"]["data"], json!([1]));
}

#[test]
fn what_is_not_over_in_time_has_a_status_of_its_own() {
    let place = Place::new();
    place.project("sleep 1h\n", "");
    place.push(&[]).with_status(0);
    let told = place
        .run(["fire", "custom.go", "--wait", "0.05"])
        .with_status(3);
    assert!(
        told.stdout.contains("tenterhook logs --task 1 -f"),
        "{told:?}"
    );
    place.run(["fire", "custom.go", "--no-wait"]).with_status(0);
}

#[test]
fn what_is_wrong_with_an_event_is_said_before_it_is_sent() {
    let place = Place::new();
    for (args, told) in [
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
        place.run(&args).with_status(1).saying(told);
    }
}
