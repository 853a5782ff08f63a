//! Action plug-ins: the operator's code that maintains a host.

use serde::{Deserialize, Serialize};

use crate::metadata::Metadata;

/// When an action runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionType {
    /// Once, before the first host.
    Pre,
    /// For each host.
    Host,
    /// Once, after the last host.
    Post,
    /// For each compute host, after those of type `host`.
    Compute,
    /// For each controller host, after those of type `host`.
    Controller,
}

/// One action of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The name of the source that it runs.
    pub plugin: String,
    /// When it runs.
    #[serde(rename = "type")]
    pub kind: ActionType,
    /// Hints for the plug-in; its parameters.
    #[serde(default)]
    pub metadata: Metadata,
}
