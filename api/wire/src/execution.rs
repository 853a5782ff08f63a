//! Executions: one hook on one target, and their attempts.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::container::Container;
use crate::hook::FailurePolicy;
use crate::reference::Reference;
use crate::task::State;
use crate::verdict::Verdict;

/// One hook, or one ad hoc program, on one target, with its latest attempt.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Execution {
    /// What is the same over all attempts.
    #[serde(flatten)]
    pub head: ExecutionHead,
    /// The latest attempt; until it has ended, the one before it.
    #[serde(flatten)]
    pub latest: Attempt,
}

/// What is the same over all attempts of an execution.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExecutionHead {
    /// Its identifier, a UUID.
    pub id: String,
    /// The id of the task that it is a part of.
    pub task: String,
    /// The number of that task.
    pub task_number: i32,
    /// The hook that caused it; absent if it was ad hoc. It may have been deleted since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<Reference>,
    /// The name of the source, or `script` for an inline one.
    pub name: String,
    /// The SHA-256 of the program.
    pub digest: String,
    /// The server that it runs for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerReference>,
    /// The container that it runs for, as it was when the event arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// How far it is.
    pub state: State,
    /// Which members of the event's data the hook did not get as parameters, and why.
    /// Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What its failure means for the event.
    pub failure_policy: FailurePolicy,
    /// Whether it failed for good after all its retries.
    pub dead: bool,
    /// When it was created.
    pub created_at: String,
    /// When it will be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// All attempts that are kept, the first one first; only where one execution is shown.
    /// The newest 33 are kept. One that was killed with the server is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Vec<Attempt>>,
    /// How many older ones are no longer kept; absent if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts_dropped: Option<u32>,
}

/// One attempt of an execution.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// From 1; in an execution, 0 before the first has begun.
    pub attempt: u32,
    /// How it ended; absent while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What the server could not do, if that is why there is no outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it used; in an execution that runs, so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Standard output, as far as it was kept; bytes that are not UTF-8 are replaced by
    /// U+FFFD. This and the next six are absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout: Option<String>,
    /// The exact bytes, if some had to be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout_base64: Option<String>,
    /// Standard error, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr: Option<String>,
    /// The exact bytes, if some had to be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr_base64: Option<String>,
    /// The lines of standard error that are structured log lines: objects with
    /// `level`, `message` and whatever else. At most 1,000 of the first MiB; absent
    /// if there are none. The first ones may be the server's own, with `source`
    /// `tenterhook`: they are the warnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub logs: Vec<Box<RawValue>>,
    /// Whether bytes were dropped at the output limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,
    /// How many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped_bytes: Option<u64>,
    /// What the hook left in `/verdict.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What is wrong with `/verdict.json`, if the hook left one that cannot be used;
    /// the attempt has failed then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict_fault: Option<String>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended; in an execution, when that ended for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Outcome {
    /// The hook exited.
    Exited {
        /// The exit status, 0 to 255.
        status: u8,
    },
    /// The hook was stopped at one of its limits.
    Stopped {
        /// `fuel`, `memory`, `wall` or `output`; `host` if its host had no room for it.
        limit: String,
    },
    /// The hook trapped.
    Trapped {
        /// Why, in one line.
        reason: String,
        /// The guest's frames, innermost first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        backtrace: Vec<String>,
    },
    /// It was cancelled.
    Cancelled,
}

/// The usage of one attempt. While it runs, values that are not known yet are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// `true` while it runs; absent when it has finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub so_far: Option<bool>,
    /// Units of work, host calls included; while it runs, at least so many.
    pub fuel: u64,
    /// The peak of its memory.
    pub memory_peak_bytes: u64,
    /// Microseconds since it began.
    pub wall_us: u64,
    /// Microseconds of processor time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_us: Option<u64>,
    /// Calls from the guest into the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_calls: Option<u64>,
    /// Bytes printed on both streams, dropped ones included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
    /// Bytes written to files, in whole blocks of 4 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files_bytes: Option<u64>,
}

/// The server that an execution runs for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerReference {
    /// Its number.
    pub number: i32,
    /// Its name.
    pub name: String,
}

/// By hand, since derived code would read the members through values, which do not hold
/// every number of a verdict.
impl<'de> Deserialize<'de> for Execution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self {
            head: serde_json::from_str(json.get()).map_err(D::Error::custom)?,
            latest: serde_json::from_str(json.get()).map_err(D::Error::custom)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = r#"{"id":"a","task":"b","task_number":7,"name":"guard","digest":"sha256:0","state":"FAILED","failure_policy":"closed","dead":false,"created_at":"2027-01-01T00:00:00Z","attempt":1,"outcome":{"kind":"exited","status":1},"verdict":{"allow":false,"big":12345678901234567890123,"small":1.10,"far":1e400}}"#;

    #[test]
    fn numbers_of_a_verdict_keep_their_text() {
        let execution: Execution = serde_json::from_str(SHOWN).unwrap();
        let verdict = execution.latest.verdict.as_ref().unwrap();
        assert_eq!(verdict.allow(), Some(false));
        assert_eq!(execution.head.task_number, 7);
        assert_eq!(serde_json::to_string(&execution).unwrap(), SHOWN);
    }

    #[test]
    fn members_that_a_newer_server_adds_are_ignored() {
        let newer = SHOWN.replacen('{', r#"{"new":{"number":1e999},"#, 1);
        assert!(serde_json::from_str::<Execution>(&newer).is_ok());
    }
}
