//! The notices that projects are sent.

use crate::inventory::Inventory;
use crate::metadata::Metadata;
use crate::reply::InstanceAction;
use crate::round::Ask;
use crate::session::Session;
use crate::state::State;
use crate::work::{Job, Notice, Work};

/// The state of a notice about an instance that has left its host. It wants no reply.
pub(super) const ACTION_DONE: &str = "INSTANCE_ACTION_DONE";

impl Session {
    /// The notices to these projects in a state that concerns all of them.
    pub(super) fn notices_to(&self, projects: &[String]) -> Vec<Notice> {
        let due = self.progress.ask.map(|ask| ask.due);
        let actions_at = match self.state {
            State::Maintenance => Some(self.plan.maintenance_at),
            _ => due,
        };
        projects
            .iter()
            .map(|project| Notice {
                project: project.clone(),
                state: self.state.to_string(),
                instance: None,
                allowed_actions: Vec::new(),
                reply_at: due,
                actions_at,
                metadata: Metadata::default(),
            })
            .collect()
    }

    /// What a project is asked about its instances on the host that is being emptied.
    pub(super) fn question(
        &self,
        project: &str,
        instance: Option<String>,
        ask: Ask,
        inventory: &Inventory,
    ) -> Notice {
        let mut allowed_actions = InstanceAction::ALL.to_vec();
        let wanted = instance
            .as_ref()
            .and_then(|instance| inventory.instance_constraints.get(instance))
            .map(|constraint| constraint.migration_type);
        // What the project wants itself comes first.
        allowed_actions.sort_by_key(|action| Some(*action) != wanted);
        Notice {
            project: project.to_owned(),
            state: self.state.to_string(),
            instance,
            allowed_actions,
            reply_at: Some(ask.due),
            actions_at: Some(ask.due),
            metadata: Metadata::default(),
        }
    }

    /// That an instance has left its host.
    pub(super) fn action_done(project: &str, instance: &str) -> Notice {
        Notice {
            project: project.to_owned(),
            state: ACTION_DONE.to_owned(),
            instance: Some(instance.to_owned()),
            allowed_actions: Vec::new(),
            reply_at: None,
            actions_at: None,
            metadata: Metadata::default(),
        }
    }

    /// Adds the session's hints to what projects are asked. They are not stored with
    /// the job: a thousand projects would store them a thousand times.
    pub(super) fn with_hints(&self, mut job: Job) -> Job {
        if let Work::Notify(notices) = &mut job.work {
            for notice in notices {
                if notice.reply_at.is_some() {
                    notice.metadata.clone_from(&self.plan.metadata);
                }
            }
        }
        job
    }
}
