//! A source bound to a hook point: for which servers, with what, and how strictly.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use tenterhook_engine::AskedLimits;
use time::OffsetDateTime;

use crate::id::{AppId, HookId, Key, Number, PrincipalId, SourceId};
use crate::registry::criterion::Criterion;
use crate::registry::hook_point::HookPointName;
use crate::registry::label::Label;
use crate::runs::retry::RetryPolicy;
use crate::tenancy::role::Role;

/// A source bound to a hook point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Its identifier.
    pub id: HookId,
    /// By which croit refers to it.
    pub number: Number,
    /// Unique within the account, if it has one; Astra's hooks do.
    pub name: Option<String>,
    /// What it is for; empty if not given.
    pub description: String,
    /// The program to run.
    pub source: SourceId,
    /// The event that it waits for.
    pub event: HookPointName,
    /// For which servers it runs.
    pub targets: Targets,
    /// Arguments, before those of the hook point.
    pub args: Vec<String>,
    /// Its own environment variables.
    pub env: BTreeMap<String, String>,
    /// The limits that it asks for.
    pub limits: AskedLimits,
    /// Hooks of one event run in this order on each target; equal ones by number.
    /// Default: 0.
    pub order: i32,
    /// Whether it runs at all. Default: yes.
    pub enabled: bool,
    /// What its failure means for the event.
    pub failure_policy: FailurePolicy,
    /// When it is run again.
    pub retry: RetryPolicy,
    /// Whether the operator keeps it: Astra's clients may read but not change it.
    pub managed: bool,
    /// Free labels.
    pub labels: Vec<Label>,
    /// Who made it.
    pub created_by: PrincipalId,
    /// Who changed it last.
    pub modified_by: Option<PrincipalId>,
    /// Who has set all of its arguments and variables; `None` if several have, or if that
    /// is not known.
    pub values_by: Option<PrincipalId>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub modified_at: OffsetDateTime,
}

/// For which servers a hook runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Targets {
    /// Once, for no server in particular; on hook points that cannot choose one, always this.
    Once,
    /// For every server of the account; once, if there is none.
    All,
    /// For these servers; for none at all if the list is empty.
    These(Vec<Number>),
    /// For each container that meets all criteria; on hook points of Astra alone.
    Containers {
        /// Of this application; of any that an event names if there is none.
        app: Option<AppId>,
        /// At most 10; none at all is met by every container.
        criteria: Vec<Criterion>,
    },
}

impl Targets {
    /// Whether the hook runs for the server with this number.
    #[must_use]
    pub fn cover(&self, server: Number) -> bool {
        match self {
            Self::Once | Self::All => true,
            Self::These(servers) => servers.contains(&server),
            Self::Containers { .. } => false,
        }
    }
}

/// What a failing hook means for the event that it was run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailurePolicy {
    /// The event goes on.
    Open,
    /// The event is denied.
    Closed,
}

impl FailurePolicy {
    /// The name in lower case, as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for FailurePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A hook to make. `None` has its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHook {
    /// See [`Hook::name`]; 1 to 255 bytes without control characters.
    pub name: Option<String>,
    /// See [`Hook::description`]; at most 4,096 bytes.
    pub description: String,
    /// See [`Hook::source`].
    pub source: Key<SourceId>,
    /// The name of a hook point; unknown names are refused, except `custom.…`.
    pub event: String,
    /// See [`Hook::targets`]. Default: all servers where the hook point lets one
    /// choose, else once. Ignored where it does not.
    pub targets: Option<Targets>,
    /// See [`Hook::args`]; at most 64, together at most 32 KiB, without NUL.
    pub args: Vec<String>,
    /// See [`Hook::env`]; at most 64, together at most 32 KiB, without NUL; no
    /// name may start with `HOOK_` or `CROIT_`.
    pub env: BTreeMap<String, String>,
    /// See [`Hook::limits`].
    pub limits: AskedLimits,
    /// See [`Hook::order`].
    pub order: i32,
    /// See [`Hook::enabled`].
    pub enabled: Option<bool>,
    /// See [`Hook::failure_policy`]. Default: closed on `Pre…` and `….pre`, else open.
    pub failure_policy: Option<FailurePolicy>,
    /// See [`Hook::retry`].
    pub retry: RetryPolicy,
    /// See [`Hook::managed`].
    pub managed: bool,
    /// See [`Hook::labels`]; at most 64, names and values up to 255 bytes.
    pub labels: Vec<Label>,
    /// See [`Hook::created_by`].
    pub created_by: PrincipalId,
}

impl NewHook {
    /// Binds `source` to `event` with every default.
    #[must_use]
    pub fn new(source: impl Into<Key<SourceId>>, event: impl Into<String>) -> Self {
        Self {
            name: None,
            description: String::new(),
            source: source.into(),
            event: event.into(),
            targets: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            limits: AskedLimits::default(),
            order: 0,
            enabled: None,
            failure_policy: None,
            retry: RetryPolicy::default(),
            managed: false,
            labels: Vec::new(),
            created_by: PrincipalId::SYSTEM,
        }
    }
}

/// What to change of a hook; `None` keeps. The rules are those of [`NewHook`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookChange {
    /// See [`NewHook::name`].
    pub name: Option<String>,
    /// See [`NewHook::description`].
    pub description: Option<String>,
    /// See [`NewHook::source`].
    pub source: Option<Key<SourceId>>,
    /// See [`NewHook::event`].
    pub event: Option<String>,
    /// See [`NewHook::targets`].
    pub targets: Option<Targets>,
    /// See [`NewHook::args`].
    pub args: Option<Vec<String>>,
    /// See [`NewHook::env`].
    pub env: Option<BTreeMap<String, String>>,
    /// See [`NewHook::limits`].
    pub limits: Option<AskedLimits>,
    /// See [`NewHook::order`].
    pub order: Option<i32>,
    /// See [`NewHook::enabled`].
    pub enabled: Option<bool>,
    /// See [`NewHook::failure_policy`].
    pub failure_policy: Option<FailurePolicy>,
    /// See [`NewHook::retry`].
    pub retry: Option<RetryPolicy>,
    /// See [`NewHook::labels`]; replaces all.
    pub labels: Option<Vec<Label>>,
    /// Who changes it.
    pub modified_by: Option<PrincipalId>,
    /// That principal's role. Default: the lowest.
    pub modified_as: Role,
}

impl From<SourceId> for Key<SourceId> {
    fn from(id: SourceId) -> Self {
        Self::Id(id)
    }
}
