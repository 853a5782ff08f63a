//! The result of a job's task, in words for the admin who must correct it.

use serde_json::{Map, Value};
use tenterhook_dispatch::{Execution, State, TaskDetail};
use tenterhook_engine::json;
use tenterhook_session::Done;

/// Longest part of a guest's own words that is passed on, in characters.
const QUOTE_MAX_CHARS: usize = 300;

/// What came of an event that hooks may deny.
pub(crate) fn of_hooks(detail: &TaskDetail) -> Done {
    let task = Some(detail.task.id.as_uuid());
    match denied(detail) {
        Some(reason) => Done::Badly { reason, task },
        None => Done::Well {
            message: match detail.executions.len() {
                0 => "no hook is bound to it".into(),
                1 => "its hook allows it".into(),
                hooks => format!("its {hooks} hooks allow it"),
            },
            task,
        },
    }
}

/// What came of a plug-in.
pub(crate) fn of_plugin(detail: &TaskDetail) -> Done {
    let task = Some(detail.task.id.as_uuid());
    if let Some(reason) = denied(detail) {
        return Done::Badly { reason, task };
    }
    let Some(execution) = chosen(detail) else {
        let reason = "was not run".into();
        return Done::Badly { reason, task };
    };
    // As Fenix's own plug-ins say how they ended.
    if let Some(state) = find_answer(execution, "state").and_then(|answer| answer.text("state"))
        && (state.is_empty() || state.contains("FAILED"))
    {
        let reason = format!(
            "reports that it ended in state `{}`{}",
            clean(&state),
            quote(execution)
        );
        return Done::Badly { reason, task };
    }
    Done::Well {
        message: format!("ended well{}", quote(execution)),
        task,
    }
}

/// What a tenant's workflow has decided.
pub(crate) fn of_workflow(detail: &TaskDetail) -> Done {
    let task = Some(detail.task.id.as_uuid());
    if let Some(reason) = denied(detail) {
        return Done::Badly { reason, task };
    }
    let answer = chosen(detail).and_then(|execution| find_answer(execution, "next"));
    let next = answer.as_ref().and_then(|answer| answer.text("next"));
    let Some((answer, next)) = answer.as_ref().zip(next) else {
        let reason = "did not say where to go: it must leave an object such as \
                      {\"next\": \"START_MAINTENANCE\", \"reason\": \"…\"} in /verdict.json, \
                      or print one on standard output"
            .into();
        return Done::Badly { reason, task };
    };
    Done::Chosen {
        next: clean(&next),
        reason: clean(&answer.text("reason").unwrap_or_default()),
        task,
    }
}

/// Why the event was denied, if it was; all reasons in one line.
fn denied(detail: &TaskDetail) -> Option<String> {
    let ruling = detail.ruling()?;
    if ruling.allow {
        return None;
    }
    let reasons: Vec<_> = ruling
        .reasons
        .iter()
        .map(|denial| {
            let execution = detail
                .executions
                .iter()
                .find(|one| one.id == denial.execution);
            match execution {
                Some(execution) if execution.hook.is_none() => ended(execution, &denial.reason),
                Some(execution) => format!(
                    "hook {} (`{}`) on {} denied it: {}",
                    execution.hook.map_or(0, |hook| hook.number.get()),
                    execution.name,
                    detail.task.name,
                    clean(&denial.reason)
                ),
                None => clean(&denial.reason),
            }
        })
        .collect();
    Some(reasons.join("; "))
}

/// How a chosen source's run ended, if not well.
fn ended(execution: &Execution, reason: &str) -> String {
    if execution
        .latest
        .verdict
        .as_ref()
        .and_then(|verdict| verdict.allow)
        == Some(false)
    {
        return format!("refused: {}", clean(reason));
    }
    if execution.state == State::Canceled {
        return "was cancelled".into();
    }
    match (&execution.latest.outcome, &execution.latest.error) {
        (_, Some(error)) => format!("could not be run: {}", clean(error)),
        (Some(_), None) if execution.latest.verdict_fault.is_some() => {
            let fault = execution.latest.verdict_fault.as_deref();
            format!(
                "left an unusable verdict: {}",
                clean(fault.unwrap_or_default())
            )
        }
        (Some(outcome), None) => {
            let verb = match outcome {
                tenterhook_engine::Outcome::Exited { .. }
                | tenterhook_engine::Outcome::Trapped(_) => "",
                _ => "was ",
            };
            let outcome = clean(&outcome.to_string());
            format!("{verb}{outcome}{}", quote(execution))
        }
        (None, None) => "was cancelled before it ran".into(),
    }
}

/// The run of the source that we have chosen; hooks on the same event are others'.
fn chosen(detail: &TaskDetail) -> Option<&Execution> {
    detail.executions.iter().find(|one| one.hook.is_none())
}

/// An answer in JSON.
struct Answer(Map<String, Value>);

impl Answer {
    fn text(&self, member: &str) -> Option<String> {
        match self.0.get(member)? {
            Value::String(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// The answer that has this member: the verdict, else the last object on standard
/// output, which may stand on a line of its own or be the whole output.
fn find_answer(execution: &Execution, member: &str) -> Option<Answer> {
    let verdict = execution.latest.verdict.as_ref().map(|verdict| {
        let details = verdict.details.iter();
        let mut members: Map<_, _> = details
            .map(|(name, value)| (name.clone(), json::nearest(value)))
            .collect();
        if let Some(reason) = &verdict.reason {
            members.insert("reason".into(), reason.as_str().into());
        }
        Value::Object(members)
    });
    let stdout = &execution.latest.output.stdout;
    let lines = stdout.rsplit(|byte| *byte == b'\n');
    let printed = lines
        .chain(std::iter::once(&stdout[..]))
        .filter(|text| text.trim_ascii().first() == Some(&b'{'))
        .filter_map(|text| serde_json::from_slice(text).ok())
        .map(json::nearest);
    verdict
        .into_iter()
        .chain(printed)
        .find_map(|value| match value {
            Value::Object(object) if object.contains_key(member) => Some(Answer(object)),
            _ => None,
        })
}

/// A run's own words, in brackets: its verdict's reason, else the last
/// line that it printed.
fn quote(execution: &Execution) -> String {
    let reason = execution
        .latest
        .verdict
        .as_ref()
        .and_then(|verdict| verdict.reason.as_deref())
        .map(clean);
    let printed = || {
        [
            &execution.latest.output.stderr,
            &execution.latest.output.stdout,
        ]
        .into_iter()
        .find_map(|bytes| last_line(bytes))
    };
    match reason.or_else(printed) {
        Some(text) if !text.is_empty() => format!(" (it said: {text})"),
        _ => String::new(),
    }
}

fn last_line(bytes: &[u8]) -> Option<String> {
    bytes
        .rsplit(|byte| *byte == b'\n')
        .map(|line| clean(&String::from_utf8_lossy(line)))
        .find(|line| !line.is_empty())
}

/// A guest's words as one short line without control characters.
fn clean(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(QUOTE_MAX_CHARS)
        .collect();
    text.trim().to_owned()
}

#[cfg(test)]
#[path = "answer/tests.rs"]
mod tests;
