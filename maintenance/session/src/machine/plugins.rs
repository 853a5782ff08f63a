//! Running the plug-ins that run once: `pre` before the first host, `post` after the
//! last.

use super::Next;
use crate::action::{Action, ActionType};
use crate::progress::Stage;
use crate::session::Session;
use crate::state::State;
use crate::work::Work;

/// The host of a plug-in that runs for none.
const NO_HOST: &str = "localhost";

impl Session {
    pub(super) fn run_plugins(&mut self) -> Next {
        let (kind, then) = match self.state {
            State::MaintenanceComplete => (ActionType::Post, Stage::Ask),
            _ => (ActionType::Pre, Stage::Weigh),
        };
        let Some(action) = self.action(&[kind], self.progress.ran) else {
            self.progress.stage = then;
            return Next::Again;
        };
        Next::Do(Work::Act {
            action,
            host: NO_HOST.to_owned(),
        })
    }

    /// One of the plan's actions of these types, counted from 0: type by type, and within
    /// each in the order of the plan, which is by name.
    pub(super) fn action(&self, kinds: &[ActionType], at: usize) -> Option<Action> {
        let mut actions = kinds.iter().flat_map(|kind| {
            let actions = self.plan.actions.iter();
            actions.filter(move |action| action.kind == *kind)
        });
        actions.nth(at).cloned()
    }
}
