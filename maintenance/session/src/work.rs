//! What a session needs from the world, and what came of it.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::action::Action;
use crate::metadata::Metadata;
use crate::reply::InstanceAction;
use crate::situation::Situation;
use crate::state::State;

/// One thing to do. It stays the same, key included, until it is finished, however
/// often [`Session::advance`](crate::Session::advance) is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Unique within the session; makes what is done twice the same. Letters, digits,
    /// `.`, `_` and `-`; at most 200 bytes. [`Work::Wait`] and [`Work::Rest`] are not
    /// finished, and their keys, `wait` and `rest`, are not unique.
    pub key: String,
    /// What to do.
    pub work: Work,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Announce that the session has entered a state. Hooks may deny it. Finished by
    /// [`Done::Well`] or [`Done::Badly`].
    Enter {
        /// The state.
        state: State,
        /// Hosts that are maintained, in percent.
        percent_done: u8,
    },
    /// Ask the tenant's workflow. Finished by [`Done::Chosen`] or [`Done::Badly`].
    Decide {
        /// The name of its source.
        source: String,
        /// Where the built-in workflow would go.
        proposed: State,
        /// Where it may go. `MAINTENANCE_FAILED` is not named here, and may be chosen
        /// nevertheless.
        allowed: Vec<State>,
        /// What it is given: the session, its hosts with their instances, its projects.
        situation: Box<Situation>,
    },
    /// Notify projects. Finished by [`Done::Well`] or [`Done::Badly`].
    Notify(Vec<Notice>),
    /// Announce what becomes of a host. Finished by [`Done::Well`] or [`Done::Badly`].
    TellHost {
        /// The host.
        host: String,
        /// What becomes of it.
        state: HostState,
    },
    /// Run a plug-in. Finished by [`Done::Well`] or [`Done::Badly`].
    Act {
        /// Which, and its hints.
        action: Action,
        /// For which host; `localhost` for those of type `pre` and `post`.
        host: String,
    },
    /// Have instances moved. Finished by [`Done::Well`] or [`Done::Badly`].
    Instruct(Vec<Instruction>),
    /// Nothing, until a project replies, the inventory changes or the time has come.
    Wait {
        /// When to poll again at the latest.
        #[serde(default, with = "time::serde::rfc3339::option")]
        until: Option<OffsetDateTime>,
    },
    /// Nothing, until an admin resumes or removes the session.
    Rest,
}

/// A notice to a project. The addresses are for its sender to add.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The project.
    pub project: String,
    /// `MAINTENANCE`, `SCALE_IN`, `PREPARE_MAINTENANCE`, `PLANNED_MAINTENANCE`,
    /// `MAINTENANCE_COMPLETE` or `INSTANCE_ACTION_DONE`.
    pub state: String,
    /// The instance, where each has a notice of its own; else all that are concerned.
    pub instance: Option<String>,
    /// What the project may choose from.
    pub allowed_actions: Vec<InstanceAction>,
    /// When the reply is due; `None` if none is wanted.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub reply_at: Option<OffsetDateTime>,
    /// When what it announces happens.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub actions_at: Option<OffsetDateTime>,
    /// The session's hints.
    pub metadata: Metadata,
}

/// An instance that is to be moved, as its project wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// The instance.
    pub instance: String,
    /// Its project.
    pub project: Option<String>,
    /// The host that it has to leave.
    pub host: String,
    /// How: `MIGRATE` or `LIVE_MIGRATE`.
    pub action: InstanceAction,
    /// How long it may be interrupted, in seconds; `None` if no constraint says so.
    #[serde(default)]
    pub max_interruption_time: Option<u32>,
}

/// What becomes of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HostState {
    /// It is being maintained.
    InMaintenance,
    /// It is maintained and can be used again.
    MaintenanceComplete,
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// It went well.
    Well {
        /// What it reported, for the record.
        message: String,
        /// The task that did it.
        task: Option<Uuid>,
    },
    /// It went wrong; the session fails.
    Badly {
        /// Why.
        reason: String,
        /// The task that did it.
        task: Option<Uuid>,
    },
    /// The tenant's workflow has decided.
    Chosen {
        /// Where to go, in its own words.
        next: String,
        /// Why.
        reason: String,
        /// The task that ran it.
        task: Option<Uuid>,
    },
}

/// How long a session waits for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For replies to `MAINTENANCE`, `PREPARE_MAINTENANCE`, `PLANNED_MAINTENANCE` and
    /// `MAINTENANCE_COMPLETE`. Default: 40 s.
    pub reply: Duration,
    /// For replies to `SCALE_IN`. Default: 60 s.
    pub scale_in: Duration,
    /// For a host to become empty. Default: 240 s, as 48 times 5 s.
    pub empty_host: Duration,
    /// How often silent projects are notified again before the reply is due, at even
    /// distances. Default: 2.
    pub reminders: u32,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            reply: Duration::seconds(40),
            scale_in: Duration::seconds(60),
            empty_host: Duration::seconds(240),
            reminders: 2,
        }
    }
}
