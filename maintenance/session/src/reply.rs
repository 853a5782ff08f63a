//! A project's reply.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::state::State;

/// What is to happen to an instance whose host is to be emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InstanceAction {
    /// Moved while it is switched off.
    Migrate,
    /// Moved while it runs.
    LiveMigrate,
    /// The project does it itself.
    OwnAction,
}

impl InstanceAction {
    /// All actions, as a project may choose from them.
    pub const ALL: [Self; 3] = [Self::Migrate, Self::LiveMigrate, Self::OwnAction];

    /// Its name, as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Migrate => "MIGRATE",
            Self::LiveMigrate => "LIVE_MIGRATE",
            Self::OwnAction => "OWN_ACTION",
        }
    }
}

/// A project's reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The state that it replies to.
    pub state: State,
    /// `ACK_…` or `NACK_…`.
    pub agreed: bool,
    /// What is to happen to its instances, by their ids.
    pub instance_actions: BTreeMap<String, InstanceAction>,
    /// The one instance that it is about, where each is asked for by itself.
    pub instance: Option<String>,
    /// What is to happen to that one.
    pub instance_action: Option<InstanceAction>,
}

/// Why a reply was not taken. It changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The session is in another state, or has not asked.
    #[error("the session is in {_0}; {}", due_reply(*_0))]
    WrongState(State),
    /// The project has no part in this step.
    #[error("the session has not asked this project")]
    NotAsked,
    /// It names an instance that is not affected.
    #[error("the instance `{0}` is not affected in this state")]
    NotConcerned(String),
    /// An instance that is concerned has no action.
    #[error("the instance `{0}` needs an action: MIGRATE, LIVE_MIGRATE or OWN_ACTION")]
    NoAction(String),
    /// It has already replied, and differently.
    #[error("this project has already replied")]
    Answered,
}

/// What may be answered in a state.
fn due_reply(now: State) -> String {
    if now.asks() {
        format!("a reply must be ACK_{now} or NACK_{now}")
    } else {
        "no reply is due in this state".to_owned()
    }
}
