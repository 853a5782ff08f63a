//! Resuming: a failed session, and every wait after replies could not be received.

use time::OffsetDateTime;

use super::ask::acked;
use super::record::Note;
use crate::progress::Stage;
use crate::round::Answer;
use crate::session::{NotResumed, Session};
use crate::state::State;
use crate::work::Timeouts;

impl Session {
    /// Resumes a failed session at the step that failed, or at the beginning of `at`.
    ///
    /// At the step that failed, what was done before is not done again: hosts that are
    /// maintained, plug-ins that have run, projects that have agreed. Those that
    /// refused or were silent are asked again. At the beginning of a state only hosts
    /// that are maintained stay so.
    ///
    /// # Errors
    ///
    /// [`NotResumed`].
    pub fn resume(&mut self, at: Option<State>, now: OffsetDateTime) -> Result<(), NotResumed> {
        if self.state != State::MaintenanceFailed {
            return Err(NotResumed::NotFailed(self.state));
        }
        if let Some(at) = at.filter(|at| at.is_over()) {
            return Err(NotResumed::AtTheEnd(at));
        }
        let failed_in = match self.failure.take() {
            Some(failure) => failure.state,
            None => self.plan.state,
        };
        let note = Note {
            what: "resume",
            ..Note::default()
        };
        let how = match at {
            None => format!("resumes in {failed_in} at the step that failed"),
            Some(at) => format!("begins {at}"),
        };
        self.record(note, &how, now);
        let failed_stage = self.progress.failed_stage.take().unwrap_or_default();
        self.progress.current = None;
        self.progress.scale_ins = 0;
        self.progress.idle = 0;
        match at {
            None => {
                self.state = failed_in;
                self.restart_stage(failed_stage);
            }
            Some(at) => {
                self.state = at;
                self.begin_state();
            }
        }
        Ok(())
    }

    /// Restarts every wait after a time in which no reply could be received, such as a
    /// restart: each project that owes a reply, and each instance that has to leave a
    /// host, has its whole time again.
    ///
    /// Without it, a session whose driver was away for longer than a reply may take
    /// would fail for a silence that was not the project's.
    pub fn wake(&mut self, timeouts: &Timeouts, now: OffsetDateTime) {
        if self.state.is_over() {
            return;
        }
        if let Some(ask) = &mut self.progress.ask {
            ask.again(now);
        }
        let leave_by = now.saturating_add(timeouts.empty_host);
        for member in self.progress.round.members.values_mut() {
            let is_open = member.is_open();
            if let Some(ask) = member.ask.as_mut().filter(|_| is_open) {
                ask.again(now);
            }
            member.leave_by = member.leave_by.map(|by| by.max(leave_by));
        }
    }

    fn begin_state(&mut self) {
        self.progress.stage = Stage::Enter;
        self.progress.host = None;
        self.progress.hosts.retain(|_, host| host.maintained);
        self.begin_afresh();
    }

    fn restart_stage(&mut self, failed_stage: Stage) {
        self.progress.stage = match (failed_stage, self.state) {
            (Stage::Replies, _) => Stage::Ask,
            // What was proposed may be out of date: it is proposed again.
            (Stage::Choose { .. }, State::Maintenance | State::ScaleIn) => Stage::Weigh,
            (Stage::Choose { .. }, State::StartMaintenance) => Stage::Hosts,
            (Stage::Choose { .. }, State::PrepareMaintenance | State::PlannedMaintenance) => {
                Stage::Empty
            }
            (failed_stage, _) => failed_stage,
        };
        for member in self.progress.round.members.values_mut() {
            let was_silent = member.answer.is_none();
            if was_silent || member.answer == Some(Answer::Refused) {
                member.ask = None;
                member.answer = None;
            }
            if !member.left {
                member.leave_by = None;
            }
        }
        self.progress.round.arrivals = 0;
        // Those that agreed are not asked again; all others are, once it is their turn.
        let agreed = acked(self.state);
        for project in self.projects.values_mut() {
            if project.state.as_ref() != Some(&agreed) {
                project.state = None;
            }
        }
    }
}
