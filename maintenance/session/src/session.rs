//! A session: what it was asked to do, and how far it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::inventory::Inventory;
use crate::plan::Plan;
use crate::progress::{HostProgress, Progress};
use crate::reply::Reply;
use crate::state::State;
use crate::step::Step;

/// A maintenance session. Serialised it is the whole truth about itself, but for the
/// steps, which are kept beside it.
///
/// # Examples
///
/// A session over one host, on which nothing runs:
///
/// ```
/// use tenterhook_session::{
///     Done, Host, Inventory, NewPlan, Timeouts, Session, State, Work,
/// };
/// use time::OffsetDateTime;
/// use uuid::Uuid;
///
/// let plan = NewPlan {
///     state: "MAINTENANCE".into(),
///     maintenance_at: "2026-01-01 00:00:00".into(),
///     workflow: "default".into(),
///     ..NewPlan::default()
/// };
/// let mut inventory = Inventory::default();
/// inventory.hosts.insert("node-1".into(), Host::default());
/// let now = OffsetDateTime::now_utc();
/// let mut session = Session::new(Uuid::nil(), plan.check()?, &inventory, now);
///
/// loop {
///     let job = session.advance(&inventory, &Timeouts::default(), now);
///     match job.work {
///         Work::Rest => break,
///         Work::Wait { .. } => unreachable!("there is no project to wait for"),
///         work => println!("{}: {work:?}", job.key), // and do it
///     }
///     let done = Done::Well { message: "done".into(), task: None };
///     session.finish(&job.key, done, now);
/// }
/// assert_eq!(session.state(), State::MaintenanceDone);
/// # Ok::<(), tenterhook_session::InvalidField>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub(crate) id: Uuid,
    pub(crate) plan: Plan,
    pub(crate) state: State,
    pub(crate) failure: Option<Failure>,
    pub(crate) projects: BTreeMap<String, Project>,
    /// Steps so far.
    pub(crate) serial: u64,
    #[serde(default)]
    pub(crate) progress: Progress,
    /// Steps that have not been taken yet.
    #[serde(skip)]
    pub(crate) steps: Vec<Step>,
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
    /// The last reply that was accepted, so that one sent twice is recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<Reply>,
}

/// Why a session was not resumed. It changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotResumed {
    /// Only a failed session can be resumed.
    #[error("the session is in {0}, and only one in MAINTENANCE_FAILED can be resumed")]
    NotFailed(State),
    /// No session can begin in this state.
    #[error("a session cannot be resumed in {0}: it is a final state")]
    AtTheEnd(State),
}

impl Session {
    /// Begins a session. `plan.hosts` is completed from the inventory if it is empty:
    /// all compute hosts.
    ///
    /// In a state other than `MAINTENANCE` it begins as if those before were over:
    /// neither is `maintenance_at` awaited nor do plug-ins of type `pre` run.
    #[must_use]
    pub fn new(id: Uuid, mut plan: Plan, inventory: &Inventory, now: OffsetDateTime) -> Self {
        if plan.hosts.is_empty() {
            plan.hosts = inventory.compute_hosts().map(str::to_owned).collect();
        }
        let mut session = Self {
            id,
            state: plan.state,
            plan,
            failure: None,
            projects: BTreeMap::new(),
            serial: 0,
            progress: Progress::default(),
            steps: Vec::new(),
        };
        session.record_creation(now);
        session
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

    /// Its projects by id, with what they have replied. A project is among them once it
    /// has been asked.
    #[must_use]
    pub fn projects(&self) -> &BTreeMap<String, Project> {
        &self.projects
    }

    /// Hosts that are maintained, in percent, rounded down; 100 if there are none.
    #[must_use]
    pub fn percent_done(&self) -> u8 {
        let all = self.plan.hosts.len();
        let done = self
            .plan
            .hosts
            .iter()
            .filter(|host| self.is_maintained(host));
        let percent = (done.count() * 100).checked_div(all).unwrap_or(100);
        u8::try_from(percent).expect("a part is at most 100 percent")
    }

    /// Whether this host has been maintained.
    #[must_use]
    pub fn is_maintained(&self, host: &str) -> bool {
        self.host_progress(host).is_some_and(|host| host.maintained)
    }

    /// Whether this host is being maintained now.
    #[must_use]
    pub fn is_in_maintenance(&self, host: &str) -> bool {
        self.host_progress(host)
            .is_some_and(|host| host.announced && !host.maintained)
    }

    /// Whether nothing new should be placed on this host: it waits for its maintenance,
    /// and that of the first host has begun.
    #[must_use]
    pub fn is_closed(&self, host: &str) -> bool {
        self.progress.closed
            && self.state != State::MaintenanceDone
            && self.plan.hosts.iter().any(|name| name == host)
            && !self.is_maintained(host)
    }

    /// Takes the steps that have been added since the last call.
    pub fn take_steps(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.steps)
    }

    fn host_progress(&self, host: &str) -> Option<&HostProgress> {
        self.progress.hosts.get(host)
    }
}
