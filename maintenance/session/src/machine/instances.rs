//! The instances of the host that is being emptied: which they are, when their projects
//! are asked, when they have left.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use super::record::Note;
use super::{Poll, StageFailure};
use crate::inventory::Inventory;
use crate::plan::Workflow;
use crate::progress::Rest;
use crate::round::{Ask, Member};
use crate::session::Session;
use crate::work::Work;

/// Instances that may come to a host while it is being emptied.
const ARRIVALS: u32 = 100;

impl Session {
    /// Updates which instances have left the host, and which have come to it.
    pub(super) fn see_members(&mut self, host: &str, poll: &Poll<'_>) -> Result<(), StageFailure> {
        let here: BTreeMap<&str, _> = poll.inventory.instances_on(host).collect();
        let ids: Vec<_> = self.progress.round.members.keys().cloned().collect();
        for id in ids {
            if !here.contains_key(id.as_str()) {
                self.member_left(&id, host, poll);
            }
        }
        let members = &mut self.progress.round.members;
        let begun = !members.is_empty();
        for (id, instance) in here {
            if members.get(id).is_some_and(|member| !member.left) {
                continue;
            }
            if begun {
                self.progress.round.arrivals += 1;
            }
            let constraint = poll.inventory.instance_constraints.get(id);
            let member = Member {
                project: instance.project.clone(),
                group: constraint
                    .map(|constraint| constraint.group_id.clone())
                    .or_else(|| instance.group.clone()),
                ..Member::default()
            };
            members.insert(id.to_owned(), member);
        }
        if self.progress.round.arrivals > ARRIVALS {
            return Err(StageFailure::new(
                format!("more than {ARRIVALS} instances came to `{host}` while it was emptied"),
                "see that nothing new is placed on the host, then resume",
            ));
        }
        Ok(())
    }

    fn member_left(&mut self, id: &str, host: &str, poll: &Poll<'_>) {
        let Some(member) = self.progress.round.members.get_mut(id) else {
            return;
        };
        if std::mem::replace(&mut member.left, true) {
            return;
        }
        let (project, group) = (member.project.clone(), member.group.clone());
        let was_affected = member.admitted && (member.ask.is_some() || member.leave_by.is_some());
        let rest = group
            .filter(|_| was_affected && self.plan.workflow == Workflow::Vnf)
            .and_then(|group| Some((poll.inventory.group_constraints.get(&group)?, group)));
        if let Some((constraint, group)) = rest {
            let recovery = time::Duration::seconds(i64::from(constraint.recovery_time));
            let until = poll.now.saturating_add(recovery);
            self.progress.rests.push(Rest { group, until });
        }
        let note = Note {
            what: "left",
            host: Some(host),
            project: project.as_deref(),
            ..Note::default()
        };
        self.record(note, &format!("the instance `{id}` has left"), poll.now);
        self.update_project_states();
    }

    /// Lets instances be affected: all of them, or as many of each group as may be.
    pub(super) fn admit_members(&mut self, poll: &Poll<'_>) {
        for rest in &mut self.progress.rests {
            // However the clock was set, none rests for longer than its group needs.
            let constraint = poll.inventory.group_constraints.get(&rest.group);
            let recovery = constraint.map_or(0, |own| i64::from(own.recovery_time));
            let latest = poll.now.saturating_add(time::Duration::seconds(recovery));
            rest.until = rest.until.min(latest);
        }
        self.progress.rests.retain(|rest| rest.until > poll.now);
        let ids: Vec<_> = self
            .progress
            .round
            .members
            .iter()
            .filter(|(_, member)| !member.admitted && !member.left)
            .map(|(id, _)| id.clone())
            .collect();
        for id in ids {
            let group = self.progress.round.members[&id].group.clone();
            let may = self.plan.workflow != Workflow::Vnf
                || group.is_none_or(|group| self.has_room(&group, poll.inventory));
            if let Some(member) = self.progress.round.members.get_mut(&id) {
                member.admitted = may;
            }
        }
    }

    /// Whether one more of a group may be affected.
    fn has_room(&self, group: &str, inventory: &Inventory) -> bool {
        let Some(constraint) = inventory.group_constraints.get(group) else {
            return true;
        };
        let members = self.progress.round.members.values();
        let affected = members
            .filter(|member| member.admitted && !member.left)
            .filter(|member| member.group.as_deref() == Some(group));
        let resting = self
            .progress
            .rests
            .iter()
            .filter(|rest| rest.group == group);
        let most = usize::try_from(constraint.max_impacted_members).unwrap_or(usize::MAX);
        affected.count() + resting.count() < most.max(1)
    }

    /// Asks for those that have not been asked for.
    pub(super) fn ask_members(&mut self, poll: &Poll<'_>) -> Option<Work> {
        let mut asked = BTreeSet::new();
        for (id, member) in &mut self.progress.round.members {
            let may_ask = member.admitted && !member.left && member.project.is_some();
            if may_ask && member.ask.is_none() {
                let lead = self.plan.workflow == Workflow::Vnf;
                let lead = poll.inventory.instance_constraints.get(id).filter(|_| lead);
                let lead = lead.map_or(0, |constraint| i64::from(constraint.lead_time));
                let wait = poll.timeouts.reply.max(time::Duration::seconds(lead));
                member.ask = Some(Ask::new(poll.now, wait));
                asked.insert(id.clone());
            }
        }
        self.update_project_states();
        self.notify_members(&asked, poll.inventory)
    }

    /// Notifies again those that are silent.
    pub(super) fn remind_members(&mut self, poll: &Poll<'_>) -> Option<Work> {
        let mut reminded = BTreeSet::new();
        for (id, member) in &mut self.progress.round.members {
            let is_open = member.is_open();
            let Some(ask) = member.ask.as_mut().filter(|_| is_open) else {
                continue;
            };
            let due = ask.reminders_due(poll.timeouts.reminders, poll.now);
            if due > ask.reminded {
                ask.reminded = due;
                reminded.insert(id.clone());
            }
        }
        self.notify_members(&reminded, poll.inventory)
    }

    /// One notice for each project, or for each instance in the `vnf` workflow.
    fn notify_members(&self, ids: &BTreeSet<String>, inventory: &Inventory) -> Option<Work> {
        let mut notices = Vec::new();
        let mut notified = BTreeSet::new();
        for id in ids {
            let member = &self.progress.round.members[id];
            let (Some(project), Some(ask)) = (&member.project, member.ask) else {
                continue;
            };
            if self.plan.workflow == Workflow::Vnf {
                notices.push(self.question(project, Some(id.clone()), ask, inventory));
            } else if notified.insert(project) {
                notices.push(self.question(project, None, ask, inventory));
            }
        }
        (!notices.is_empty()).then_some(Work::Notify(notices))
    }

    /// Notifies projects of instances that were moved for them and have left.
    pub(super) fn notify_of_departures(&self) -> Option<Work> {
        let members = self.progress.round.members.iter();
        let notices: Vec<_> = members
            .filter(|(_, member)| member.left && member.instructed && !member.notified)
            .filter_map(|(id, member)| Some(Self::action_done(member.project.as_deref()?, id)))
            .collect();
        (!notices.is_empty()).then_some(Work::Notify(notices))
    }

    /// That questions have been sent: time counts from now.
    pub(super) fn members_asked(&mut self, begun_at: OffsetDateTime, now: OffsetDateTime) {
        for member in self.progress.round.members.values_mut() {
            if let Some(ask) = member.ask.as_mut().filter(|ask| ask.at == begun_at) {
                ask.sent(now);
            }
        }
    }
}
