//! A run for an event that never was: what the program is told of it.

use crate::tenterhook::Program;

#[test]
fn the_data_is_the_standard_input() {
    let script = Program::script("jq -r .service");
    let data = script.beside("data.json", r#"{ "service": "osd.3" }"#);
    let ended = script.run(&[
        "--event",
        "PostCephDaemonStart",
        "--data",
        data.to_str().unwrap(),
    ]);
    assert_eq!(ended.with_status(0).stdout, "osd.3\n");
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
    let ended = script.run_with_stdin(&args, br#"{"n": 3}"#).with_status(0);
    assert_eq!(
        ended.stdout,
        "OnAudit\n3\n2026-03-10T16:15:50Z\nOnAudit 1\n"
    );
}

#[test]
fn members_of_the_data_are_variables() {
    let script = Program::script("echo \"$HOOK_PARAM_SERVER_NAME $A\"");
    let ended = script.run_with_stdin(
        &["--data", "-", "--env", "A=b"],
        br#"{"serverName": "ceph-1"}"#,
    );
    assert_eq!(ended.with_status(0).stdout, "ceph-1 b\n");
}

#[test]
fn without_an_event_there_is_no_trace_of_one() {
    let script = Program::script("test -e /event.json; echo $? ${HOOK_EVENT-none}");
    assert_eq!(script.run(&[]).stdout, "1 none\n");
}

#[test]
fn data_that_is_not_json_is_refused() {
    let script = Program::script(":");
    let ended = script.run_with_stdin(&["--data", "-"], b"{not json");
    ended
        .with_status(125)
        .saying("cannot read the event's data in - as JSON");
}

#[test]
fn data_beyond_the_bound_on_events_is_refused() {
    let script = Program::script(":");
    let data = script.beside("data.json", vec![b' '; 256 * 1024 + 1]);
    let ended = script.run(&["--data", data.to_str().unwrap()]);
    ended.with_status(125).saying("more than 262144 bytes");
}
