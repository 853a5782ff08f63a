//! What a tenant's workflow is given before it decides.

use serde_json::{Map, Value, json};

use crate::inventory::Inventory;
use crate::round::Answer;
use crate::session::Session;
use crate::state::State;

impl Session {
    /// The session as a tenant's workflow sees it.
    ///
    /// ```json
    /// {
    ///   "session_id": "…", "state": "MAINTENANCE", "percent_done": 0,
    ///   "proposed": "START_MAINTENANCE", "allowed": ["SCALE_IN", "…"],
    ///   "plan": {"hosts": [], "state": "MAINTENANCE", "maintenance_at": "…",
    ///            "workflow": {"source": "…"}, "metadata": {}, "download": [], "actions": []},
    ///   "hosts": {"node-1": {"kind": "compute", "vcpus": 16, "schedulable": true,
    ///             "in_session": true, "in_maintenance": false, "maintained": false,
    ///             "instances": {"<id>": {"name": "…", "project": "…", "group": null,
    ///                           "vcpus": 1, "floating_ip": false, "action": "MIGRATE"}}}},
    ///   "projects": {"<id>": {"state": "ACK_MAINTENANCE"}}
    /// }
    /// ```
    ///
    /// `hosts` are all of the inventory. `action` is what was answered for an instance
    /// in this state, or `null`.
    pub(super) fn situation(
        &self,
        proposed: State,
        allowed: &[State],
        inventory: &Inventory,
    ) -> Value {
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
        json!({
            "session_id": self.id,
            "state": self.state,
            "percent_done": self.percent_done(),
            "proposed": proposed,
            "allowed": allowed,
            "plan": self.plan,
            "hosts": hosts,
            "projects": projects,
        })
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
