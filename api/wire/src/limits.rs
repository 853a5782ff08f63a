//! What a server allows: the limits of runs and uploads, and the hook points.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The limits of a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AllLimits {
    /// The defaults of a hook that asks for none.
    pub default: RunLimits,
    /// The most that a hook may ask for.
    pub ceiling: RunLimits,
    /// The largest script.
    pub script_bytes: u64,
    /// The largest module or component.
    pub module_bytes: u64,
    /// The largest event.
    pub event_bytes: u64,
    /// The largest batch of events.
    pub batch_bytes: u64,
    /// Events in a batch.
    pub batch_events: usize,
    /// Executions that one event may cause.
    pub event_executions: usize,
    /// Executions that one request may cause in all.
    pub request_executions: usize,
    /// The longest `?wait=`.
    pub wait_seconds: u64,
}

/// The limits of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunLimits {
    /// Units of work.
    pub fuel: u64,
    /// Linear memory.
    pub memory_bytes: u64,
    /// Time from start to end.
    pub wall_ms: u64,
    /// Bytes kept of both streams.
    pub output_bytes: u64,
    /// Bytes in files.
    pub files_bytes: u64,
    /// Files and folders.
    pub inodes: u32,
    /// Files open at the same time.
    pub descriptors: u32,
}

/// An event that hooks can wait for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HookPoint {
    /// Its name, the type of its events.
    pub name: String,
    /// The API that documents it: `croit`, `astra`, `nova` or `fenix`.
    pub face: String,
    /// Whether hooks run for servers of the tenant's choice.
    pub can_choose_server: bool,
    /// When it fires.
    pub description: String,
    /// Members of the event's `data`; each becomes `HOOK_PARAM_<NAME>`.
    pub parameters: Vec<Parameter>,
}

/// One member of an event's data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it says.
    pub description: String,
    /// `text`, `number` (whole, from 0), `boolean` or `json`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether every event has it.
    pub required: bool,
    /// What it may look like.
    pub sample: Value,
}
