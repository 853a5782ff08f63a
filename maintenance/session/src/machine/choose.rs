//! Where to go next: what the built-in workflow finds, and what the tenant's makes of it.

use time::OffsetDateTime;

use super::{Next, Poll, StageFailure};
use crate::plan::Workflow;
use crate::progress::Stage;
use crate::session::Session;
use crate::state::State;
use crate::work::Work;

/// Times that projects are asked to scale in before the first host is maintained.
const SCALE_INS: u32 = 5;

/// Transitions without a host being maintained between them; only a tenant's workflow
/// gets so far.
const IDLE: u32 = 20;

impl Session {
    /// Finds the next state from what there is room for.
    pub(super) fn weigh(&mut self, poll: &Poll<'_>) -> Next {
        let hosts = self.unmaintained_computes(poll.inventory);
        let capacity = self.capacity(poll.inventory);
        let empty = hosts.iter().find(|host| capacity.is_empty(host));
        let fits = hosts.iter().find(|host| capacity.can_be_emptied(host));
        let (next, why) = match (empty, fits) {
            _ if hosts.is_empty() => (
                State::StartMaintenance,
                "no compute host has to be emptied".to_owned(),
            ),
            (Some(host), _) => (State::StartMaintenance, format!("`{host}` is empty")),
            (None, Some(host)) => (
                State::PrepareMaintenance,
                format!("there is room for what runs on `{host}`"),
            ),
            (None, None) => (
                State::ScaleIn,
                "there is too little room to empty any host".to_owned(),
            ),
        };
        self.progress.stage = Stage::Choose { next, why };
        Next::Again
    }

    /// Goes there, or asks the tenant's workflow.
    pub(super) fn choose(
        &mut self,
        next: State,
        why: &str,
        poll: &Poll<'_>,
    ) -> Result<Next, StageFailure> {
        if let Workflow::Source(source) = &self.plan.workflow {
            let allowed = self.allowed();
            return Ok(Next::Do(Work::Decide {
                source: source.clone(),
                proposed: next,
                situation: Box::new(self.situation(next, &allowed, poll.inventory)),
                allowed,
            }));
        }
        self.turn_to(next, why, poll.now)?;
        Ok(Next::Again)
    }

    /// Applies what the tenant's workflow has chosen.
    pub(super) fn chosen(
        &mut self,
        next: &str,
        reason: &str,
        now: OffsetDateTime,
    ) -> Result<(), StageFailure> {
        let allowed = self.allowed();
        match next.parse() {
            Ok(State::MaintenanceFailed) => Err(StageFailure::new(
                format!("the workflow gave up: {reason}"),
                "correct what the workflow objects to, then resume: it is asked again",
            )),
            Ok(state) if allowed.contains(&state) => self.turn_to(state, reason, now),
            _ => {
                let names: Vec<_> = allowed.iter().map(|state| state.as_str()).collect();
                let next: String = next.chars().take(100).collect();
                Err(StageFailure::new(
                    format!(
                        "the workflow chose `{next}`; from {} it may choose {} or MAINTENANCE_FAILED",
                        self.state,
                        names.join(", ")
                    ),
                    "correct the workflow and resume: it is asked again",
                ))
            }
        }
    }

    /// Where the tenant's workflow may go, short of failing.
    fn allowed(&self) -> Vec<State> {
        let failed = State::MaintenanceFailed;
        self.state
            .successors()
            .filter(|state| *state != failed)
            .collect()
    }

    /// Goes there, unless the session goes in circles.
    fn turn_to(&mut self, next: State, why: &str, now: OffsetDateTime) -> Result<(), StageFailure> {
        if next == State::ScaleIn && self.progress.scale_ins >= SCALE_INS {
            return Err(StageFailure::new(
                format!("projects were asked {SCALE_INS} times to scale in, and {why}"),
                "free capacity or add a host, then resume",
            ));
        }
        self.progress.idle += 1;
        if self.progress.idle > IDLE {
            return Err(StageFailure::new(
                format!("no host was maintained in {IDLE} transitions"),
                "correct the workflow, then resume",
            ));
        }
        self.go(next, why, now);
        Ok(())
    }
}
