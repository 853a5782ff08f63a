use proptest::prelude::*;
use serde_json::json;
use tenterhook_dispatch::{
    AttemptRecord, EventKey, ExecutionId, FailurePolicy, HookId, HookRef, Number, Output, Progress,
    Task, TaskId,
};
use tenterhook_engine::{Digest, Limit, Outcome, Verdict};
use time::OffsetDateTime;

use super::*;

/// A run that ended so.
fn run(outcome: Outcome, stdout: &str) -> Execution {
    Execution {
        id: ExecutionId::generate(),
        task: TaskId::generate(),
        task_number: Number::new(1),
        hook: None,
        name: "fw".into(),
        digest: Digest::of(b""),
        failure_policy: FailurePolicy::Closed,
        server: None,
        container: None,
        state: if outcome.is_success() {
            State::Finished
        } else {
            State::Failed
        },
        so_far: None,
        warnings: Vec::new(),
        dead: false,
        created_at: OffsetDateTime::UNIX_EPOCH,
        due_at: None,
        latest: AttemptRecord {
            attempt: 1,
            outcome: Some(outcome),
            error: None,
            usage: None,
            output: Output {
                stdout: stdout.to_owned().into(),
                ..Output::default()
            },
            verdict: None,
            verdict_fault: None,
            recording: None,
            started_at: None,
            ended_at: None,
        },
    }
}

fn well(stdout: &str) -> Execution {
    run(Outcome::Exited { status: 0 }, stdout)
}

fn task(executions: Vec<Execution>) -> TaskDetail {
    let task = Task {
        id: TaskId::generate(),
        number: Number::new(1),
        name: "action.host".into(),
        started_by: "ada".into(),
        object: None,
        event: Some(EventKey {
            source: "/s".into(),
            id: "1".into(),
            kind: "action.host".into(),
        }),
        state: tenterhook_dispatch::state_of(executions.iter().map(|one| one.state)),
        progress: Progress {
            total: 1,
            complete: 1,
        },
        cancelled: false,
        created_at: OffsetDateTime::UNIX_EPOCH,
        started_at: None,
        ended_at: None,
    };
    TaskDetail { task, executions }
}

/// Why it went badly; `None` if it went well.
fn badly(done: Done) -> Option<String> {
    match done {
        Done::Badly { reason, task } => {
            assert!(task.is_some(), "its output must be found");
            Some(reason)
        }
        _ => None,
    }
}

fn plugin(execution: Execution) -> Option<String> {
    badly(of_plugin(&task(vec![execution])))
}

#[test]
fn a_failed_plug_in_is_reported_with_its_cause() {
    let with = |outcome| plugin(run(outcome, "no space left\n\n")).unwrap();
    assert_eq!(
        with(Outcome::Exited { status: 3 }),
        "exited with status 3 (it said: no space left)"
    );
    assert_eq!(
        with(Outcome::Stopped { limit: Limit::Fuel }),
        "was stopped at its fuel limit (it said: no space left)"
    );
    let trap = tenterhook_engine::Trap {
        reason: "unreachable".into(),
        backtrace: Vec::new(),
    };
    assert!(with(Outcome::Trapped(trap)).starts_with("trapped: unreachable"));
    let cancelled = Execution {
        state: State::Canceled,
        ..run(Outcome::Cancelled, "")
    };
    assert_eq!(plugin(cancelled).unwrap(), "was cancelled");
    let mut ours = well("");
    ours.state = State::Failed;
    ours.latest.outcome = None;
    ours.latest.error = Some("cannot load it".into());
    assert_eq!(plugin(ours).unwrap(), "could not be run: cannot load it");
    let mut unusable = well("");
    unusable.state = State::Failed;
    unusable.latest.verdict_fault = Some("/verdict.json cannot be used: it is empty".into());
    assert_eq!(
        plugin(unusable).unwrap(),
        "left an unusable verdict: /verdict.json cannot be used: it is empty"
    );
}

#[test]
fn a_plug_in_may_refuse_or_report_a_failure() {
    let mut refused = well("");
    refused.latest.verdict = Some(Verdict::deny("not today"));
    assert_eq!(plugin(refused).unwrap(), "refused: not today");
    let mut by_verdict = well("");
    by_verdict.latest.verdict = Some(Verdict::default().with("state", "FW_FAILED"));
    assert_eq!(
        plugin(by_verdict).unwrap(),
        "reports that it ended in state `FW_FAILED`"
    );
    for bad in [
        "{\"state\": \"FAILED\"}",
        "{\"state\": \"DONE\"}\nx\n{\"state\":\"\"}\nbye",
        "{\n\"state\":\n\"FAILED\"}",
    ] {
        assert!(plugin(well(bad)).is_some(), "{bad}");
    }
    for good in [
        "",
        "FAILED",
        "{\"state\": \"DONE\"}",
        "{\"state\": \"FAILED\"}\n{\"state\": \"DONE\"}",
        "{\"state\": 3}",
        "{",
    ] {
        assert_eq!(plugin(well(good)), None, "{good}");
    }
}

#[test]
fn a_hook_that_denies_is_reported_by_its_number() {
    let mut hook = well("");
    hook.hook = Some(HookRef {
        id: HookId::generate(),
        number: Number::new(5),
    });
    hook.name = "guard".into();
    hook.latest.verdict = Some(Verdict::deny("freeze\u{1b}[2J"));
    let text = badly(of_plugin(&task(vec![hook.clone(), well("")]))).unwrap();
    assert_eq!(
        text,
        "hook 5 (`guard`) on action.host denied it: freeze [2J"
    );
    assert_eq!(badly(of_hooks(&task(vec![hook]))).unwrap(), text);
    assert_eq!(badly(of_hooks(&task(Vec::new()))), None);
}

#[test]
fn a_workflow_decides_by_its_verdict_or_by_the_last_object_that_it_prints() {
    let decided = |execution| match of_workflow(&task(vec![execution])) {
        Done::Chosen { next, reason, .. } => Ok((next, reason)),
        done => Err(badly(done).unwrap()),
    };
    let chosen = |next: &str, reason: &str| Ok((next.to_owned(), reason.to_owned()));
    let mut by_verdict = well("{\"next\":\"B\"}");
    by_verdict.latest.verdict = Some(Verdict {
        reason: Some("room".into()),
        ..Verdict::default().with("next", "A")
    });
    assert_eq!(decided(by_verdict), chosen("A", "room"));
    let printed = "{\"next\":\"A\"}\n{\"next\":\"B\",\"reason\":\"later\"}\n{\"note\":1}\n";
    assert_eq!(decided(well(printed)), chosen("B", "later"));
    for nothing in ["", "B", "{\"next\":7}", "[]"] {
        let text = decided(well(nothing)).unwrap_err();
        assert!(text.contains("did not say where to go"), "{text}");
    }
    let failed = run(Outcome::Exited { status: 1 }, "{\"next\":\"B\"}");
    assert!(decided(failed).unwrap_err().contains("status 1"));
}

proptest! {
    #[test]
    fn no_output_panics_and_texts_stay_short(
        stdout in prop::collection::vec(any::<u8>(), 0..2_000),
        stderr in prop::collection::vec(any::<u8>(), 0..2_000),
        status in 0u8..2,
        member in "state|next|x",
    ) {
        let mut execution = run(Outcome::Exited { status }, "");
        let json = json!({member: "A"}).to_string();
        execution.latest.output.stdout = [&stdout[..], b"\n", json.as_bytes()].concat().into();
        execution.latest.output.stderr = stderr.into();
        for done in [
            of_plugin(&task(vec![execution.clone()])),
            of_workflow(&task(vec![execution])),
        ] {
            let text = match done {
                Done::Well { message, .. } => message,
                Done::Badly { reason, .. } | Done::Chosen { reason, .. } => reason,
            };
            prop_assert!(text.chars().count() < 1_000);
            prop_assert!(!text.chars().any(char::is_control));
        }
    }
}
