//! An execution as the native face shows it: outcome, usage, output and answer.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::to_raw_value;
use tenterhook_dispatch as dispatch;
use tenterhook_engine::{LogLine, SoFar};
use tenterhook_sdk::log::Level;
use utoipa::ToSchema;

use crate::containers::Container;
use crate::time_text::time_text;

/// One hook, or one ad hoc program, on one target.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Execution {
    id: String,
    /// The id of the task that it is a part of.
    task: String,
    task_number: i32,
    /// The hook that caused it; absent if it was ad hoc. It may have been deleted since.
    #[serde(skip_serializing_if = "Option::is_none")]
    hook: Option<Reference>,
    /// The name of the source, or `script` for an inline one.
    name: String,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<ServerReference>,
    /// The container that it runs for, as it was when the event arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Container>,
    /// `WAITING`, `RUNNING`, `FINISHED`, `FAILED` or `CANCELED`.
    state: &'static str,
    /// From 1; 0 before the first has begun.
    attempt: u32,
    /// How the last attempt ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Outcome>)]
    outcome: Option<tenterhook_engine::Outcome>,
    /// What the server could not do, if that is why there is no outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The usage of the last attempt; of a running one, so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Usage>)]
    usage: Option<Bill>,
    #[serde(flatten)]
    output: Option<Output>,
    /// What the hook left in `/verdict.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    verdict: Option<tenterhook_engine::Verdict>,
    /// What is wrong with `/verdict.json`, if the hook left one that cannot be used;
    /// the execution has failed then.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict_fault: Option<String>,
    /// Which members of the event's data the hook did not get as parameters, and why.
    /// Absent if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<String>>)]
    warnings: Vec<String>,
    /// `open` or `closed`.
    failure_policy: &'static str,
    /// Whether it failed for good after all its retries.
    dead: bool,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    /// When it will be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
    /// All attempts that are kept, the first one first; only where one execution is shown.
    /// The newest 33 are kept. One that was killed with the server is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<Vec<Attempt>>,
    /// How many older ones are not kept any more; absent if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts_dropped: Option<u32>,
}

/// One attempt of an execution.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Attempt {
    /// From 1.
    attempt: u32,
    /// How it ended; absent while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Outcome>)]
    outcome: Option<tenterhook_engine::Outcome>,
    /// What the server could not do, if that is why there is no outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Usage>)]
    usage: Option<tenterhook_engine::Usage>,
    /// What it printed; only where one attempt is shown.
    #[serde(flatten)]
    output: Option<Output>,
    /// What the hook left in `/verdict.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    verdict: Option<tenterhook_engine::Verdict>,
    /// What is wrong with `/verdict.json`, if the hook left one that cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict_fault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
}

impl Attempt {
    /// The whole attempt.
    pub(super) fn new(own: dispatch::AttemptRecord) -> Self {
        let output = Output::new(&own.output, &[]);
        Self {
            output: Some(output),
            ..Self::without_output(own)
        }
    }

    /// The attempt as it is listed.
    pub(super) fn without_output(own: dispatch::AttemptRecord) -> Self {
        Self {
            attempt: own.attempt,
            outcome: own.outcome,
            error: own.error,
            usage: own.usage,
            output: None,
            verdict: own.verdict,
            verdict_fault: own.verdict_fault,
            started_at: own.started_at.map(time_text),
            ended_at: own.ended_at.map(time_text),
        }
    }
}

/// What an attempt printed, as far as it was kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Output {
    /// Standard output; bytes that are not UTF-8 are replaced by U+FFFD.
    stdout: String,
    /// The exact bytes, if some had to be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout_base64: Option<String>,
    /// Standard error, likewise.
    stderr: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr_base64: Option<String>,
    /// The lines of standard error that are structured log lines: objects with
    /// `level`, `message` and whatever else. At most 1,000 of the first MiB; absent
    /// if there are none. The first ones may be the server's own, with `source`
    /// `tenterhook`: they are the warnings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<Object>>)]
    logs: Vec<LogLine>,
    /// Whether bytes were dropped at the output limit.
    truncated: bool,
    /// How many.
    dropped_bytes: u64,
}

/// What an attempt has used.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Bill {
    /// It is over.
    Whole(tenterhook_engine::Usage),
    /// It runs: what is known so far.
    SoFar {
        so_far: bool,
        fuel: u64,
        memory_peak_bytes: u64,
        wall_us: u64,
    },
}

/// How a run ended.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the engine's own type in the OpenAPI document"
)]
pub(crate) struct Outcome {
    /// `exited`, `stopped`, `trapped` or `cancelled`.
    kind: String,
    /// With `exited`: 0 to 255.
    status: Option<u8>,
    /// With `stopped`: `fuel`, `memory`, `wall` or `output`.
    limit: Option<String>,
    /// With `trapped`: why.
    reason: Option<String>,
    /// With `trapped`: the guest's frames, innermost first.
    backtrace: Option<Vec<String>>,
}

/// The usage of one attempt. While it runs, what is not known yet is left out.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the engine's own type in the OpenAPI document"
)]
pub(crate) struct Usage {
    /// `true` while it runs; absent when it is over.
    so_far: Option<bool>,
    /// Units of work, host calls included; while it runs, at least so many.
    fuel: u64,
    memory_peak_bytes: u64,
    wall_us: u64,
    cpu_us: Option<u64>,
    host_calls: Option<u64>,
    output_bytes: Option<u64>,
    files_bytes: Option<u64>,
}

/// Both names of a noun.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reference {
    id: String,
    number: i32,
}

/// The server that an execution runs for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServerReference {
    number: i32,
    name: String,
}

impl Execution {
    /// Shows an execution with what it printed.
    pub(crate) fn new(own: dispatch::Execution) -> Self {
        let output = Output::new(&own.output, &own.warnings);
        Self {
            output: Some(output),
            ..Self::without_output(own)
        }
    }

    /// Shows an execution whose output was not asked for.
    pub(crate) fn without_output(own: dispatch::Execution) -> Self {
        Self {
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
            container: own.container.map(Container::from),
            state: own.state.as_str(),
            attempt: own.attempt,
            outcome: own.outcome,
            error: own.error,
            usage: Bill::new(own.usage, own.so_far),
            output: None,
            verdict: own.verdict,
            verdict_fault: own.verdict_fault,
            warnings: own.warnings,
            failure_policy: own.failure_policy.as_str(),
            dead: own.dead,
            created_at: time_text(own.created_at),
            started_at: own.started_at.map(time_text),
            ended_at: own.ended_at.map(time_text),
            due_at: own.due_at.map(time_text),
            attempts: None,
            attempts_dropped: None,
        }
    }

    /// Adds the attempts that are kept.
    pub(super) fn with_attempts(self, attempts: Vec<dispatch::AttemptRecord>) -> Self {
        let first = attempts.first().map_or(1, |first| first.attempt);
        // Those before the first that is kept; one that was killed with the server is no loss.
        let bound = self.attempt.saturating_sub(dispatch::EARLIER_ATTEMPTS_MAX);
        let dropped = bound.min(first.saturating_sub(1));
        Self {
            attempts: Some(attempts.into_iter().map(Attempt::without_output).collect()),
            attempts_dropped: (dropped > 0).then_some(dropped),
            ..self
        }
    }
}

impl Bill {
    fn new(whole: Option<tenterhook_engine::Usage>, so_far: Option<SoFar>) -> Option<Self> {
        let running = so_far.map(|so_far| Self::SoFar {
            so_far: true,
            fuel: so_far.fuel,
            memory_peak_bytes: so_far.memory_peak_bytes,
            wall_us: so_far.wall_us,
        });
        whole.map(Self::Whole).or(running)
    }
}

/// Most structured log lines that an answer holds.
const LOGS_MAX: usize = 1_000;

/// Bytes of standard error in which they are looked for.
pub(super) const LOGS_BYTES: usize = 1 << 20;

/// The structured log lines of a standard error.
pub(super) fn logs(stderr: &[u8]) -> Vec<LogLine> {
    stderr[..stderr.len().min(LOGS_BYTES)]
        .split(|byte| *byte == b'\n')
        .filter(|line| line.trim_ascii_start().starts_with(b"{"))
        .filter_map(|line| LogLine::parse(std::str::from_utf8(line).ok()?))
        .take(LOGS_MAX)
        .collect()
}

impl Output {
    fn new(own: &dispatch::Output, warnings: &[String]) -> Self {
        let (stdout, stdout_base64) = text(&own.stdout);
        let (stderr, stderr_base64) = text(&own.stderr);
        Self {
            stdout,
            stdout_base64,
            stderr,
            stderr_base64,
            logs: warnings
                .iter()
                .map(|warning| host_line(warning))
                .chain(logs(&own.stderr))
                .take(LOGS_MAX)
                .collect(),
            truncated: own.dropped_bytes > 0,
            dropped_bytes: own.dropped_bytes,
        }
    }
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
