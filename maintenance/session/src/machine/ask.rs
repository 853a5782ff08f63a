//! Asking all projects at once, and waiting for their replies and for the start time.

use super::{Next, Poll, StageFailure};
use crate::progress::Stage;
use crate::round::Ask;
use crate::session::Session;
use crate::state::State;
use crate::work::Work;

/// The states of a project that has replied.
pub(super) fn acked(state: State) -> String {
    format!("ACK_{state}")
}

pub(super) fn nacked(state: State) -> String {
    format!("NACK_{state}")
}

impl Session {
    /// Notifies all projects that have not agreed yet.
    pub(super) fn ask_projects(&mut self, poll: &Poll<'_>) -> Next {
        let wait = match self.state {
            State::ScaleIn => poll.timeouts.scale_in,
            _ => poll.timeouts.reply,
        };
        for project in self.concerned_projects(poll.inventory) {
            let project = self.projects.entry(project).or_default();
            if project.state != Some(acked(self.state)) {
                project.state = Some(self.state.to_string());
            }
        }
        let silent = self.projects_in(&self.state.to_string());
        self.progress.ask = Some(Ask::new(poll.now, wait));
        if silent.is_empty() {
            self.progress.stage = Stage::Replies;
            return Next::Again;
        }
        Next::Do(Work::Notify(self.notices_to(&silent)))
    }

    pub(super) fn await_replies(&mut self, poll: &Poll<'_>) -> Result<Next, StageFailure> {
        let refused = self.projects_in(&nacked(self.state));
        if !refused.is_empty() {
            return Err(StageFailure::new(
                format!("{} answered {}", refused.join(", "), nacked(self.state)),
                "settle it with the project and resume: it is asked again",
            ));
        }
        let silent = self.projects_in(&self.state.to_string());
        let Some(ask) = self.progress.ask.as_mut().filter(|_| !silent.is_empty()) else {
            self.progress.stage = self.after_replies();
            return Ok(Next::Again);
        };
        if poll.now >= ask.due {
            return Err(silence(&silent, self.state));
        }
        let reminders = ask.reminders_due(poll.timeouts.reminders, poll.now);
        if reminders > ask.reminded {
            ask.reminded = reminders;
            return Ok(Next::Do(Work::Notify(self.notices_to(&silent))));
        }
        Ok(Next::Wait(ask.poll_at(poll.timeouts.reminders)))
    }

    fn after_replies(&self) -> Stage {
        match self.state {
            State::Maintenance => Stage::Start,
            State::MaintenanceComplete => Stage::Choose {
                next: State::MaintenanceDone,
                why: "all projects know that the maintenance is complete".to_owned(),
            },
            _ => Stage::Weigh,
        }
    }

    pub(super) fn await_start(&mut self, poll: &Poll<'_>) -> Result<Next, StageFailure> {
        if poll.now < self.plan.maintenance_at {
            return Ok(Next::Wait(self.plan.maintenance_at));
        }
        self.check_constraints(poll.inventory)?;
        self.progress.stage = Stage::Plugins;
        Ok(Next::Again)
    }

    /// Projects whose state is this one.
    pub(super) fn projects_in(&self, state: &str) -> Vec<String> {
        self.projects
            .iter()
            .filter(|(_, project)| project.state.as_deref() == Some(state))
            .map(|(id, _)| id.clone())
            .collect()
    }
}

pub(super) fn silence(projects: &[String], state: State) -> StageFailure {
    StageFailure::new(
        format!("{} did not answer {state} in time", projects.join(", ")),
        "make sure that the project is notified and answers, then resume: it is asked again",
    )
}
