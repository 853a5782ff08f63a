//! One hook, or one ad hoc program, on one target: its state and its outcome.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tenterhook_engine::{Digest, Outcome, Report, SoFar, Stream, Usage, Verdict};
use time::OffsetDateTime;

use crate::id::{ExecutionId, HookId, Number, TaskId};
use crate::registry::app::Container;
use crate::registry::hook::FailurePolicy;
use crate::runs::recording::Recording;

/// One hook or ad hoc program on one target.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// Its identifier, the same over all attempts.
    pub id: ExecutionId,
    /// The task that it is a part of.
    pub task: TaskId,
    /// The number of that task.
    pub task_number: Number,
    /// The hook that caused it; `None` if it was ad hoc. It may have been deleted since.
    pub hook: Option<HookRef>,
    /// The program's name: its source's, or `script` for an inline one.
    pub name: String,
    /// The program's bytes.
    pub digest: Digest,
    /// What its failure means for the event.
    pub failure_policy: FailurePolicy,
    /// The server that it runs for.
    pub server: Option<ServerRef>,
    /// The container that it runs for, as it was when the event arrived.
    pub container: Option<Container>,
    /// Where it stands.
    pub state: State,
    /// The latest attempt; while that runs, what is known of it so far.
    pub latest: AttemptRecord,
    /// What the attempt that runs has used so far; `None` unless one runs.
    pub so_far: Option<SoFar>,
    /// Which members of the event's data its hook did not get as parameters, and why: one
    /// sentence each.
    pub warnings: Vec<String>,
    /// Whether it failed for good after all its retries; it can be redriven.
    pub dead: bool,
    /// When it came into being.
    pub created_at: OffsetDateTime,
    /// When it will be tried again, if it waits for that.
    pub due_at: Option<OffsetDateTime>,
}

impl Execution {
    /// Whether its outcome is that of its latest attempt, which has ended. It is not of one that
    /// was killed with the server, or that is redriven.
    #[must_use]
    pub fn has_ended_attempt(&self) -> bool {
        self.latest.has_ended()
    }
}

/// One attempt of an execution.
///
/// One that was killed with the server has left no record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttemptRecord {
    /// Which it is or was, from 1; 0 in an execution before the first has begun.
    ///
    /// After the server was killed an execution may count an attempt that never began, but
    /// it misses none that did.
    pub attempt: u32,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// What the host could not do, if that is why there is no outcome.
    pub error: Option<String>,
    /// What it used.
    pub usage: Option<Usage>,
    /// What it printed; empty where output was not asked for.
    pub output: Output,
    /// What it answered.
    pub verdict: Option<Verdict>,
    /// What is wrong with its answer, in one line. An answer that cannot be used is a
    /// failure of the hook.
    pub verdict_fault: Option<String>,
    /// What makes it repeatable; `None` unless it ran to its end.
    pub recording: Option<Recording>,
    /// When it began, if it did.
    pub started_at: Option<OffsetDateTime>,
    /// When it ended; in an execution, when that ended for good.
    pub ended_at: Option<OffsetDateTime>,
}

impl AttemptRecord {
    /// What a run has left behind.
    pub(crate) fn of(report: Report) -> Self {
        Self {
            outcome: Some(report.outcome),
            usage: Some(report.usage),
            output: Output {
                stdout: Bytes::from(report.stdout),
                stderr: Bytes::from(report.stderr),
                dropped_bytes: report.dropped_bytes,
            },
            verdict: report.verdict,
            verdict_fault: report.verdict_fault,
            ..Self::default()
        }
    }

    /// Whether it has come to an end.
    pub(crate) fn has_ended(&self) -> bool {
        self.outcome.is_some() || self.error.is_some()
    }

    /// Whether it was interrupted from outside, so that an equal run may end otherwise.
    pub(crate) fn is_interrupted(&self) -> bool {
        let outcome = self.outcome.as_ref();
        outcome.is_some_and(|outcome| !outcome.is_repeatable())
    }
}

/// The hook of an execution, as it was when the event arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HookRef {
    /// Its identifier.
    pub id: HookId,
    /// Its number.
    pub number: Number,
}

/// The server of an execution, as it was when the event arrived.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ServerRef {
    /// Its number.
    pub number: Number,
    /// Its name.
    pub name: String,
}

/// What an attempt printed, as far as it was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Standard output. Raw bytes: neutralise escape sequences before showing them.
    pub stdout: Bytes,
    /// Standard error. Raw bytes.
    pub stderr: Bytes,
    /// Bytes that were dropped at the output limit; 0 if none.
    pub dropped_bytes: u64,
}

impl Output {
    /// What was kept of one stream.
    pub(crate) fn of(&self, stream: Stream) -> &Bytes {
        match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        }
    }
}

/// Where an execution or a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// It has not begun, or waits to be tried again.
    Waiting,
    /// It is running.
    Running,
    /// It ended well.
    Finished,
    /// It ended otherwise.
    Failed,
    /// It was cancelled.
    Canceled,
}

/// The text is not a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a state is `WAITING`, `RUNNING`, `FINISHED`, `FAILED` or `CANCELED`")]
pub struct NotAState;

impl State {
    /// Whether nothing more will happen.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Canceled)
    }

    /// The name in capitals, as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Running => "RUNNING",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = NotAState;

    fn from_str(text: &str) -> Result<Self, NotAState> {
        [
            Self::Waiting,
            Self::Running,
            Self::Finished,
            Self::Failed,
            Self::Canceled,
        ]
        .into_iter()
        .find(|state| state.as_str().eq_ignore_ascii_case(text))
        .ok_or(NotAState)
    }
}
