//! Looking at a session and its inventory as a tenant's workflow sees them.

use serde_json::{Map, Value, json};

use crate::inventory::Inventory;
use crate::round::Answer;
use crate::session::Session;
use crate::situation::Situation;
use crate::state::State;

impl Session {
    /// The session as a tenant's workflow sees it.
    pub(super) fn situation(
        &self,
        proposed: State,
        allowed: &[State],
        inventory: &Inventory,
    ) -> Situation {
        let hosts: Map<String, Value> = inventory
            .hosts
            .iter()
            .map(|(name, host)| {
                let about = json!({
                    "kind": host.kind,
                    "vcpus": host.vcpus,
                    "schedulable": host.schedulable,
                    "in_session": self.plan.hosts.contains(name),
                    "in_maintenance": self.is_in_maintenance(name),
                    "maintained": self.is_maintained(name),
                    "instances": self.instances_seen(name, inventory),
                });
                (name.clone(), about)
            })
            .collect();
        let projects: Map<String, Value> = self
            .projects
            .iter()
            .map(|(id, project)| (id.clone(), json!({"state": project.state})))
            .collect();
        Situation {
            session_id: self.id,
            state: self.state,
            percent_done: self.percent_done(),
            proposed,
            allowed: allowed.to_vec(),
            plan: self.plan.clone(),
            hosts,
            projects,
        }
    }

    fn instances_seen(&self, host: &str, inventory: &Inventory) -> Map<String, Value> {
        inventory
            .instances_on(host)
            .map(|(id, instance)| {
                let member = self.progress.round.members.get(id);
                let action = match member.and_then(|member| member.answer) {
                    Some(Answer::Agreed(action)) => Some(action),
                    Some(Answer::Refused) | None => None,
                };
                let about = json!({
                    "name": instance.name,
                    "project": instance.project,
                    "group": instance.group,
                    "vcpus": instance.vcpus,
                    "floating_ip": instance.floating_ip,
                    "action": action,
                });
                (id.to_owned(), about)
            })
            .collect()
    }
}
