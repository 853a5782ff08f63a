//! What the executions of a task mean together: go on or not, and why.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tenterhook_engine::{Outcome, Verdict};

use crate::id::{ExecutionId, Number};
use crate::registry::hook::FailurePolicy;
use crate::runs::execution::{Execution, State};

/// Whether what an event announces may go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ruling {
    /// `false` if any execution denies it.
    pub allow: bool,
    /// One for each execution that denies it.
    pub reasons: Vec<Reason>,
}

/// Why one execution denies the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The execution.
    pub execution: ExecutionId,
    /// The number of its hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<Number>,
    /// The name of its server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The hook's text, or ours if the hook gave none.
    pub reason: String,
}

/// Longest reason that is passed on, in characters.
const REASON_MAX_CHARS: usize = 1_000;

impl Ruling {
    /// Derives the ruling from finished executions.
    ///
    /// An execution denies if its verdict says `allow: false`, or if it did not
    /// end well and its hook's failure policy is closed.
    #[must_use]
    pub fn of(executions: &[Execution]) -> Self {
        let reasons: Vec<_> = executions
            .iter()
            .filter_map(|execution| {
                denial(execution).map(|reason| Reason {
                    execution: execution.id,
                    hook: execution.hook.map(|hook| hook.number),
                    server: execution.server.as_ref().map(|server| server.name.clone()),
                    reason,
                })
            })
            .collect();
        Self {
            allow: reasons.is_empty(),
            reasons,
        }
    }
}

/// What the executions answered: the verdict if there is one, a list of them if
/// there are more, `None` if there is none.
#[must_use]
pub fn result_of(executions: &[Execution]) -> Option<Box<RawValue>> {
    let verdicts = executions
        .iter()
        .filter_map(|execution| execution.latest.verdict.as_ref());
    result_of_verdicts(verdicts)
}

/// The same of the verdicts alone.
#[must_use]
pub fn result_of_verdicts<'a>(
    verdicts: impl IntoIterator<Item = &'a Verdict>,
) -> Option<Box<RawValue>> {
    let verdicts: Vec<_> = verdicts.into_iter().collect();
    let json = match &verdicts[..] {
        [] => return None,
        [one] => to_raw_value(one),
        several => to_raw_value(several),
    };
    Some(json.expect("a verdict holds nothing that JSON cannot say"))
}

fn denial(execution: &Execution) -> Option<String> {
    if let Some(verdict) = &execution.latest.verdict
        && verdict.allow == Some(false)
    {
        let reason = verdict
            .reason
            .as_deref()
            .unwrap_or("the hook denied it without a reason");
        return Some(reason.chars().take(REASON_MAX_CHARS).collect());
    }
    if execution.state == State::Finished || execution.failure_policy == FailurePolicy::Open {
        return None;
    }
    Some(match (&execution.latest.outcome, &execution.latest.error) {
        (_, Some(error)) => format!("the hook could not be run: {error}"),
        (Some(Outcome::Exited { status }), None) => match (&execution.latest.verdict_fault, status)
        {
            (Some(fault), 0) => format!("the hook's {fault}"),
            (Some(fault), _) => format!("the hook exited with status {status}, and its {fault}"),
            (None, _) => format!("the hook exited with status {status}"),
        },
        (Some(outcome), None) => format!("the hook was {outcome}"),
        (None, None) => "the hook was cancelled before it ran".into(),
    })
}
