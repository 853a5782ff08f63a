//! Tasks: what one event or one ad hoc call caused, as a whole.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::container::Container;
use crate::event::Event;
use crate::execution::Execution;

/// A task with its outcome.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Task {
    /// Its identifier, a UUID.
    pub id: String,
    /// Its number, unique within the account.
    pub number: i32,
    /// The event's type, or what was run.
    pub name: String,
    /// How far it is.
    pub state: State,
    /// The principal that caused it.
    pub started_by: String,
    /// The event's subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The event; absent if it was ad hoc.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// Its finished executions, of all.
    pub progress: Progress,
    /// Whether cancellation was requested.
    pub cancelled: bool,
    /// When it was created.
    pub created_at: String,
    /// When its first execution began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When its last execution ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Whether the event may go on; absent until the task has finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow: Option<bool>,
    /// Why it may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Vec<Reason>>,
    /// What the hooks answered: one verdict, or a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub result: Option<Box<RawValue>>,
    /// How the hooks of one of Astra's operations went, `success` or `failed`; absent until
    /// it has finished.
    #[serde(rename = "hookState", skip_serializing_if = "Option::is_none")]
    pub hook_state: Option<String>,
    /// One for each execution that failed; beside `hookState`.
    #[serde(rename = "hookStateDetails", skip_serializing_if = "Option::is_none")]
    pub hook_state_details: Option<Vec<HookFailure>>,
    /// Absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executions: Option<Vec<Execution>>,
}

/// How far a task or an execution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// It has not begun, or waits for a retry.
    Waiting,
    /// It is running.
    Running,
    /// It succeeded.
    Finished,
    /// It failed.
    Failed,
    /// It was cancelled.
    Canceled,
}

impl State {
    /// Returns its name in JSON.
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

    /// Returns whether it has finished.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Canceled)
    }
}

/// Finished executions, of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// All executions.
    pub total: u32,
    /// The finished ones.
    pub complete: u32,
}

/// Why one execution denies the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// The id of the execution.
    pub execution: String,
    /// The number of its hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<i32>,
    /// The name of its server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The hook's text, or the server's if the hook gave none.
    pub reason: String,
}

/// Why one execution of one of Astra's operations failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HookFailure {
    /// The kind of failure, machine-readable.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same in words; at most 40 characters.
    pub title: String,
    /// Which hook failed where, and with which return code; 1 to 511 characters.
    pub detail: String,
    /// The same as values.
    pub additional_details: FailedExecution,
}

/// The execution that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedExecution {
    /// Its id.
    #[serde(rename = "executionID")]
    pub execution: String,
    /// The number of its hook.
    pub hook: Option<i32>,
    /// The status that it exited with, or `N/A` if it did not exit.
    pub return_code: String,
    /// The container that it ran for.
    pub container: Option<Container>,
}
