//! How the hooks of one of Astra's operations went: what its clients know as
//! `hookState`, with a line for each execution that failed.
//!
//! It says what happened and rules nothing: failures of these hooks are soft.

use serde::Serialize;
use tenterhook_engine::{Limit, Outcome};

use crate::id::{ExecutionId, Number};
use crate::registry::app::Container;
use crate::runs::execution::{Execution, State};

/// How the hooks of an operation went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HookState {
    /// Failed if any execution did.
    #[serde(rename = "hookState")]
    pub result: HookResult,
    /// One for each execution that failed, in the order in which they ran.
    #[serde(rename = "hookStateDetails")]
    pub details: Vec<HookFailure>,
}

/// Whether all executions of an operation's hooks ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HookResult {
    /// They did, or there were none.
    Success,
    /// One did not.
    Failed,
}

/// Why one execution failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HookFailure {
    /// What sort of failure it is, for a program to tell apart.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The same for a person; at most 40 characters.
    pub title: &'static str,
    /// Which hook failed where, and with which return code; 1 to 511 characters.
    pub detail: String,
    /// The same as values.
    #[serde(rename = "additionalDetails")]
    pub failing: Failing,
}

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failing {
    /// The execution.
    #[serde(rename = "executionID")]
    pub execution: ExecutionId,
    /// The number of its hook.
    pub hook: Option<Number>,
    /// The status that it left with, or `N/A` if it did not come to that.
    pub return_code: String,
    /// The container that it ran for.
    pub container: Option<Container>,
}

/// Longest detail, in characters.
const DETAIL_MAX_CHARS: usize = 511;

impl HookState {
    /// Draws it from executions that are over.
    pub(crate) fn of(executions: &[Execution]) -> Self {
        let details: Vec<_> = executions.iter().filter_map(failure).collect();
        Self {
            result: if details.is_empty() {
                HookResult::Success
            } else {
                HookResult::Failed
            },
            details,
        }
    }
}

fn failure(execution: &Execution) -> Option<HookFailure> {
    let (kind, title) = sort(execution)?;
    let return_code = match &execution.outcome {
        Some(Outcome::Exited { status }) => status.to_string(),
        _ => "N/A".to_owned(),
    };
    Some(HookFailure {
        kind,
        title,
        detail: detail(execution, &return_code),
        failing: Failing {
            execution: execution.id,
            hook: execution.hook.map(|hook| hook.number),
            return_code,
            container: execution.container.clone(),
        },
    })
}

/// Type and title of a failure; `None` if it is none.
fn sort(execution: &Execution) -> Option<(&'static str, &'static str)> {
    let denies = execution
        .verdict
        .as_ref()
        .is_some_and(|v| v.allow == Some(false));
    if execution.state == State::Finished && !denies {
        return None;
    }
    Some(match (&execution.outcome, &execution.error) {
        (_, Some(_)) => ("hook-not-run", "Hook could not be run"),
        (Some(Outcome::Stopped { limit: Limit::Wall }), None) => ("hook-timeout", "Hook timed out"),
        (Some(Outcome::Stopped { .. }), None) => ("hook-limit", "Hook reached a limit"),
        (Some(Outcome::Trapped(_)), None) => ("hook-trapped", "Hook trapped"),
        (Some(Outcome::Cancelled) | None, None) => ("hook-cancelled", "Hook was cancelled"),
        (Some(Outcome::Exited { .. }), None) if denies => {
            ("hook-denied", "Hook denied the operation")
        }
        (Some(Outcome::Exited { status: 0 }), None) => {
            ("hook-answer-unusable", "Hook gave an unusable answer")
        }
        (Some(Outcome::Exited { .. }), None) => ("hook-failed", "Hook failed"),
    })
}

/// What happened comes first, so that long names cannot crowd it out.
fn detail(execution: &Execution, return_code: &str) -> String {
    let what = match (&execution.outcome, &execution.error) {
        (_, Some(error)) => error.clone(),
        (Some(outcome), None) => match &execution.verdict_fault {
            Some(fault) => format!("{outcome}; {fault}"),
            None => outcome.to_string(),
        },
        (None, None) => "cancelled before it ran".to_owned(),
    };
    let what: String = what.chars().take(DETAIL_MAX_CHARS / 2).collect();
    let mut detail = format!("return code {return_code}: {} {what}", execution.name);
    if let Some(container) = &execution.container {
        detail += &format!(
            " in container {} of pod {}, namespace {}",
            container.container_name, container.pod_name, container.namespace_name
        );
    }
    detail.chars().take(DETAIL_MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Map, json};
    use tenterhook_engine::{Digest, Trap};
    use tenterhook_sdk::Verdict;

    use super::*;
    use crate::clock::now;
    use crate::id::TaskId;
    use crate::registry::hook::FailurePolicy;
    use crate::runs::execution::Output;

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
            dead: false,
            created_at: now(),
            started_at: None,
            ended_at: None,
            due_at: None,
            so_far: None,
        }
    }

    #[test]
    fn an_operation_whose_hooks_ended_well_succeeded() {
        let well = execution(State::Finished, Some(Outcome::Exited { status: 0 }));
        for executions in [vec![], vec![well]] {
            let state = serde_json::to_value(HookState::of(&executions)).unwrap();
            assert_eq!(
                state,
                json!({"hookState": "success", "hookStateDetails": []})
            );
        }
    }

    #[test]
    fn every_failure_has_a_type_a_title_and_a_return_code() {
        let stopped = |limit| Some(Outcome::Stopped { limit });
        let trapped = Outcome::Trapped(Trap {
            reason: "unreachable".into(),
            backtrace: Vec::new(),
        });
        for (outcome, kind, code) in [
            (Some(Outcome::Exited { status: 3 }), "hook-failed", "3"),
            (stopped(Limit::Wall), "hook-timeout", "N/A"),
            (stopped(Limit::Fuel), "hook-limit", "N/A"),
            (Some(trapped), "hook-trapped", "N/A"),
            (Some(Outcome::Cancelled), "hook-cancelled", "N/A"),
            (None, "hook-cancelled", "N/A"),
        ] {
            let state = HookState::of(&[execution(State::Failed, outcome)]);
            assert_eq!(state.result, HookResult::Failed);
            let failure = &state.details[0];
            assert_eq!(
                (failure.kind, failure.failing.return_code.as_str()),
                (kind, code)
            );
            assert!((1..=40).contains(&failure.title.chars().count()));
            assert!(
                failure
                    .detail
                    .starts_with(&format!("return code {code}: freeze"))
            );
            assert!(
                failure
                    .detail
                    .ends_with("in container mysql of pod db-0, namespace prod")
            );
        }
    }

    #[test]
    fn a_hook_that_denies_has_failed_though_it_ended_well() {
        let mut denies = execution(State::Finished, Some(Outcome::Exited { status: 0 }));
        denies.verdict = Some(Verdict {
            allow: Some(false),
            reason: None,
            details: Map::new(),
        });
        assert_eq!(HookState::of(&[denies]).details[0].kind, "hook-denied");
    }

    #[test]
    fn a_hook_whose_answer_cannot_be_used_has_failed_and_is_told_why() {
        let mut unusable = execution(State::Failed, Some(Outcome::Exited { status: 0 }));
        unusable.verdict_fault = Some("/verdict.json cannot be used: it is empty".into());
        let failure = HookState::of(&[unusable]).details.remove(0);
        assert_eq!(failure.kind, "hook-answer-unusable");
        assert!(failure.detail.contains("it is empty"), "{}", failure.detail);
    }

    #[test]
    fn a_detail_is_never_longer_than_astra_allows() {
        let mut long = execution(State::Failed, None);
        long.name = "ä".repeat(255);
        long.error = Some("ö".repeat(2_000));
        let state = HookState::of(&[long]);
        assert_eq!(state.details[0].kind, "hook-not-run");
        assert_eq!(state.details[0].detail.chars().count(), DETAIL_MAX_CHARS);
    }
}
