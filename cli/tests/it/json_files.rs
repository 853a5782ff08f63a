//! JSON in files that users name: how it may begin, and how times in it are written.

use crate::tenterhook::Program;

const EVENT: &str =
    r#"{"specversion": "1.0", "id": "1", "source": "/s", "type": "custom.a", "data": {"n": 3}"#;

#[test]
fn a_byte_order_mark_before_json_is_ignored() {
    let script = Program::script("jq .n");
    let data = script.beside("data.json", "\u{feff}{\"n\": 3}");
    let event = script.beside("event.json", format!("\u{feff}{EVENT}}}"));
    for args in [
        &["--event", "custom.a", "--data", data.to_str().unwrap()][..],
        &["--event", event.to_str().unwrap()],
    ] {
        assert_eq!(script.run(args).with_status(0).stdout, "3\n", "{args:?}");
    }
    let stdin = format!("\u{feff}{EVENT}}}");
    let result = script.run_with_stdin(&["--event", "-"], stdin.as_bytes());
    assert_eq!(result.with_status(0).stdout, "3\n");
    let twice = script.run_with_stdin(&["--data", "-"], "\u{feff}\u{feff}{}".as_bytes());
    twice.with_status(125);
}

#[test]
fn a_time_with_a_space_is_refused_with_an_explanation() {
    let script = Program::script("true");
    for time in ["2026-03-10 16:15:50Z", "2026-03-10_16:15:50Z"] {
        let event = format!("{EVENT}, \"time\": \"{time}\"}}");
        for result in [
            script.run_with_stdin(&["--event", "-"], event.as_bytes()),
            script.run(&["--clock", time]),
        ] {
            assert_ne!(result.status, Some(0));
            assert!(result.stderr.contains("with a T"), "{}", result.stderr);
        }
    }
}
