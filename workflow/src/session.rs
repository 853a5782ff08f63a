//! A session: what it was asked to do, and how far it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::inventory::Inventory;
use crate::plan::Plan;
use crate::reply::{NotTaken, Reply};
use crate::state::{NotAState, State};
use crate::step::Step;
use crate::work::{Done, Job, Patience};

/// A maintenance session. Serialised it is the whole truth about itself, but for the
/// steps, which are kept beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    id: Uuid,
    plan: Plan,
    state: State,
    failure: Option<Failure>,
    projects: BTreeMap<String, Project>,
    /// Counts steps, and makes keys.
    serial: u64,
    /// Steps that have not been taken away yet.
    #[serde(skip)]
    steps: Vec<Step>,
}

/// Why a session is in `MAINTENANCE_FAILED`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The state in which it failed.
    pub state: State,
    /// What went wrong.
    pub reason: String,
}

/// How far a project is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// `<STATE>`, `ACK_<STATE>` or `NACK_<STATE>`; `None` if the step does not concern it.
    pub state: Option<String>,
}

impl Session {
    /// Begins a session. `plan.hosts` is completed from the inventory if it is empty.
    #[must_use]
    pub fn new(id: Uuid, plan: Plan, inventory: &Inventory, now: OffsetDateTime) -> Self {
        todo!()
    }

    /// Its identifier.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// What it was asked to do.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Why it failed; `None` unless it is in `MAINTENANCE_FAILED`.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Its projects by id, with what they have answered.
    #[must_use]
    pub fn projects(&self) -> &BTreeMap<String, Project> {
        &self.projects
    }

    /// Goes on as far as it can by itself, and says what it needs then. Answers the
    /// same job again until it is finished.
    pub fn advance(
        &mut self,
        inventory: &Inventory,
        patience: &Patience,
        now: OffsetDateTime,
    ) -> Job {
        todo!()
    }

    /// Says what came of the job with this key. One that is not the current one
    /// changes nothing: it was finished before.
    pub fn finish(&mut self, key: &str, done: Done, inventory: &Inventory, now: OffsetDateTime) {
        todo!()
    }

    /// Takes a project's reply. The same reply once more changes nothing.
    ///
    /// # Errors
    ///
    /// [`NotTaken`].
    pub fn reply(
        &mut self,
        project: &str,
        reply: Reply,
        inventory: &Inventory,
        now: OffsetDateTime,
    ) -> Result<(), NotTaken> {
        todo!()
    }

    /// Resumes a failed session at the step that failed, or at the beginning of `at`.
    ///
    /// # Errors
    ///
    /// The state that it is in, if it has not failed.
    pub fn resume(&mut self, at: Option<State>, now: OffsetDateTime) -> Result<(), State> {
        todo!()
    }

    /// The instances of a project that the current step is about; all that it has on
    /// the session's hosts if it is about none of them.
    #[must_use]
    pub fn instance_ids(&self, project: &str, inventory: &Inventory) -> Vec<String> {
        todo!()
    }

    /// Takes away the steps that have been added since the last time.
    pub fn take_steps(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.steps)
    }
}

impl State {
    /// Its name, as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        todo!()
    }
}

impl std::str::FromStr for State {
    type Err = NotAState;

    fn from_str(text: &str) -> Result<Self, NotAState> {
        todo!()
    }
}
