//! The projects that a session concerns, and their instances.

use std::collections::BTreeSet;

use crate::inventory::{Instance, Inventory};
use crate::session::Session;

impl Session {
    /// Projects that are notified of what concerns all of them: those with instances on
    /// the session's hosts, and those that were notified before and still have any.
    #[must_use]
    pub fn concerned_projects(&self, inventory: &Inventory) -> BTreeSet<String> {
        let hosts: BTreeSet<&String> = self.plan.hosts.iter().collect();
        inventory
            .placed()
            .filter_map(|(_, instance)| Some((&instance.host, instance.project.as_ref()?)))
            .filter(|(host, project)| {
                hosts.contains(host) || self.projects.contains_key(project.as_str())
            })
            .map(|(_, project)| project.clone())
            .collect()
    }

    /// Returns the instances of a project that the current step is about, sorted. If it
    /// is about none of them, all that the project has on the session's hosts; if it has
    /// none there, all that it has.
    #[must_use]
    pub fn instance_ids(&self, project: &str, inventory: &Inventory) -> Vec<String> {
        let members = self.progress.round.members.iter();
        let in_step: Vec<String> = members
            .filter(|(_, member)| member.is_concerned())
            .filter(|(_, member)| member.project.as_deref() == Some(project))
            .map(|(id, _)| id.clone())
            .collect();
        if !in_step.is_empty() {
            return in_step;
        }
        let hosts: BTreeSet<&String> = self.plan.hosts.iter().collect();
        let all = || {
            let of_project =
                |(_, instance): &(_, &Instance)| instance.project.as_deref() == Some(project);
            inventory.placed().filter(of_project)
        };
        let on_hosts: Vec<String> = all()
            .filter(|(_, instance)| hosts.contains(&instance.host))
            .map(|(id, _)| id.to_owned())
            .collect();
        if on_hosts.is_empty() {
            return all().map(|(id, _)| id.to_owned()).collect();
        }
        on_hosts
    }
}
