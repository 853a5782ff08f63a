//! Accepting a project's reply. A reply is checked whole before it changes anything.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::ask::{acked, nacked};
use super::record::Note;
use crate::inventory::Inventory;
use crate::plan::Workflow;
use crate::reply::{InstanceAction, NotTaken, Reply};
use crate::round::{Answer, Member};
use crate::session::Session;
use crate::state::State;

impl Session {
    /// Accepts a project's reply. The same reply again changes nothing, even if the
    /// session has since entered another state.
    ///
    /// # Errors
    ///
    /// [`NotTaken`].
    pub fn reply(
        &mut self,
        project: &str,
        mut reply: Reply,
        inventory: &Inventory,
        now: OffsetDateTime,
    ) -> Result<(), NotTaken> {
        if !is_about_instances(reply.state) {
            // Some managers always send them. They mean nothing here, and are not kept.
            reply.instance_actions.clear();
            reply.instance_action = None;
        }
        let known = self.projects.get(project);
        if reply.state != self.state || !self.state.asks() {
            return if self.is_repeated(project, &reply) {
                Ok(())
            } else {
                Err(NotTaken::WrongState(self.state))
            };
        }
        let asked = known.and_then(|known| known.state.as_deref());
        let Some(asked) = asked.map(str::to_owned) else {
            return Err(NotTaken::NotAsked);
        };
        let has_changed = if is_about_instances(self.state) {
            self.answer_for_instances(project, &reply, &asked, inventory)
        } else {
            self.answer_for_project(project, &reply, &asked)
        };
        match has_changed {
            Ok(true) => self.record_reply(project, &reply, now),
            Ok(false) => {}
            Err(_) if self.is_repeated(project, &reply) => return Ok(()),
            Err(not_taken) => return Err(not_taken),
        }
        if let Some(known) = self.projects.get_mut(project) {
            known.last = Some(reply);
        }
        Ok(())
    }

    /// Whether this is the last reply that was accepted from the project. A manager that
    /// missed the response sends its reply again, when the session may have moved on.
    fn is_repeated(&self, project: &str, reply: &Reply) -> bool {
        let known = self.projects.get(project);
        known.and_then(|known| known.last.as_ref()) == Some(reply)
    }

    fn answer_for_project(
        &mut self,
        project: &str,
        reply: &Reply,
        asked: &str,
    ) -> Result<bool, NotTaken> {
        if let Some(instance) = &reply.instance {
            return Err(NotTaken::NotConcerned(instance.clone()));
        }
        let answer = if reply.agreed {
            acked(self.state)
        } else {
            nacked(self.state)
        };
        if asked == answer {
            return Ok(false);
        }
        if asked != self.state.as_str() {
            return Err(NotTaken::Answered);
        }
        if let Some(known) = self.projects.get_mut(project) {
            known.state = Some(answer);
        }
        Ok(true)
    }

    fn answer_for_instances(
        &mut self,
        project: &str,
        reply: &Reply,
        asked: &str,
        inventory: &Inventory,
    ) -> Result<bool, NotTaken> {
        let concerned: BTreeMap<&str, &Member> = self
            .progress
            .round
            .members
            .iter()
            .filter(|(_, member)| member.is_concerned())
            .filter(|(_, member)| member.project.as_deref() == Some(project))
            .map(|(id, member)| (id.as_str(), member))
            .collect();
        let named = reply.instance.iter().chain(reply.instance_actions.keys());
        for id in named {
            if !concerned.contains_key(id.as_str()) {
                return Err(NotTaken::NotConcerned(id.clone()));
            }
        }
        if concerned.is_empty() {
            return self.answer_for_project(project, reply, asked);
        }
        let mut answers = Vec::new();
        for (id, member) in concerned {
            if reply.instance.as_deref().is_some_and(|one| one != id) {
                continue;
            }
            let answer = self.answer_for(id, member, reply, inventory)?;
            if member.answer.is_some_and(|before| before != answer) {
                return Err(NotTaken::Answered);
            }
            if member.answer.is_none() {
                answers.push((id.to_owned(), answer));
            }
        }
        let has_changed = !answers.is_empty();
        for (id, answer) in answers {
            if let Some(member) = self.progress.round.members.get_mut(&id) {
                member.answer = Some(answer);
            }
        }
        self.update_project_states();
        Ok(has_changed)
    }

    /// What a reply chooses for one instance.
    fn answer_for(
        &self,
        id: &str,
        member: &Member,
        reply: &Reply,
        inventory: &Inventory,
    ) -> Result<Answer, NotTaken> {
        if !reply.agreed {
            return Ok(Answer::Refused);
        }
        let named = reply.instance_actions.get(id).copied();
        let action = named.or(reply.instance_action).or(match member.answer {
            Some(Answer::Agreed(before)) => Some(before),
            _ => self.usual_action(id, inventory),
        });
        action
            .map(Answer::Agreed)
            .ok_or_else(|| NotTaken::NoAction(id.to_owned()))
    }

    /// What is done in the `vnf` workflow if the project names nothing.
    fn usual_action(&self, id: &str, inventory: &Inventory) -> Option<InstanceAction> {
        let constraint = inventory.instance_constraints.get(id)?;
        (self.plan.workflow == Workflow::Vnf).then_some(constraint.migration_type)
    }

    /// Sums up for each project what was asked and answered for its instances.
    pub(super) fn update_project_states(&mut self) {
        let mut asked: BTreeMap<String, (bool, bool)> = BTreeMap::new();
        for member in self.progress.round.members.values() {
            if let (Some(project), Some(_)) = (&member.project, member.ask) {
                let (open, refused) = asked.entry(project.clone()).or_default();
                *open |= member.is_open();
                *refused |= member.answer == Some(Answer::Refused);
            }
        }
        for (project, (open, refused)) in asked {
            let state = match (refused, open) {
                (true, _) => nacked(self.state),
                (false, true) => self.state.to_string(),
                (false, false) => acked(self.state),
            };
            self.projects.entry(project).or_default().state = Some(state);
        }
    }

    fn record_reply(&mut self, project: &str, reply: &Reply, now: OffsetDateTime) {
        let mut text = if reply.agreed {
            acked(self.state)
        } else {
            nacked(self.state)
        };
        if let Some(instance) = &reply.instance {
            text = format!("{text} for {instance}");
        }
        let actions: Vec<_> = reply
            .instance_actions
            .iter()
            .map(|(id, action)| format!("{} {id}", action.as_str()))
            .chain(
                reply
                    .instance_action
                    .map(|action| action.as_str().to_owned()),
            )
            .collect();
        if !actions.is_empty() {
            text = format!("{text}: {}", actions.join(", "));
        }
        let note = Note {
            what: "reply",
            project: Some(project),
            remedy: (!reply.agreed).then_some("settle it with the project and resume"),
            ..Note::default()
        };
        self.record(note, &text, now);
    }
}

/// Whether projects say in this state what is to happen to instances.
fn is_about_instances(state: State) -> bool {
    matches!(state, State::PrepareMaintenance | State::PlannedMaintenance)
}
