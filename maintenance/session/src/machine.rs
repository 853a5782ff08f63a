//! What a session does next: from stage to stage within a state, from state to state
//! by the table.
//!
//! One file for each kind of work, each a few functions on [`Session`]. None of them
//! waits: a function changes the stage, asks for a job, or returns until when to wait.

mod ask;
mod choose;
mod concerned;
mod constraints;
mod empty;
mod enter;
mod finish;
mod instances;
mod key;
mod maintain;
mod notice;
mod plugins;
mod record;
mod reply;
mod resume;
mod shift;
mod situation;

use time::OffsetDateTime;

use crate::inventory::Inventory;
use crate::progress::{Current, Stage};
use crate::session::Session;
use crate::state::State;
use crate::work::{Job, Timeouts, Work};

/// Stages that a session passes without a job between them; far more than it ever needs.
const STRIDE: usize = 100;

/// The inputs of one poll of a session.
#[derive(Clone, Copy)]
struct Poll<'a> {
    inventory: &'a Inventory,
    timeouts: &'a Timeouts,
    now: OffsetDateTime,
}

/// The result of polling a stage.
enum Next {
    /// The stage or the state has changed.
    Again,
    /// Something is to be done.
    Do(Work),
    /// Nothing before this time.
    Wait(OffsetDateTime),
    /// Nothing more.
    Rest,
}

/// Why a session cannot go on, and what its admin can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct StageFailure {
    reason: String,
    remedy: String,
}

impl StageFailure {
    fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }
}

impl Session {
    /// Advances as far as it can on its own, and returns what it needs then: the same
    /// job again until that is finished.
    pub fn advance(
        &mut self,
        inventory: &Inventory,
        timeouts: &Timeouts,
        now: OffsetDateTime,
    ) -> Job {
        let poll = &Poll {
            inventory,
            timeouts,
            now,
        };
        for _ in 0..STRIDE {
            if let Some(current) = &self.progress.current {
                return self.with_hints(current.job.clone());
            }
            match self.poll_stage(poll) {
                Ok(Next::Again) => {}
                Ok(Next::Do(work)) => self.begin(work, poll.now),
                Ok(Next::Wait(until)) => return Job::wait(until),
                Ok(Next::Rest) => return Job::rest(),
                Err(failure) => self.fail(failure, poll.now),
            }
        }
        let failure = StageFailure::new(
            "the session goes from stage to stage without work",
            "remove it",
        );
        self.fail(failure, poll.now);
        Job::wait(poll.now)
    }

    fn poll_stage(&mut self, poll: &Poll<'_>) -> Result<Next, StageFailure> {
        self.check_hosts(poll)?;
        match self.progress.stage.clone() {
            Stage::Enter => Ok(self.enter()),
            Stage::Ask => Ok(self.ask_projects(poll)),
            Stage::Replies => self.await_replies(poll),
            Stage::Start => self.await_start(poll),
            Stage::Plugins => Ok(self.run_plugins()),
            Stage::Weigh => Ok(self.weigh(poll)),
            Stage::Pick => Ok(self.pick_host(poll)),
            Stage::Empty => self.empty_host(poll),
            Stage::Hosts => self.maintain_hosts(poll),
            Stage::Choose { next, why } => self.choose(next, &why, poll),
            Stage::Over => Ok(Next::Rest),
        }
    }

    /// A host that is still to be maintained must be there.
    fn check_hosts(&self, poll: &Poll<'_>) -> Result<(), StageFailure> {
        if self.state.is_over() || self.state == State::MaintenanceComplete {
            return Ok(());
        }
        if self.plan.hosts.is_empty() {
            return Err(StageFailure::new(
                "there is no host to maintain",
                "add hosts to the inventory, and create another session",
            ));
        }
        let missing = |host: &&str| !poll.inventory.hosts.contains_key(*host);
        match self.unmaintained().find(missing) {
            None => Ok(()),
            Some(host) => Err(StageFailure::new(
                format!("the host `{host}` is no longer in the inventory"),
                "put the host back into the inventory and resume, or create a session without it",
            )),
        }
    }

    fn begin(&mut self, work: Work, now: OffsetDateTime) {
        self.progress.jobs += 1;
        let key = key::key(self.progress.jobs, &work);
        let job = Job { key, work };
        self.progress.current = Some(Current { job, at: now });
    }
}

impl Job {
    fn wait(until: OffsetDateTime) -> Self {
        Self {
            key: "wait".to_owned(),
            work: Work::Wait { until: Some(until) },
        }
    }

    fn rest() -> Self {
        Self {
            key: "rest".to_owned(),
            work: Work::Rest,
        }
    }
}
