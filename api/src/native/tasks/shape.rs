//! A task as the native face shows it, with or without its executions.

use serde::Serialize;
use serde_json::value::RawValue;
use tenterhook_dispatch as dispatch;
use utoipa::ToSchema;

use crate::astra::hook_state::HookState;
use crate::native::executions::Execution;
use crate::time_text::time_text;

/// A task with its outcome.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Task {
    id: String,
    number: i32,
    /// The event's type, or what was run.
    name: String,
    /// `WAITING`, `RUNNING`, `FINISHED`, `FAILED` or `CANCELED`.
    state: &'static str,
    /// The principal that caused it.
    started_by: String,
    /// The event's subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// The event; absent if it was ad hoc.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    event: Option<dispatch::EventKey>,
    #[schema(value_type = Object)]
    progress: dispatch::Progress,
    /// Whether cancellation was requested.
    cancelled: bool,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    /// Whether the event may go on; absent until the task has finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    allow: Option<bool>,
    /// Why it may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    reasons: Option<Vec<dispatch::Reason>>,
    /// What the hooks answered: one verdict, or a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    result: Option<Box<RawValue>>,
    /// How the hooks of one of Astra's operations went; absent until it has finished.
    #[serde(flatten)]
    #[schema(inline, value_type = Option<HookState>)]
    hook_state: Option<HookState>,
    #[serde(skip)]
    over: bool,
    /// Absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    executions: Option<Vec<Execution>>,
}

impl Task {
    /// Whether it has finished.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Shows a task alone.
    pub(crate) fn new(own: dispatch::Task) -> Self {
        Self {
            id: own.id.to_string(),
            number: own.number.get(),
            name: own.name,
            state: own.state.as_str(),
            over: own.state.is_over(),
            started_by: own.started_by,
            object: own.object,
            event: own.event,
            progress: own.progress,
            cancelled: own.cancelled,
            created_at: time_text(own.created_at),
            started_at: own.started_at.map(time_text),
            ended_at: own.ended_at.map(time_text),
            allow: None,
            reasons: None,
            result: None,
            hook_state: None,
            executions: None,
        }
    }

    /// Shows a task with its executions and what they mean together.
    pub(crate) fn with_executions(own: dispatch::TaskDetail) -> Self {
        let (ruling, result) = (own.ruling(), own.result());
        let hook_state = HookState::of_task(&own);
        let (allow, reasons) = match ruling {
            Some(ruling) => (Some(ruling.allow), Some(ruling.reasons)),
            None => (None, None),
        };
        Self {
            allow,
            reasons: reasons.filter(|reasons| !reasons.is_empty()),
            result,
            hook_state,
            executions: Some(own.executions.into_iter().map(Execution::new).collect()),
            ..Self::new(own.task)
        }
    }
}
