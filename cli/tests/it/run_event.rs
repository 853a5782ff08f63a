//! A run for a local event: how the program sees it.

use crate::tenterhook::Program;
use crate::tiny;

#[test]
fn the_data_is_on_standard_input() {
    let script = Program::script("jq -r .service");
    let data = script.beside("data.json", r#"{ "service": "osd.3" }"#);
    let result = script.run(&[
        "--event",
        "PostCephDaemonStart",
        "--data",
        data.to_str().unwrap(),
    ]);
    assert_eq!(result.with_status(0).stdout, "osd.3\n");
}

#[test]
fn the_whole_event_is_a_file() {
    let script = Program::script(
        "jq -r '.type, .data.n, .time' /event.json; echo \"$HOOK_EVENT $HOOK_ATTEMPT\"",
    );
    let args = [
        "--event",
        "OnAudit",
        "--data",
        "-",
        "--clock",
        "2026-03-10T16:15:50Z",
    ];
    let result = script.run_with_stdin(&args, br#"{"n": 3}"#).with_status(0);
    assert_eq!(
        result.stdout,
        "OnAudit\n3\n2026-03-10T16:15:50Z\nOnAudit 1\n"
    );
}

#[test]
fn members_of_the_data_are_variables() {
    let script = Program::script("echo \"$HOOK_PARAM_SERVER_NAME $A\"");
    let result = script.run_with_stdin(
        &["--data", "-", "--env", "A=b"],
        br#"{"serverName": "ceph-1"}"#,
    );
    assert_eq!(result.with_status(0).stdout, "ceph-1 b\n");
}

#[test]
fn without_an_event_there_is_no_trace_of_one() {
    let script = Program::script("test -e /event.json; echo $? ${HOOK_EVENT-none}");
    assert_eq!(script.run(&[]).stdout, "1 none\n");
}

#[test]
fn a_module_without_an_event_finds_no_event_file_either() {
    let module = Program::module(tiny::opening("event.json"));
    const NOT_FOUND: i32 = 44;
    module.run(&[]).with_status(NOT_FOUND);
    module.run(&["--event", "OnAudit"]).with_status(0);
}

#[test]
fn data_that_is_not_json_is_refused() {
    let script = Program::script(":");
    let result = script.run_with_stdin(&["--data", "-"], b"{not json");
    result
        .with_status(125)
        .with_stderr("cannot read the event's data in - as JSON");
}

#[test]
fn data_beyond_the_bound_on_events_is_refused() {
    let script = Program::script(":");
    let data = script.beside("data.json", vec![b' '; 256 * 1024 + 1]);
    let result = script.run(&["--data", data.to_str().unwrap()]);
    result
        .with_status(125)
        .with_stderr("it has 262145 bytes; at most 262144 are accepted");
}

#[test]
fn a_hook_point_alone_is_run_with_the_catalogs_sample() {
    let script =
        Program::script("jq -r .serial; jq -r .data.role /event.json; echo $HOOK_PARAM_DEVICE");
    let result = script.run(&["--event", "PreFormatDisk"]).with_status(0);
    assert_eq!(result.stdout, "WD-WCC7K4AB\nosd\n/dev/sdc\n");
    result.with_stderr("the event is the catalog's sample of PreFormatDisk");
}

#[test]
fn piped_data_remains_the_standard_input_of_a_sample() {
    let script = Program::script("cat; jq -r .data.role /event.json");
    let result = script.run_with_stdin(&["--event", "PreFormatDisk"], b"mine\n");
    assert_eq!(result.with_status(0).stdout, "mine\nosd\n");
}

#[test]
fn a_custom_event_has_no_sample() {
    let script = Program::script("cat; jq -c .data /event.json");
    let result = script.run_with_stdin(&["--event", "custom.x"], b"mine\n");
    let result = result.with_status(0);
    assert_eq!((&*result.stdout, &*result.stderr), ("mine\nnull\n", ""));
}

#[test]
fn a_whole_event_is_passed_unchanged() {
    let script = Program::script("jq -r '.id, .team, .time' /event.json; cat");
    let event = r#"{"specversion": "1.0", "id": "e7", "source": "/mine", "type": "custom.x",
        "team": "red", "data": {"n": 1}}"#;
    let file = script.beside("first.event.json", event);
    let result = script.run(&["--event", file.to_str().unwrap()]);
    assert_eq!(result.with_status(0).stdout, "e7\nred\nnull\n{\"n\": 1}");
}

#[test]
fn an_invalid_whole_event_is_refused_with_the_reason() {
    let script = Program::script(":");
    for (event, expected) in [
        ("{", "cannot use the event in "),
        (r#"{"specversion":"1.0","id":"1","source":"/a"}"#, "type"),
        (
            r#"{"specversion":"1.0","id":"1","source":"/a","type":"OnAuditt"}"#,
            "did you mean OnAudit?",
        ),
    ] {
        let file = script.beside("first.event.json", event);
        let result = script.run(&["--event", file.to_str().unwrap()]);
        result.with_status(125).with_stderr(expected);
    }
    script
        .run(&["--event", "missing.json"])
        .with_status(125)
        .with_stderr("cannot read missing.json");
    script
        .run(&["--event", "missing.json", "--data", "-"])
        .with_status(125)
        .with_stderr("omit `--data`");
}

#[test]
fn data_is_passed_byte_for_byte() {
    let script =
        Program::script("cat; cat /event.json >&2; echo $HOOK_PARAM_AMOUNT $HOOK_PARAM_FAR");
    let data = " {\"s\":\"\\ud83d\", \"amount\":1.10,\"far\":1e400}\r\n";
    let result = script.run_with_stdin(&["--data", "-"], data.as_bytes());
    let result = result.with_status(0);
    assert_eq!(result.stdout, format!("{data}1.10 1e400\n"));
    result.with_stderr(&format!("\"data\":{data}}}"));
}

#[test]
fn invalid_base64_is_refused() {
    let script = Program::script("cat");
    let event = script.beside(
        "padded.json",
        r#"{"specversion":"1.0","id":"1","source":"/t","type":"custom.x","data_base64":" QUJD"}"#,
    );
    let result = script.run(&["--event", event.to_str().unwrap()]);
    result
        .with_status(125)
        .with_stderr("`data_base64`: is not base64");
}
