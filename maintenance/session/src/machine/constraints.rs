//! What the `vnf` workflow must know before it touches anything.

use std::collections::BTreeSet;

use super::StageFailure;
use crate::inventory::Inventory;
use crate::plan::Workflow;
use crate::session::Session;

/// Ids that are named when many are missing.
const NAMED: usize = 10;

impl Session {
    /// Every instance on the session's hosts needs its demands, and so does its group.
    pub(super) fn check_constraints(&self, inventory: &Inventory) -> Result<(), StageFailure> {
        if self.plan.workflow != Workflow::Vnf {
            return Ok(());
        }
        let mut missing = BTreeSet::new();
        for (id, instance) in inventory.placed() {
            if instance.project.is_none() || !self.plan.hosts.contains(&instance.host) {
                continue;
            }
            let Some(constraint) = inventory.instance_constraints.get(id) else {
                missing.insert(format!("instance `{id}`"));
                continue;
            };
            let group = &constraint.group_id;
            if !group.is_empty() && !inventory.group_constraints.contains_key(group) {
                missing.insert(format!("group `{group}`"));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let all = missing.len();
        let mut named: Vec<_> = missing.into_iter().take(NAMED).collect();
        if all > NAMED {
            named.push(format!("{} more", all - NAMED));
        }
        Err(StageFailure::new(
            format!("constraints are missing for {}", named.join(", ")),
            "put the constraints at /v1/instance/{id} and /v1/instance_group/{id}, then resume",
        ))
    }
}
