//! Events that were posted.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::task::Task;

/// An event that is stored, and the task that it caused.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PostedEvent {
    /// The event as it was accepted, its data as it was sent.
    #[schema(value_type = Object)]
    pub event: Box<RawValue>,
    /// The task.
    pub task: Task,
    /// Whether it had been posted before; the task is the first one then.
    pub repeated: bool,
    /// Whether that first task is no longer kept; the response has what is left of it.
    pub removed: bool,
}

/// What makes an event unique within an account, and its type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Where it happened.
    pub source: String,
    /// Unique within `source`.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
}
