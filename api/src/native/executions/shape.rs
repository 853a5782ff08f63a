//! Executions and attempts as this API shows them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::to_raw_value;
use tenterhook_dispatch as dispatch;
use tenterhook_engine::{self as engine, LogLine, SoFar};
use tenterhook_sdk::log::Level;
use tenterhook_wire::{
    Attempt, Execution, ExecutionHead, Outcome, Reference, ServerReference, Usage, Verdict,
};

use crate::containers;
use crate::native::words;
use crate::time_text::time_text;

/// Most structured log lines that a response holds.
const LOGS_MAX: usize = 1_000;

/// Bytes of standard error in which they are looked for.
pub(super) const LOGS_BYTES: usize = 1 << 20;

/// Shows an execution with what it printed.
pub(in crate::native) fn execution(mut own: dispatch::Execution) -> Execution {
    let output = std::mem::take(&mut own.latest.output);
    let mut shown = execution_without_output(own);
    print(&mut shown.latest, &output, &shown.head.warnings);
    shown
}

/// Shows an execution whose output was not asked for.
pub(super) fn execution_without_output(own: dispatch::Execution) -> Execution {
    let head = ExecutionHead {
        id: own.id.to_string(),
        task: own.task.to_string(),
        task_number: own.task_number.get(),
        hook: own.hook.map(|hook| Reference {
            id: hook.id.to_string(),
            number: hook.number.get(),
        }),
        name: own.name,
        digest: own.digest.to_string(),
        server: own.server.map(|server| ServerReference {
            number: server.number.get(),
            name: server.name,
        }),
        container: own.container.map(containers::show),
        state: words::state(own.state),
        warnings: own.warnings,
        failure_policy: words::policy(own.failure_policy),
        dead: own.dead,
        created_at: time_text(own.created_at),
        due_at: own.due_at.map(time_text),
        attempts: None,
        attempts_dropped: None,
    };
    let latest = Attempt {
        attempt: own.latest.attempt,
        outcome: own.latest.outcome.map(outcome),
        error: own.latest.error,
        usage: own.latest.usage.map(usage).or(own.so_far.map(usage_so_far)),
        verdict: own.latest.verdict.as_ref().map(verdict),
        verdict_fault: own.latest.verdict_fault,
        started_at: own.latest.started_at.map(time_text),
        ended_at: own.latest.ended_at.map(time_text),
        ..Attempt::default()
    };
    Execution { head, latest }
}

/// Adds the attempts that are kept.
pub(super) fn with_attempts(
    mut execution: Execution,
    attempts: Vec<dispatch::AttemptRecord>,
) -> Execution {
    let first = attempts.first().map_or(1, |first| first.attempt);
    // Those before the first that is kept; one that was killed with the server is not lost.
    let latest = execution.latest.attempt;
    let bound = latest.saturating_sub(dispatch::EARLIER_ATTEMPTS_MAX);
    let dropped = bound.min(first.saturating_sub(1));
    let attempts = attempts.into_iter().map(attempt_without_output);
    execution.head.attempts = Some(attempts.collect());
    execution.head.attempts_dropped = (dropped > 0).then_some(dropped);
    execution
}

/// Shows an attempt with what it printed.
pub(super) fn attempt(mut own: dispatch::AttemptRecord) -> Attempt {
    let output = std::mem::take(&mut own.output);
    let mut shown = attempt_without_output(own);
    print(&mut shown, &output, &[]);
    shown
}

/// Shows an attempt as it is listed.
pub(super) fn attempt_without_output(own: dispatch::AttemptRecord) -> Attempt {
    Attempt {
        attempt: own.attempt,
        outcome: own.outcome.map(outcome),
        error: own.error,
        usage: own.usage.map(usage),
        verdict: own.verdict.as_ref().map(verdict),
        verdict_fault: own.verdict_fault,
        started_at: own.started_at.map(time_text),
        ended_at: own.ended_at.map(time_text),
        ..Attempt::default()
    }
}

/// Adds what an attempt has printed.
fn print(attempt: &mut Attempt, own: &dispatch::Output, warnings: &[String]) {
    let (stdout, stdout_base64) = text(&own.stdout);
    let (stderr, stderr_base64) = text(&own.stderr);
    attempt.stdout = Some(stdout);
    attempt.stdout_base64 = stdout_base64;
    attempt.stderr = Some(stderr);
    attempt.stderr_base64 = stderr_base64;
    attempt.logs = warnings
        .iter()
        .map(|warning| host_line(warning))
        .chain(logs(&own.stderr))
        .take(LOGS_MAX)
        .map(|line| to_raw_value(&line).expect("a log line is JSON"))
        .collect();
    attempt.truncated = Some(own.dropped_bytes > 0);
    attempt.dropped_bytes = Some(own.dropped_bytes);
}

pub(super) fn outcome(own: engine::Outcome) -> Outcome {
    match own {
        engine::Outcome::Exited { status } => Outcome::Exited { status },
        engine::Outcome::Stopped { limit } => Outcome::Stopped {
            limit: limit.as_str().to_owned(),
        },
        engine::Outcome::Trapped(trap) => Outcome::Trapped {
            reason: trap.reason,
            backtrace: trap.backtrace,
        },
        engine::Outcome::Cancelled => Outcome::Cancelled,
    }
}

fn usage(own: engine::Usage) -> Usage {
    Usage {
        so_far: None,
        fuel: own.fuel,
        memory_peak_bytes: own.memory_peak_bytes,
        wall_us: own.wall_us,
        cpu_us: Some(own.cpu_us),
        host_calls: Some(own.host_calls),
        output_bytes: Some(own.output_bytes),
        files_bytes: Some(own.files_bytes),
    }
}

fn usage_so_far(own: SoFar) -> Usage {
    Usage {
        so_far: Some(true),
        fuel: own.fuel,
        memory_peak_bytes: own.memory_peak_bytes,
        wall_us: own.wall_us,
        ..Usage::default()
    }
}

fn verdict(own: &engine::Verdict) -> Verdict {
    Verdict(to_raw_value(own).expect("a verdict holds nothing that JSON cannot say"))
}

/// The structured log lines of a standard error.
pub(super) fn logs(stderr: &[u8]) -> Vec<LogLine> {
    stderr[..stderr.len().min(LOGS_BYTES)]
        .split(|byte| *byte == b'\n')
        .filter(|line| line.trim_ascii_start().starts_with(b"{"))
        .filter_map(|line| LogLine::parse(std::str::from_utf8(line).ok()?))
        .take(LOGS_MAX)
        .collect()
}

/// A log line of the server's own.
fn host_line(warning: &str) -> LogLine {
    let source = to_raw_value("tenterhook").expect("a text is JSON");
    LogLine {
        level: Level::Warn,
        message: warning.to_owned(),
        fields: BTreeMap::from([("source".to_owned(), source)]),
    }
}

/// Bytes as text, and as base64 too where they are not text.
fn text(bytes: &[u8]) -> (String, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        Err(_) => (
            String::from_utf8_lossy(bytes).into_owned(),
            Some(STANDARD.encode(bytes)),
        ),
    }
}
