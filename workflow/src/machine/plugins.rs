//! Running the plug-ins that run once: `pre` before the first host, `post` after the
//! last.

use super::Next;
use crate::action::{Action, ActionType};
use crate::progress::Stage;
use crate::session::Session;
use crate::state::State;
use crate::work::Work;

/// The host that a plug-in is told when it runs for none.
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

    /// One of the plan's actions of these types, counted from 0: type by type, sorted
    /// by name within each.
    pub(super) fn action(&self, kinds: &[ActionType], at: usize) -> Option<Action> {
        let mut found = Vec::new();
        for kind in kinds {
            let of_kind = self
                .plan
                .actions
                .iter()
                .filter(|action| action.kind == *kind);
            let mut of_kind: Vec<_> = of_kind.collect();
            of_kind.sort_by(|a, b| a.plugin.cmp(&b.plugin));
            found.extend(of_kind);
        }
        found.get(at).copied().cloned()
    }
}
