//! A guest reaches nothing but what its run gives it.

use crate::guests;
use crate::harness::{Run, SUCCESS};
use tenterhook_engine::Limits;

const LEAVE_AND_LOOK: &str = "cat /event.json /work/* /tmp/* 2> /dev/null; echo secret | tee /work/a /tmp/b > /event.json; true";

const OUTSIDE: [&str; 14] = [
    "/etc/passwd",
    "/etc",
    "/proc/self/environ",
    "/proc/1/cmdline",
    "/dev/mem",
    "/sys/kernel",
    "../etc/passwd",
    "../../../../../../../../etc/passwd",
    "/work/../../../../../etc/passwd",
    "/work/./.././../etc/passwd",
    "/tmp/../../tmp",
    "//etc//passwd",
    "/..",
    "/work/../..",
];

fn probing(run: Run) -> Run {
    OUTSIDE.into_iter().fold(run, Run::arg)
}

#[tokio::test]
async fn a_module_cannot_reach_a_file_of_the_host() {
    let run = probing(Run::guest(guests::CONTAINED_HOST_FILES)).go().await;
    assert_eq!((&run.outcome, run.text().as_str()), (&SUCCESS, ""));
}

#[tokio::test]
async fn a_component_cannot_reach_a_file_of_the_host() {
    let run = probing(Run::component_of(guests::CONTAINED_HOST_FILES))
        .go()
        .await;
    assert_eq!((&run.outcome, run.text().as_str()), (&SUCCESS, ""));
}

#[tokio::test]
async fn a_script_cannot_reach_a_file_of_the_host() {
    // The shell has its own /etc, not the host's.
    let marker = tempfile::NamedTempFile::new().unwrap();
    let script = r#"for path; do cat "$path" > /dev/null 2>&1 && echo "read $path"; done"#;
    let run = Run::script(script)
        .arg(marker.path().display())
        .arg(format!("../../../../..{}", marker.path().display()))
        .arg("/proc/self/environ")
        .arg("/sys/kernel")
        .go()
        .await;
    assert_eq!(run.text(), "");
    for path in [
        "/etc/passwd",
        "/etc/hostname",
        "/proc/1/cmdline",
        "/proc/self/status",
        "/proc/mounts",
    ] {
        let run = Run::script("cat \"$1\" 2> /dev/null").arg(path).go().await;
        assert_ne!(run.stdout, std::fs::read(path).unwrap(), "{path}");
    }
}

#[tokio::test]
async fn a_link_out_of_the_sandbox_leads_nowhere() {
    for run in Run::as_both(guests::CONTAINED_SYMLINKS) {
        let run = run.go().await;
        assert_eq!(run.outcome, SUCCESS);
        assert!(run.text().contains("/work/absolute made false"));
        for word in ["read true", "through true", "renamed true", "linked true"] {
            assert!(!run.text().contains(word), "{}", run.text());
        }
        // The host found the link in place of the verdict.
        assert_eq!(run.verdict, None);
    }
}

#[tokio::test]
async fn a_guest_finds_no_variable_of_the_host() {
    for run in [
        Run::guest(guests::FRIENDLY_ECHO),
        Run::component_of(guests::FRIENDLY_ECHO),
    ] {
        let run = run.go().await;
        assert!(!run.text().contains("env "), "{}", run.text());
    }
    let run = Run::script(
        "env | cut -d= -f1 | sort | tr '\\n' ' '; echo \"[$CARGO_MANIFEST_DIR$CARGO]\"",
    )
    .go()
    .await;
    assert!(run.text().ends_with("[]\n"), "{}", run.text());
    for name in run
        .text()
        .split_whitespace()
        .filter(|name| !name.contains('['))
    {
        let value = Run::script(&format!("printf %s \"${name}\""))
            .go()
            .await
            .text();
        #[expect(
            clippy::disallowed_methods,
            reason = "the host's own variables are what must not be seen"
        )]
        let host = std::env::var(name);
        assert!(
            host.is_err()
                || host != Ok(value)
                || name == "PATH"
                || name == "HOME"
                || name == "USER"
                || name == "SHLVL",
            "{name}"
        );
    }
}

#[tokio::test]
async fn no_socket_call_of_a_module_works() {
    let run = Run::guest(guests::CONTAINED_SOCKETS).go().await;
    assert_eq!((&run.outcome, run.text().as_str()), (&SUCCESS, ""));
}

#[tokio::test]
async fn a_component_that_calls_sockets_of_preview_1_traps() {
    let run = Run::component_of(guests::CONTAINED_SOCKETS).go().await;
    let trapped = matches!(run.outcome, tenterhook_engine::Outcome::Trapped(_));
    assert!(trapped && run.text().is_empty(), "{:?}", run.outcome);
}

#[tokio::test]
async fn no_socket_of_a_component_reaches_anything() {
    const ACCESS_DENIED: u8 = 1;
    const UNRESOLVABLE: u8 = 20;
    let run = Run::guest(guests::CONTAINED_CONNECT).go().await;
    let expected = format!(
        "tcp connect no socket {ACCESS_DENIED}\ntcp bind no socket {ACCESS_DENIED}\nudp bind no socket {ACCESS_DENIED}\nlookup Some({UNRESOLVABLE})\n"
    );
    assert_eq!((&run.outcome, run.text()), (&SUCCESS, expected));
}

#[tokio::test]
async fn no_run_finds_what_another_left_behind() {
    // With the default limits a folder that was left clean is reused.
    let by_default = |limits: &mut Limits| *limits = Limits::default();
    for run in [
        || Run::guest(guests::FILES_KEEP),
        || Run::component_of(guests::FILES_KEEP),
        || Run::script(LEAVE_AND_LOOK),
    ] {
        for how in ["", "quietly"] {
            for _ in 0..100 {
                let run = run()
                    .arg(how)
                    .event(r#"{"id":1}"#)
                    .limits(by_default)
                    .go()
                    .await;
                assert_eq!(
                    (&run.outcome, run.text().contains("secret")),
                    (&SUCCESS, false)
                );
            }
        }
    }
}

#[tokio::test]
async fn no_run_finds_another_runs_verdict_or_event() {
    // With the default limits a folder that has no more than a verdict is reused.
    let by_default = |limits: &mut Limits| *limits = Limits::default();
    for (answers, looks) in [
        (
            Run::guest as fn(&str) -> Run,
            Run::component_of as fn(&str) -> Run,
        ),
        (Run::component_of, Run::guest),
        (Run::guest, Run::guest),
    ] {
        for round in 0..100 {
            let answered = answers(guests::FRIENDLY_VERDICT).event(r#"{"secret":1}"#);
            let answered = answered.limits(by_default).go().await;
            assert!(answered.verdict.is_some());
            let event =
                format!(r#"{{"specversion":"1.0","id":"{round}","source":"/a","type":"x"}}"#);
            let looked = looks(guests::FRIENDLY_EVENT).event(&event);
            let looked = looked.limits(by_default).go().await;
            assert_eq!((&looked.outcome, &looked.verdict), (&SUCCESS, &None));
            assert!(looked.text().starts_with(&format!("x {round} None\n")));
        }
    }
}

#[tokio::test]
async fn what_a_guest_writes_to_its_event_is_gone_afterwards() {
    let event = r#"{"specversion":"1.0","id":"1","source":"/a","type":"x"}"#;
    let script = "echo changed > /event.json; cat /event.json";
    let run = Run::script(script).event(event).go().await;
    assert_eq!(run.text(), event);
}
