//! How far a session is within its state, so that a stored one goes on exactly.
//!
//! Every member may be missing in what was stored earlier; it is then as in a session
//! that has just begun.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::inventory::HostKind;
use crate::round::{Ask, Round};
use crate::state::State;
use crate::work::Job;

/// How far a session is within its state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    /// What comes next.
    pub(crate) stage: Stage,
    /// The stage in which it failed.
    #[serde(rename = "held")]
    pub(crate) failed_stage: Option<Stage>,
    /// What is being done.
    pub(crate) current: Option<Current>,
    /// Jobs begun so far; makes keys unique.
    pub(crate) jobs: u64,
    /// Plug-ins of type `pre` or `post` that have run in this state.
    pub(crate) ran: usize,
    /// What all projects were asked in this state.
    pub(crate) ask: Option<Ask>,
    /// The host that is being emptied, and its instances.
    pub(crate) round: Round,
    /// Hosts whose maintenance has begun, by name.
    pub(crate) hosts: BTreeMap<String, HostProgress>,
    /// The host that is being maintained.
    pub(crate) host: Option<String>,
    /// Hosts maintained since the state was entered.
    pub(crate) maintained: u32,
    /// Whether hosts that wait for their maintenance have been closed to new instances.
    pub(crate) closed: bool,
    /// Times that `SCALE_IN` was entered since the session began or was resumed.
    pub(crate) scale_ins: u32,
    /// Transitions since a host was maintained.
    pub(crate) idle: u32,
    /// Instances that have been moved and still count as affected.
    pub(crate) rests: Vec<Rest>,
}

/// What comes next within a state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// It is to be announced that the state has been entered.
    #[default]
    Enter,
    /// Projects are to be notified.
    Ask,
    /// Their replies are awaited.
    Replies,
    /// The time of the maintenance is awaited.
    Start,
    /// Plug-ins of type `pre` or `post` are to run.
    Plugins,
    /// The next state is to be found from the capacity that there is.
    Weigh,
    /// A host to empty is to be found.
    Pick,
    /// It is being emptied.
    Empty,
    /// Empty hosts are being maintained.
    Hosts,
    /// The next state has been found; the tenant's workflow may want another one.
    Choose {
        /// The state.
        next: State,
        /// Why.
        why: String,
    },
    /// Nothing.
    Over,
}

/// What is being done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Current {
    pub(crate) job: Job,
    /// When it was begun.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
}

/// How far the maintenance of a host is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HostProgress {
    /// What it was when its maintenance began; decides which plug-ins run.
    pub(crate) kind: HostKind,
    /// Whether it was announced that it is in maintenance.
    #[serde(rename = "told")]
    pub(crate) announced: bool,
    /// Plug-ins that have run.
    pub(crate) ran: usize,
    /// Whether it is maintained.
    pub(crate) maintained: bool,
}

/// An instance that has been moved and still counts as affected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rest {
    pub(crate) group: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) until: OffsetDateTime,
}
