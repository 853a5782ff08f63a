//! What a session is asked to do, checked once.

mod check;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::action::Action;
use crate::metadata::Metadata;
use crate::state::State;

/// What a session is asked to do, as it was sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewPlan {
    /// Names of the hosts to maintain; empty means all compute hosts of the inventory.
    pub hosts: Vec<String>,
    /// The state to begin in: `MAINTENANCE`, or another one by its name.
    pub state: String,
    /// When the work starts, `YYYY-MM-DD HH:MM:SS` in UTC; what is past is now.
    pub maintenance_at: String,
    /// `default`, `vnf`, or the name of a source.
    pub workflow: String,
    /// Hints for projects and plug-ins.
    pub metadata: Metadata,
    /// Addresses of packages; recorded and passed to plug-ins, never fetched.
    pub download: Vec<String>,
    /// What to run.
    pub actions: Vec<Action>,
}

/// What a session is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Names of the hosts to maintain, each once; never empty once a session has begun.
    pub hosts: Vec<String>,
    /// The state to begin in.
    pub state: State,
    /// When the work starts.
    #[serde(with = "time::serde::rfc3339")]
    pub maintenance_at: OffsetDateTime,
    /// Who decides.
    pub workflow: Workflow,
    /// Hints for projects and plug-ins.
    pub metadata: Metadata,
    /// Addresses of packages.
    pub download: Vec<String>,
    /// What to run, sorted by the name of the plug-in within a type.
    pub actions: Vec<Action>,
}

/// Who decides how a session goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workflow {
    /// Fenix's own.
    Default,
    /// The one that honours what projects demand.
    Vnf,
    /// A source of the account: given the session, it returns where to go.
    Source(String),
}

/// One thing that is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {reason}")]
pub struct InvalidField {
    /// The member, as a path such as `actions[1].plugin`.
    pub field: String,
    /// What is wrong and what to send instead.
    pub reason: String,
}

impl InvalidField {
    fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}
