//! Entering states, leaving them, and failing: the only place where the state changes
//! by itself.

use time::OffsetDateTime;

use super::record::{Note, line};
use super::{Next, StageFailure};
use crate::progress::Stage;
use crate::round::Round;
use crate::session::{Failure, Session};
use crate::state::State;
use crate::work::Work;

impl Session {
    pub(super) fn enter(&self) -> Next {
        Next::Do(Work::Enter {
            state: self.state,
            percent_done: self.percent_done(),
        })
    }

    /// Where a state begins once it has been entered.
    pub(super) fn entered(&mut self) {
        self.progress.stage = match self.state {
            State::Maintenance | State::ScaleIn => Stage::Ask,
            State::PrepareMaintenance | State::PlannedMaintenance => Stage::Pick,
            State::StartMaintenance => Stage::Hosts,
            State::MaintenanceComplete => Stage::Plugins,
            State::MaintenanceDone | State::MaintenanceFailed => Stage::Over,
        };
    }

    /// Changes to another state if the table allows it; fails otherwise.
    pub(super) fn go(&mut self, next: State, why: &str, now: OffsetDateTime) {
        if !self.state.may_become(next) {
            let reason = format!("there is no transition from {} to {next}", self.state);
            return self.fail(StageFailure::new(reason, "remove the session"), now);
        }
        self.change(next, why, None, now);
        self.progress.stage = Stage::Enter;
        if next == State::ScaleIn {
            self.progress.scale_ins += 1;
        }
        // The last reply is still of interest after the end.
        if !next.is_over() {
            self.begin_afresh();
        }
    }

    /// Fails, and keeps where, so that it can be resumed there. A finished session
    /// is unchanged.
    pub(super) fn fail(&mut self, failure: StageFailure, now: OffsetDateTime) {
        if self.state.is_over() {
            return;
        }
        self.failure = Some(Failure {
            state: self.state,
            reason: line(&failure.reason),
        });
        let stage = std::mem::replace(&mut self.progress.stage, Stage::Enter);
        self.progress.failed_stage = Some(stage);
        self.progress.current = None;
        let failed = State::MaintenanceFailed;
        self.change(failed, &failure.reason, Some(&failure.remedy), now);
    }

    fn change(&mut self, next: State, why: &str, remedy: Option<&str>, now: OffsetDateTime) {
        debug_assert!(self.state.may_become(next), "the table allows it");
        let note = Note {
            what: "transition",
            remedy,
            ..Note::default()
        };
        self.record(note, &format!("{next}: {why}"), now);
        self.state = next;
    }

    /// Clears what belonged to the state before.
    pub(super) fn begin_afresh(&mut self) {
        self.progress.ask = None;
        self.progress.round = Round::default();
        self.progress.ran = 0;
        self.progress.maintained = 0;
        for project in self.projects.values_mut() {
            project.state = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::inventory::Inventory;
    use crate::plan::NewPlan;

    const NOW: OffsetDateTime = datetime!(2031-05-06 07:08:09 UTC);

    fn session() -> Session {
        let plan = NewPlan {
            state: "MAINTENANCE".to_owned(),
            maintenance_at: "2031-05-06 07:08:09".to_owned(),
            workflow: "default".to_owned(),
            ..NewPlan::default()
        };
        Session::new(
            Uuid::nil(),
            plan.check().unwrap(),
            &Inventory::default(),
            NOW,
        )
    }

    #[test]
    fn a_transition_outside_the_table_is_a_failure() {
        for to in State::ALL {
            let mut session = session();
            session.go(to, "why not", NOW);
            let arrived = if State::Maintenance.may_become(to) {
                to
            } else {
                State::MaintenanceFailed
            };
            assert_eq!(session.state(), arrived);
        }
    }

    #[test]
    fn a_finished_session_has_no_transition() {
        for over in [State::MaintenanceDone, State::MaintenanceFailed] {
            for to in State::ALL {
                let mut session = session();
                session.state = over;
                session.go(to, "why not", NOW);
                assert_eq!(session.state(), over);
            }
        }
    }
}
