//! How the executions of a task went: which of them failed, and why.
//!
//! It rules nothing. Whether an event may go on is a [`Ruling`](super::ruling::Ruling).

use tenterhook_engine::{Limit, Outcome};

use crate::id::{ExecutionId, Number};
use crate::registry::app::Container;
use crate::runs::execution::{Execution, State};

/// How the executions of a task went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    /// One for each execution that failed, in execution order.
    pub failures: Vec<RunFailure>,
}

/// One execution that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFailure {
    /// The execution.
    pub execution: ExecutionId,
    /// Its name.
    pub name: String,
    /// The number of its hook.
    pub hook: Option<Number>,
    /// What sort of failure it is.
    pub kind: FailureKind,
    /// The same for a person, in a sentence.
    pub detail: String,
    /// The exit status, if it came to one.
    pub status: Option<u8>,
    /// The container that it ran for.
    pub container: Option<Container>,
}

/// How an execution failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// It could not be run.
    NotRun,
    /// It ran longer than it may.
    TimedOut,
    /// It reached another limit.
    Limit,
    /// The guest trapped.
    Trapped,
    /// It was cancelled.
    Cancelled,
    /// It ended well, and denies the operation.
    Denied,
    /// It ended well, and its answer cannot be used.
    UnusableAnswer,
    /// It left with a status other than 0.
    Exited,
}

impl RunSummary {
    /// Summarizes executions that are finished.
    pub(crate) fn of(executions: &[Execution]) -> Self {
        Self {
            failures: executions.iter().filter_map(failure).collect(),
        }
    }
}

fn failure(execution: &Execution) -> Option<RunFailure> {
    Some(RunFailure {
        execution: execution.id,
        name: execution.name.clone(),
        hook: execution.hook.map(|hook| hook.number),
        kind: kind(execution)?,
        detail: detail(execution),
        status: match &execution.latest.outcome {
            Some(Outcome::Exited { status }) => Some(*status),
            _ => None,
        },
        container: execution.container.clone(),
    })
}

/// How an execution failed; `None` if it did not.
fn kind(execution: &Execution) -> Option<FailureKind> {
    let denies = execution
        .latest
        .verdict
        .as_ref()
        .is_some_and(|v| v.allow == Some(false));
    if execution.state == State::Finished && !denies {
        return None;
    }
    Some(match (&execution.latest.outcome, &execution.latest.error) {
        (_, Some(_)) => FailureKind::NotRun,
        (Some(Outcome::Stopped { limit: Limit::Wall }), None) => FailureKind::TimedOut,
        (Some(Outcome::Stopped { .. }), None) => FailureKind::Limit,
        (Some(Outcome::Trapped(_)), None) => FailureKind::Trapped,
        (Some(Outcome::Cancelled) | None, None) => FailureKind::Cancelled,
        (Some(Outcome::Exited { .. }), None) if denies => FailureKind::Denied,
        (Some(Outcome::Exited { status: 0 }), None) => FailureKind::UnusableAnswer,
        (Some(Outcome::Exited { .. }), None) => FailureKind::Exited,
    })
}

fn detail(execution: &Execution) -> String {
    match (&execution.latest.outcome, &execution.latest.error) {
        (_, Some(error)) => error.clone(),
        (Some(outcome), None) => match &execution.latest.verdict_fault {
            Some(fault) => format!("{outcome}; {fault}"),
            None => outcome.to_string(),
        },
        (None, None) => "cancelled before it ran".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tenterhook_engine::{Digest, Trap, Verdict};

    use super::*;
    use crate::clock::now;
    use crate::id::TaskId;
    use crate::registry::hook::FailurePolicy;
    use crate::runs::execution::{AttemptRecord, Output};

    fn execution(state: State, outcome: Option<Outcome>) -> Execution {
        Execution {
            id: ExecutionId::generate(),
            task: TaskId::generate(),
            task_number: Number::new(1),
            hook: None,
            name: "freeze".into(),
            digest: Digest::of(b""),
            failure_policy: FailurePolicy::Open,
            server: None,
            container: Some(Container {
                pod_name: "db-0".into(),
                container_name: "mysql".into(),
                namespace_name: "prod".into(),
                ..Container::default()
            }),
            state,
            warnings: Vec::new(),
            dead: false,
            created_at: now(),
            due_at: None,
            so_far: None,
            latest: AttemptRecord {
                attempt: 1,
                outcome,
                error: None,
                usage: None,
                output: Output {
                    stdout: Bytes::new(),
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

    #[test]
    fn a_task_whose_executions_succeeded_has_no_failures() {
        let well = execution(State::Finished, Some(Outcome::Exited { status: 0 }));
        for executions in [vec![], vec![well]] {
            assert_eq!(RunSummary::of(&executions).failures, []);
        }
    }

    #[test]
    fn every_failure_has_a_kind_and_an_exit_status_if_there_is_one() {
        let stopped = |limit| Some(Outcome::Stopped { limit });
        let trapped = Outcome::Trapped(Trap {
            reason: "unreachable".into(),
            backtrace: Vec::new(),
        });
        for (outcome, kind, status) in [
            (
                Some(Outcome::Exited { status: 3 }),
                FailureKind::Exited,
                Some(3),
            ),
            (stopped(Limit::Wall), FailureKind::TimedOut, None),
            (stopped(Limit::Fuel), FailureKind::Limit, None),
            (Some(trapped), FailureKind::Trapped, None),
            (Some(Outcome::Cancelled), FailureKind::Cancelled, None),
            (None, FailureKind::Cancelled, None),
        ] {
            let failed = execution(State::Failed, outcome);
            let container = failed.container.clone();
            let failure = RunSummary::of(&[failed]).failures.remove(0);
            assert_eq!((failure.kind, failure.status), (kind, status));
            assert_eq!((&*failure.name, failure.container), ("freeze", container));
        }
    }

    #[test]
    fn a_hook_that_denies_has_failed_although_it_exited_with_status_zero() {
        let mut denies = execution(State::Finished, Some(Outcome::Exited { status: 0 }));
        denies.latest.verdict = Some(Verdict {
            allow: Some(false),
            reason: None,
            ..Verdict::default()
        });
        let failure = RunSummary::of(&[denies]).failures.remove(0);
        assert_eq!(failure.kind, FailureKind::Denied);
    }

    #[test]
    fn a_hook_with_an_unusable_verdict_has_failed_with_the_reason() {
        let mut unusable = execution(State::Failed, Some(Outcome::Exited { status: 0 }));
        unusable.latest.verdict_fault = Some("/verdict.json cannot be used: it is empty".into());
        let failure = RunSummary::of(&[unusable]).failures.remove(0);
        assert_eq!(failure.kind, FailureKind::UnusableAnswer);
        assert!(failure.detail.contains("it is empty"), "{}", failure.detail);
    }

    #[test]
    fn an_execution_with_an_error_was_not_run() {
        let mut not_run = execution(State::Failed, None);
        not_run.latest.error = Some("no such program".into());
        let failure = RunSummary::of(&[not_run]).failures.remove(0);
        assert_eq!(failure.kind, FailureKind::NotRun);
        assert_eq!(failure.detail, "no such program");
    }
}
