//! What comes of a job.

use time::OffsetDateTime;
use uuid::Uuid;

use super::StageFailure;
use super::notice::ACTION_DONE;
use super::record::Note;
use crate::progress::{Current, Stage};
use crate::session::Session;
use crate::work::{Done, HostState, Work};

impl Session {
    /// Records what came of the job with this key. A key that is not the current job's
    /// changes nothing: that job was finished before.
    pub fn finish(&mut self, key: &str, done: Done, now: OffsetDateTime) {
        let Some(current) = self
            .progress
            .current
            .take_if(|current| current.job.key == key)
        else {
            return;
        };
        let work = &current.job.work;
        match done {
            Done::Well { message, task } => {
                if matches!(work, Work::Decide { .. }) {
                    let failure = StageFailure::new(
                        "the workflow has not chosen a state",
                        "see that it prints {\"next\": \"…\", \"reason\": \"…\"}, then resume",
                    );
                    return self.went_wrong(work, failure, task, now);
                }
                self.record(note(work, task), &result_of(work, &message), now);
                self.went_well(&current, now);
            }
            Done::Chosen { next, reason, task } => {
                let text = format!("{next}: {reason}");
                self.record(note(work, task), &text, now);
                if !matches!(work, Work::Decide { .. }) {
                    self.went_well(&current, now);
                } else if let Err(failure) = self.chosen(&next, &reason, now) {
                    self.fail(failure, now);
                }
            }
            Done::Badly { reason, task } => {
                let failure = StageFailure::new(reason, remedy(work));
                self.went_wrong(work, failure, task, now);
            }
        }
    }

    fn went_wrong(
        &mut self,
        work: &Work,
        mut failure: StageFailure,
        task: Option<Uuid>,
        now: OffsetDateTime,
    ) {
        let mut note = note(work, task);
        note.remedy = Some(&failure.remedy);
        self.record(note, &failure.reason, now);
        if self.state.is_over() {
            // Nothing is left that a denial could stop.
            self.entered();
            return;
        }
        failure.reason = format!("{}: {}", subject(work), failure.reason);
        self.fail(failure, now);
    }

    fn went_well(&mut self, current: &Current, now: OffsetDateTime) {
        match &current.job.work {
            Work::Enter { .. } => self.entered(),
            Work::Notify(notices) => {
                for notice in notices.iter().filter(|notice| notice.state == ACTION_DONE) {
                    let id = notice.instance.as_deref().unwrap_or_default();
                    if let Some(member) = self.progress.round.members.get_mut(id) {
                        member.notified = true;
                    }
                }
                self.members_asked(current.at, now);
                if self.progress.stage == Stage::Ask {
                    self.progress.stage = Stage::Replies;
                    if let Some(ask) = &mut self.progress.ask {
                        ask.sent(now);
                    }
                }
            }
            Work::TellHost { state, .. } => self.host_announced(*state),
            Work::Act { action, .. } => self.plugin_ran(action.kind),
            Work::Instruct(instructions) => {
                for instruction in instructions {
                    let members = &mut self.progress.round.members;
                    if let Some(member) = members.get_mut(&instruction.instance) {
                        member.instructed = true;
                        let late = now - current.at;
                        member.leave_by = member.leave_by.map(|by| by.saturating_add(late));
                    }
                }
            }
            Work::Decide { .. } | Work::Wait { .. } | Work::Rest => {}
        }
    }
}

fn note(work: &Work, task: Option<Uuid>) -> Note<'_> {
    let note = Note {
        task,
        ..Note::default()
    };
    match work {
        Work::Enter { .. } => Note {
            what: "enter",
            ..note
        },
        Work::Decide { source, .. } => Note {
            what: "decide",
            plugin: Some(source),
            ..note
        },
        Work::Notify(notices) => Note {
            what: "notify",
            project: match notices.as_slice() {
                [notice] => Some(&notice.project),
                _ => None,
            },
            ..note
        },
        Work::TellHost { host, .. } => Note {
            what: "host",
            host: Some(host),
            ..note
        },
        Work::Act { action, host } => Note {
            what: "action",
            host: Some(host),
            plugin: Some(&action.plugin),
            ..note
        },
        Work::Instruct(instructions) => Note {
            what: "instruct",
            host: instructions.first().map(|first| first.host.as_str()),
            ..note
        },
        Work::Wait { .. } | Work::Rest => note,
    }
}

/// The result of a step: what was done, and the message that came of it.
fn result_of(work: &Work, message: &str) -> String {
    let subject = subject(work);
    if message.trim().is_empty() {
        subject
    } else {
        format!("{subject}: {message}")
    }
}

fn subject(work: &Work) -> String {
    match work {
        Work::Enter { state, .. } => format!("entering {state}"),
        Work::Decide { source, .. } => format!("the workflow `{source}`"),
        Work::Notify(notices) => {
            let state = notices.first().map_or("nothing", |notice| &notice.state);
            let projects: Vec<_> = notices
                .iter()
                .map(|notice| notice.project.as_str())
                .collect();
            format!("notifying {} of {state}", projects.join(", "))
        }
        Work::TellHost { host, state } => match state {
            HostState::InMaintenance => format!("taking `{host}` into maintenance"),
            HostState::MaintenanceComplete => format!("returning `{host}` to service"),
        },
        Work::Act { action, host } => format!("the plug-in `{}` on `{host}`", action.plugin),
        Work::Instruct(instructions) => {
            let moves: Vec<_> = instructions
                .iter()
                .map(|each| format!("{} {}", each.action.as_str(), each.instance))
                .collect();
            moves.join(", ")
        }
        Work::Wait { .. } | Work::Rest => String::new(),
    }
}

fn remedy(work: &Work) -> &'static str {
    match work {
        Work::Enter { .. } => "see which hook denied it and why, then resume",
        Work::Decide { .. } => "correct the workflow and resume: it is asked again",
        Work::Notify(_) => {
            "find out why the projects cannot be notified, then resume: they are notified again"
        }
        Work::TellHost { .. } => "see which hook denied it and why, then resume",
        Work::Act { .. } => {
            "read the output of the task, correct the plug-in or the host, then resume: the plug-in runs again"
        }
        Work::Instruct(_) => {
            "see which hook could not move them, move them by hand or correct it, then resume"
        }
        Work::Wait { .. } | Work::Rest => "",
    }
}
