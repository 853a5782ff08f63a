//! What a session writes down about itself.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::session::Session;
use crate::step::Step;

/// Characters of a step's result.
const RESULT: usize = 1_000;

/// A step before it is numbered.
#[derive(Default)]
pub(super) struct Note<'a> {
    pub(super) what: &'a str,
    pub(super) host: Option<&'a str>,
    pub(super) project: Option<&'a str>,
    pub(super) plugin: Option<&'a str>,
    /// `Some` if it went wrong: what the admin can do about it.
    pub(super) remedy: Option<&'a str>,
    pub(super) task: Option<Uuid>,
}

impl Session {
    pub(super) fn record(&mut self, note: Note<'_>, result: &str, now: OffsetDateTime) {
        self.serial += 1;
        self.steps.push(Step {
            serial: self.serial,
            at: now,
            state: self.state,
            what: note.what.to_owned(),
            host: note.host.map(str::to_owned),
            project: note.project.map(str::to_owned),
            plugin: note.plugin.map(str::to_owned),
            ok: note.remedy.is_none(),
            result: line(result),
            remedy: note.remedy.map(line),
            task: note.task,
        });
    }

    pub(crate) fn record_creation(&mut self, now: OffsetDateTime) {
        let hosts = self.plan.hosts.len();
        let text = format!("begins in {}; hosts: {hosts}", self.state);
        let note = Note {
            what: "create",
            ..Note::default()
        };
        self.record(note, &text, now);
    }
}

/// One line of a text that may come from a guest.
pub(super) fn line(text: &str) -> String {
    text.trim()
        .chars()
        .take(RESULT)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
