//! `PREPARE_MAINTENANCE` and `PLANNED_MAINTENANCE`: emptying one host.
//!
//! Each instance is admitted, asked for, answered for, sent on its way, and leaves.
//! In the `default` workflow all are admitted at once, and none is sent before all are
//! answered for; in `vnf` each goes by itself, as the demands for its group let it.

use std::collections::BTreeSet;

use time::{Duration, OffsetDateTime};

use super::ask::silence;
use super::record::Note;
use super::{Next, Poll, StageFailure};
use crate::plan::Workflow;
use crate::progress::Stage;
use crate::reply::InstanceAction;
use crate::round::{Answer, Round};
use crate::session::Session;
use crate::state::State;
use crate::work::{Instruction, Work};

impl Session {
    /// Picks the host to empty, unless there is nothing to empty.
    pub(super) fn pick_host(&mut self, poll: &Poll<'_>) -> Next {
        let hosts = self.unmaintained_computes(poll.inventory);
        let capacity = self.capacity(poll.inventory);
        let picked = match hosts.iter().find(|host| capacity.is_empty(host)) {
            Some(host) => Err(format!("`{host}` is empty")),
            None => capacity
                .easiest(hosts)
                .map(str::to_owned)
                .ok_or_else(|| "no compute host has to be emptied".to_owned()),
        };
        self.progress.stage = match picked {
            Err(why) => Stage::Choose {
                next: State::StartMaintenance,
                why,
            },
            Ok(host) => {
                let note = Note {
                    what: "pick",
                    host: Some(&host),
                    ..Note::default()
                };
                self.record(note, "is to be emptied", poll.now);
                self.progress.round = Round {
                    host: Some(host),
                    ..Round::default()
                };
                Stage::Empty
            }
        };
        Next::Again
    }

    pub(super) fn empty_host(&mut self, poll: &Poll<'_>) -> Result<Next, StageFailure> {
        let Some(host) = self.progress.round.host.clone() else {
            self.progress.stage = Stage::Pick;
            return Ok(Next::Again);
        };
        self.see_members(&host, poll)?;
        if let Some(work) = self.notify_of_departures() {
            return Ok(Next::Do(work));
        }
        self.check_answers(poll.now)?;
        if self
            .progress
            .round
            .members
            .values()
            .all(|member| member.left)
        {
            self.progress.stage = Stage::Choose {
                next: State::StartMaintenance,
                why: format!("`{host}` is empty"),
            };
            return Ok(Next::Again);
        }
        self.admit_members(poll);
        let work = self
            .ask_members(poll)
            .or_else(|| self.remind_members(poll))
            .or_else(|| self.send_members(&host, poll));
        if let Some(work) = work {
            return Ok(Next::Do(work));
        }
        if self.members_late(poll.now) {
            return self.not_emptied(&host);
        }
        Ok(Next::Wait(self.members_poll_at(poll)))
    }

    /// A NACK ends it at once; so does silence past the time.
    fn check_answers(&self, now: OffsetDateTime) -> Result<(), StageFailure> {
        let members = &self.progress.round.members;
        let refused = members
            .iter()
            .find(|(_, member)| !member.left && member.answer == Some(Answer::Refused));
        if let Some((id, member)) = refused {
            let project = member.project.as_deref().unwrap_or_default();
            return Err(StageFailure::new(
                format!(
                    "{project} answered NACK_{} for the instance `{id}`",
                    self.state
                ),
                "settle it with the project and resume: it is asked again",
            ));
        }
        let silent: BTreeSet<_> = members
            .values()
            .filter(|member| member.is_open() && member.ask.is_some_and(|ask| now >= ask.due))
            .filter_map(|member| member.project.clone())
            .collect();
        let silent: Vec<_> = silent.into_iter().collect();
        if silent.is_empty() {
            Ok(())
        } else {
            Err(silence(&silent, self.state))
        }
    }

    /// Sends on their way those that are answered for.
    fn send_members(&mut self, host: &str, poll: &Poll<'_>) -> Option<Work> {
        let members = &mut self.progress.round.members;
        let waits_for_others = self.plan.workflow != Workflow::Vnf
            && members
                .values()
                .any(|member| !member.left && member.action().is_none());
        if waits_for_others {
            return None;
        }
        let leave_by = poll.now.saturating_add(poll.timeouts.empty_host);
        let mut instructions = Vec::new();
        for (id, member) in members.iter_mut() {
            let (Some(action), true) = (member.action(), member.admitted) else {
                continue;
            };
            if member.left || member.leave_by.is_some() {
                continue;
            }
            member.leave_by = Some(leave_by);
            if action != InstanceAction::OwnAction {
                instructions.push(Instruction {
                    instance: id.clone(),
                    project: member.project.clone(),
                    host: host.to_owned(),
                    action,
                    max_interruption_time: poll
                        .inventory
                        .instance_constraints
                        .get(id)
                        .map(|constraint| constraint.max_interruption_time),
                });
            }
        }
        (!instructions.is_empty()).then_some(Work::Instruct(instructions))
    }

    fn members_late(&self, now: OffsetDateTime) -> bool {
        self.progress
            .round
            .members
            .values()
            .any(|member| !member.left && member.leave_by.is_some_and(|by| now >= by))
    }

    fn not_emptied(&mut self, host: &str) -> Result<Next, StageFailure> {
        let left: Vec<_> = self
            .progress
            .round
            .members
            .iter()
            .filter(|(_, member)| !member.left)
            .map(|(id, _)| id.as_str())
            .collect();
        let why = format!(
            "`{host}` was not emptied in time; still on it: {}",
            left.join(", ")
        );
        if self.state == State::PlannedMaintenance {
            return Err(StageFailure::new(
                why,
                "move the remaining instances away and resume; the move is requested again",
            ));
        }
        self.progress.stage = Stage::Choose {
            next: State::ScaleIn,
            why,
        };
        Ok(Next::Again)
    }

    /// When something may happen by itself: an answer is due, a reminder, an instance
    /// must have left, or a group has rested.
    fn members_poll_at(&self, poll: &Poll<'_>) -> OffsetDateTime {
        let reminders = poll.timeouts.reminders;
        let members = self.progress.round.members.values();
        let times = members.filter(|member| !member.left).filter_map(|member| {
            match (member.leave_by, member.ask) {
                (Some(by), _) => Some(by),
                (None, Some(ask)) if member.is_open() => Some(ask.poll_at(reminders)),
                (None, _) => None,
            }
        });
        let rests = self.progress.rests.iter().map(|rest| rest.until);
        times
            .chain(rests.filter(|until| *until > poll.now))
            .min()
            .unwrap_or_else(|| poll.now.saturating_add(Duration::minutes(1)))
    }
}
