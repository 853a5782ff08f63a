//! Every result of a run is a value: exit status, usage, output and verdict.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tenterhook_engine::{Limit, Outcome, OutputSink, Stream};

use crate::guests;
use crate::harness::{ENGINE, Run, SUCCESS, exited, load, load_guest, stopped};
use crate::wasm;

const EVENT: &str =
    r#"{"specversion":"1.0","id":"e1","source":"/a","type":"OnAudit","data":{"a":1},"unknown":[]}"#;

#[tokio::test]
async fn a_module_says_hello_and_its_usage_is_reported() {
    let run = Run::guest(guests::FRIENDLY_HELLO).go().await;
    assert_eq!((&run.outcome, run.text().as_str()), (&SUCCESS, "hello\n"));
    assert!(run.usage.fuel > 1_000);
    assert!(run.usage.memory_peak_bytes >= 1 << 16);
    assert!(run.usage.host_calls >= 1);
    assert_eq!(run.usage.output_bytes, 6);
    assert_eq!((run.dropped_bytes, run.usage.files_bytes), (0, 0));
}

#[tokio::test]
async fn a_component_says_hello_and_its_usage_is_reported() {
    let run = Run::component_of(guests::FRIENDLY_HELLO).go().await;
    assert_eq!((&run.outcome, run.text().as_str()), (&SUCCESS, "hello\n"));
    assert!(run.usage.fuel > 1_000 && run.usage.memory_peak_bytes >= 1 << 16);
    assert!(run.usage.host_calls >= 1);
    assert_eq!(run.usage.output_bytes, 6);
}

#[tokio::test]
async fn a_script_says_hello_and_its_usage_is_reported() {
    let run = Run::script("echo hello").go().await;
    assert_eq!((&run.outcome, run.text().as_str()), (&SUCCESS, "hello\n"));
    assert!(run.usage.fuel > 1_000 && run.usage.memory_peak_bytes >= 1 << 16);
    assert_eq!(run.usage.output_bytes, 6);
}

#[tokio::test]
async fn every_exit_status_of_a_module_is_reported() {
    let program = load(&ENGINE, &wasm::exit("wasi_snapshot_preview1")).await;
    for status in 0..=255 {
        assert_eq!(
            Run::loaded(&program).arg(status).go().await.outcome,
            exited(status)
        );
    }
}

#[tokio::test]
async fn every_exit_status_of_a_script_is_reported() {
    let program = load(&ENGINE, b"exit $1").await;
    for status in 0..=255 {
        assert_eq!(
            Run::loaded(&program).arg(status).go().await.outcome,
            exited(status)
        );
    }
}

#[tokio::test]
async fn every_exit_status_of_a_component_is_reported() {
    let program = load_guest(&ENGINE, guests::FRIENDLY_EXIT_CODE).await;
    for status in 0..=255 {
        assert_eq!(
            Run::loaded(&program).arg(status).go().await.outcome,
            exited(status)
        );
    }
}

#[tokio::test]
async fn a_status_that_does_not_fit_into_a_byte_is_never_success() {
    let modules = [
        wasm::exit("wasi_snapshot_preview1"),
        wasm::exit("wasi_unstable"),
    ];
    // The guests count in 32 bits, so the last one is -256.
    for (status, reported) in [
        ("256", 255),
        ("512", 255),
        ("1024", 255),
        ("65536", 255),
        ("4294967040", 255),
        // A non-zero low byte is kept, as with `wait(2)`.
        ("257", 1),
        ("4294967295", 255),
    ] {
        for module in &modules {
            let run = Run::bytes(module.clone()).arg(status).go().await;
            assert_eq!(run.outcome, exited(reported), "{status}");
        }
    }
}

#[tokio::test]
async fn an_adapted_component_distinguishes_only_success_from_failure() {
    // `wasi:cli/exit` of WASI 0.2 has nothing else, so the adapter has no choice.
    for (status, reported) in [(0, 0), (1, 1), (200, 1)] {
        let run = Run::component_of(guests::FRIENDLY_EXIT)
            .arg(status)
            .go()
            .await;
        assert_eq!(run.outcome, exited(reported));
    }
}

#[tokio::test]
async fn the_standard_library_exits_with_any_status() {
    for status in [0, 1, 126, 200, 255] {
        let run = Run::guest(guests::FRIENDLY_EXIT).arg(status).go().await;
        assert_eq!(run.outcome, exited(status));
    }
}

#[tokio::test]
async fn a_module_for_the_older_wasi_runs() {
    let run = Run::bytes(wasm::exit("wasi_unstable")).arg(77).go().await;
    assert_eq!(run.outcome, exited(77));
}

#[tokio::test]
async fn a_guest_finds_exactly_what_it_was_given() {
    for run in [
        Run::guest(guests::FRIENDLY_ECHO),
        Run::component_of(guests::FRIENDLY_ECHO),
    ] {
        let run = run
            .arg("one two")
            .arg("")
            .env("HOOK_EVENT", "OnAudit")
            .stdin("{}")
            .go()
            .await;
        assert_eq!(run.outcome, SUCCESS);
        // Preview 1 has no working folder, and the adapter does not add one.
        let expected = "arg hook\narg one two\narg \nenv HOOK_EVENT=OnAudit\ncwd /\nstdin {}\n";
        assert_eq!(run.text(), expected);
        assert_eq!(run.errors(), "on stderr\n");
    }
}

#[tokio::test]
async fn a_script_finds_exactly_what_it_was_given() {
    let script = r#"echo "$0|$#|$1|$2|$HOOK_EVENT|$PWD"; cat; echo on stderr >&2"#;
    let run = Run::script(script)
        .arg("one two")
        .arg("")
        .env("HOOK_EVENT", "OnAudit")
        .stdin("{}")
        .go()
        .await;
    assert_eq!(
        (&run.outcome, run.text().as_str()),
        (&SUCCESS, "/hooks/hook|2|one two||OnAudit|/work\n{}")
    );
    assert_eq!(run.errors(), "on stderr\n");
}

#[tokio::test]
async fn the_event_file_holds_the_whole_event() {
    for run in [
        Run::guest(guests::FRIENDLY_EVENT),
        Run::component_of(guests::FRIENDLY_EVENT),
    ] {
        let run = run
            .event(EVENT)
            .env("HOOK_ATTEMPT", "2")
            .env("HOOK_PARAM_SERVICE", "x")
            .go()
            .await;
        let expected =
            "OnAudit e1 Some(Object {\"a\": Number(1)})\nattempt 2, service Some(\"x\")\n";
        assert_eq!(run.text(), expected);
    }
    let run = Run::script("cat /event.json").event(EVENT).go().await;
    assert_eq!(run.text(), EVENT);
}

#[tokio::test]
async fn a_run_without_an_event_finds_none() {
    let run = Run::guest(guests::FRIENDLY_EVENT).go().await;
    assert!(run.text().starts_with("this run has no event"));
    let run = Run::script("test -e /event.json").go().await;
    assert_eq!(run.outcome, exited(1));
}

#[tokio::test]
async fn a_verdict_is_read_from_its_file() {
    let script = r#"echo '{"allow":false,"reason":"still in use","users":3}' > /verdict.json"#;
    let guests = Run::as_both(guests::FRIENDLY_VERDICT);
    for run in guests.into_iter().chain([Run::script(script)]) {
        let run = run.event(EVENT).go().await;
        let verdict = serde_json::to_value(run.verdict.as_ref()).unwrap();
        assert_eq!(
            verdict,
            json!({"allow": false, "reason": "still in use", "users": 3})
        );
    }
}

#[tokio::test]
async fn an_unusable_verdict_is_reported_and_is_not_a_success() {
    let long = format!(r#"{{"allow":true,"reason":"{}"}}"#, "x".repeat(64 << 10));
    for (text, expected) in [
        ("", "it is empty"),
        ("yes", "expected value (line 1, column 1)"),
        (
            "[true]",
            "must be an object such as {\"allow\":true}, not [true]",
        ),
        (
            "{\"allow\":\"false\"}",
            "`allow` must be true or false, not \"false\" (line 1, column 10)",
        ),
        ("{\"allow\":", "(line 1, column 9)"),
        (long.as_str(), "more than 65536 bytes"),
    ] {
        for run in [
            Run::guest(guests::FRIENDLY_VERDICT),
            Run::script(r#"printf %s "$1" > /verdict.json"#),
        ] {
            let run = run.arg(text).event(EVENT).go().await;
            assert_eq!(
                (&run.outcome, &run.verdict),
                (&SUCCESS, &None),
                "{text:.40}"
            );
            let fault = run.verdict_fault.as_deref().unwrap_or_default();
            assert!(
                fault.starts_with("/verdict.json cannot be used: ") && fault.contains(expected),
                "{text:.40}: {fault}"
            );
            assert!(!run.is_success());
        }
    }
}

#[tokio::test]
async fn a_verdict_that_is_not_a_regular_file_is_reported() {
    let script = Run::script("mkdir /verdict.json").go().await;
    let module = Run::guest(guests::CONTAINED_SYMLINKS).go().await;
    for run in [script, module] {
        let fault = run.verdict_fault.as_deref();
        assert_eq!(
            fault,
            Some("/verdict.json cannot be used: it is not a regular file")
        );
    }
}

#[tokio::test]
async fn the_verdict_of_an_interrupted_run_is_not_reported_as_faulty() {
    let module = Run::guest(guests::CONTAINED_SYMLINKS);
    for run in [
        module.limits(|limits| limits.fuel = 150_000),
        Run::script("echo { > /verdict.json; while :; do :; done")
            .limits(|limits| limits.fuel = 100_000_000),
    ] {
        let run = run.go().await;
        assert_eq!(run.outcome, stopped(Limit::Fuel));
        assert_eq!((&run.verdict, &run.verdict_fault), (&None, &None));
    }
}

#[tokio::test]
async fn a_run_that_leaves_no_verdict_has_none() {
    assert_eq!(Run::guest(guests::FRIENDLY_HELLO).go().await.verdict, None);
    assert_eq!(Run::script("true").go().await.verdict, None);
}

#[tokio::test]
async fn a_panic_of_the_guest_is_a_trap_with_its_message_and_frames() {
    let run = Run::guest(guests::LIMITS_PANIC).go().await;
    let Outcome::Trapped(trap) = &run.outcome else {
        panic!("{:?}", run.outcome);
    };
    assert!(trap.reason.contains("unreachable"), "{}", trap.reason);
    assert!(!trap.backtrace.is_empty() && trap.backtrace.len() <= 20);
    assert!(run.errors().contains("this hook is broken"));
}

#[tokio::test]
async fn an_abort_is_a_trap() {
    for run in [
        Run::guest(guests::LIMITS_ABORT),
        Run::component_of(guests::LIMITS_ABORT),
    ] {
        let run = run.go().await;
        assert!(matches!(run.outcome, Outcome::Trapped(_)));
    }
}

#[tokio::test]
async fn each_kind_of_trap_has_its_reason() {
    for (what, code) in wasm::traps() {
        let run = Run::bytes(code).go().await;
        let Outcome::Trapped(trap) = &run.outcome else {
            panic!("{what}: {:?}", run.outcome);
        };
        assert!(trap.reason.contains(what), "{what}: {}", trap.reason);
    }
}

#[tokio::test]
async fn output_is_received_while_the_guest_prints() {
    #[derive(Default)]
    struct Received(Mutex<Vec<(Stream, Vec<u8>)>>);
    impl OutputSink for Received {
        fn write(&self, stream: Stream, bytes: &[u8]) {
            self.0.lock().unwrap().push((stream, bytes.to_vec()));
        }
    }
    let received = Arc::new(Received::default());
    let sink: Arc<dyn OutputSink> = Arc::clone(&received) as _;
    let script = "echo one; echo two >&2; sleep 0.001; echo three";
    let run = Run::script(script)
        .with(|invocation| invocation.output = Some(sink))
        .go()
        .await;

    assert_eq!(run.outcome, SUCCESS);
    let received = received.0.lock().unwrap();
    let of = |stream| {
        received
            .iter()
            .filter(move |(s, _)| *s == stream)
            .flat_map(|(_, bytes)| bytes.clone())
    };
    assert_eq!(of(Stream::Stdout).collect::<Vec<_>>(), run.stdout);
    assert_eq!(of(Stream::Stderr).collect::<Vec<_>>(), run.stderr);
    assert!(
        received.len() >= 3,
        "what was printed before the sleep came before it: {received:?}"
    );
}

#[tokio::test]
async fn output_arrives_in_the_order_of_printing() {
    let run =
        Run::script("for i in 1 2 3; do echo $i; done | cat; (echo 4); echo 5 | sed s/5/five/")
            .go()
            .await;
    assert_eq!(run.text(), "1\n2\n3\n4\nfive\n");
}
