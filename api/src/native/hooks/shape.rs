//! A hook as the native face reads and shows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{FailurePolicy, HookChange, RetryPolicy};
use tenterhook_engine::AskedLimits;
use utoipa::ToSchema;

use crate::native::hooks::reference::{Servers, SourceKey};
use crate::native::time_text;
use crate::refusal::Refusal;

/// A source bound to an event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hook {
    id: String,
    number: i32,
    /// The id of the source.
    source: String,
    event: String,
    /// `"all"`, a list of server numbers, or null where there is no choice.
    #[schema(value_type = Object)]
    servers: Servers,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    #[schema(value_type = Limits)]
    limits: AskedLimits,
    order: i32,
    enabled: bool,
    /// `open` or `closed`.
    #[schema(value_type = String)]
    failure_policy: FailurePolicy,
    #[schema(value_type = Retry)]
    retry: RetryPolicy,
    created_at: String,
    modified_at: String,
}

impl Hook {
    /// Shows a hook.
    pub(crate) fn new(own: dispatch::Hook) -> Self {
        Self {
            id: own.id.to_string(),
            number: own.number.get(),
            source: own.source.to_string(),
            event: own.event.to_string(),
            servers: Servers(own.targets),
            args: own.args,
            env: own.env,
            limits: own.limits,
            order: own.order,
            enabled: own.enabled,
            failure_policy: own.failure_policy,
            retry: own.retry,
            created_at: time_text(own.created_at),
            modified_at: time_text(own.modified_at),
        }
    }
}

/// A hook to make. What is left out has its default.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewHook {
    /// The id or the number of a source.
    #[schema(value_type = Object)]
    source: SourceKey,
    /// The name of a hook point.
    event: String,
    /// `"all"` (the default) or a list of server numbers.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    servers: Option<Servers>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    #[schema(value_type = Limits)]
    limits: AskedLimits,
    #[serde(default)]
    order: i32,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    failure_policy: Option<FailurePolicy>,
    #[serde(default)]
    #[schema(value_type = Retry)]
    retry: RetryPolicy,
}

impl From<NewHook> for dispatch::NewHook {
    fn from(said: NewHook) -> Self {
        Self {
            source: said.source.0,
            event: said.event,
            targets: said.servers.map(|servers| servers.0),
            args: said.args,
            env: said.env,
            limits: said.limits,
            order: said.order,
            enabled: said.enabled,
            failure_policy: said.failure_policy,
            retry: said.retry,
        }
    }
}

/// What to change of a hook. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedHook {
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    source: Option<SourceKey>,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    servers: Option<Servers>,
    #[serde(default)]
    args: Option<Vec<String>>,
    #[serde(default)]
    env: Option<BTreeMap<String, String>>,
    #[serde(default)]
    #[schema(value_type = Option<Limits>)]
    limits: Option<AskedLimits>,
    #[serde(default)]
    order: Option<i32>,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    failure_policy: Option<FailurePolicy>,
    #[serde(default)]
    #[schema(value_type = Option<Retry>)]
    retry: Option<RetryPolicy>,
}

impl From<ChangedHook> for HookChange {
    fn from(said: ChangedHook) -> Self {
        Self {
            source: said.source.map(|source| source.0),
            event: said.event,
            targets: said.servers.map(|servers| servers.0),
            args: said.args,
            env: said.env,
            limits: said.limits,
            order: said.order,
            enabled: said.enabled,
            failure_policy: said.failure_policy,
            retry: said.retry,
        }
    }
}

/// The limits that a hook asks for; what is left out has its default.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the engine's own type in the OpenAPI document"
)]
pub(crate) struct Limits {
    fuel: Option<u64>,
    memory_bytes: Option<u64>,
    wall_ms: Option<u64>,
    output_bytes: Option<u64>,
    files_bytes: Option<u64>,
    inodes: Option<u32>,
    descriptors: Option<u32>,
}

/// When a failed execution is run again.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the dispatcher's own type in the OpenAPI document"
)]
pub(crate) struct Retry {
    /// Attempts in all, 1 to 20; 1 by default.
    attempts: Option<u32>,
    backoff_ms: Option<u64>,
    backoff_max_ms: Option<u64>,
    /// Which failures are tried again: `exited`, `stopped`, `trapped`.
    #[schema(value_type = Option<Object>)]
    on: Option<()>,
}

/// A body refers to something that is not there: that is the body's fault, and
/// not an unknown path.
pub(crate) fn dangling(error: dispatch::Error) -> Refusal {
    match error {
        dispatch::Error::NotFound { what, id } => {
            let pointer = match what {
                dispatch::Noun::Source => "/source",
                dispatch::Noun::HookPoint => "/event",
                dispatch::Noun::Server => "/servers",
                _ => "",
            };
            Refusal::invalid(
                pointer,
                format!("names the {what} `{id}`, which does not exist"),
            )
        }
        error => error.into(),
    }
}
