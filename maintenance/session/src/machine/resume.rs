//! Going on: with a failed session, and after nobody could be heard for a while.

use time::OffsetDateTime;

use super::ask::acked;
use super::record::Note;
use crate::progress::Stage;
use crate::round::Answer;
use crate::session::{NotResumed, Session};
use crate::state::State;
use crate::work::Patience;

impl Session {
    pub(crate) fn go_on(
        &mut self,
        at: Option<State>,
        now: OffsetDateTime,
    ) -> Result<(), NotResumed> {
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
            None => format!("goes on in {failed_in} at the step that failed"),
            Some(at) => format!("begins {at}"),
        };
        self.record(note, &how, now);
        let held = self.progress.held.take().unwrap_or_default();
        self.progress.current = None;
        self.progress.scale_ins = 0;
        self.progress.idle = 0;
        match at {
            None => {
                self.state = failed_in;
                self.take_up(held);
            }
            Some(at) => {
                self.state = at;
                self.begin_state();
            }
        }
        Ok(())
    }

    pub(crate) fn grant_time(&mut self, patience: &Patience, now: OffsetDateTime) {
        if self.state.is_over() {
            return;
        }
        if let Some(ask) = &mut self.progress.ask {
            ask.again(now);
        }
        let leave_by = now.saturating_add(patience.empty_host);
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

    fn take_up(&mut self, held: Stage) {
        self.progress.stage = match (held, self.state) {
            (Stage::Replies, _) => Stage::Ask,
            // What was proposed may be out of date: it is found anew.
            (Stage::Choose { .. }, State::Maintenance | State::ScaleIn) => Stage::Weigh,
            (Stage::Choose { .. }, State::StartMaintenance) => Stage::Hosts,
            (Stage::Choose { .. }, State::PrepareMaintenance | State::PlannedMaintenance) => {
                Stage::Empty
            }
            (held, _) => held,
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
