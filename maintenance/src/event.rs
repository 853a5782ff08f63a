//! The events of a session: their identity, and what they report.
//!
//! An event's source is the session and its id the job that it serves, so the same
//! job done twice is the same event: accepted once, delivered once.

mod data;
mod session_event;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tenterhook_dispatch::AccountId;
use tenterhook_sdk::Event;
use tenterhook_session::{Action, HostState, Instruction, Notice, Plan, Situation, State};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};
use uuid::Uuid;

use self::data::{Data, raw};
pub(crate) use self::session_event::SessionEvent;

/// Characters that are not escaped in an address: RFC 3986's unreserved ones.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Creates the events of a session; holds what they have in common.
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    /// The session.
    pub(crate) session: Uuid,
    /// The account that it belongs to; the admin's project in Fenix's terms.
    pub(crate) account: AccountId,
    /// Where projects reach this server, without a slash at the end.
    pub(crate) base_url: String,
    /// When they happen.
    pub(crate) now: OffsetDateTime,
}

impl Reporter {
    /// Creates the event that a state is entered: hooks may deny it.
    pub(crate) fn enter(
        &self,
        key: &str,
        state: State,
        percent_done: u8,
        plan: &Plan,
    ) -> SessionEvent {
        let data = json!({
            "session_id": self.session,
            "state": state,
            "percent_done": percent_done,
            "hosts": plan.hosts,
            "maintenance_at": wire_time(plan.maintenance_at),
        });
        let data = Data::of(&data).with("metadata", &plan.metadata);
        let kind = format!("session.{}", state.as_str());
        self.event(key.to_owned(), kind, self.session.to_string(), data.json())
    }

    /// Creates the event that reports to admins how far the session is.
    pub(crate) fn progress(&self, key: &str, state: State, percent_done: u8) -> SessionEvent {
        let data = json!({
            "service": "fenix",
            "session_id": self.session,
            "project_id": self.account,
            "state": state,
            "percent_done": percent_done,
        });
        let id = format!("{key}/progress");
        let subject = self.session.to_string();
        self.event(id, "maintenance.session", subject, raw(&data))
    }

    /// Creates the event that reports what becomes of a host.
    pub(crate) fn host(&self, key: &str, host: &str, state: HostState) -> SessionEvent {
        let data = json!({
            "service": "fenix",
            "session_id": self.session,
            "project_id": self.account,
            "state": state,
            "host": host,
        });
        let id = key.to_owned();
        self.event(id, "maintenance.host", host.to_owned(), raw(&data))
    }

    /// Creates a notice to a project, in the form that Fenix documents.
    ///
    /// `index` is the notice's place in its job: a project may be notified of several
    /// instances at once.
    pub(crate) fn scheduled(&self, key: &str, index: usize, notice: &Notice) -> SessionEvent {
        let of_project = format!(
            "{}/v1/maintenance/{}/{}",
            self.base_url,
            self.session,
            utf8_percent_encode(&notice.project, RESERVED)
        );
        let (instance_ids, reply_url) = match &notice.instance {
            None => (Value::from(of_project.clone()), of_project),
            Some(instance) => (
                json!([instance]),
                format!("{of_project}/{}", utf8_percent_encode(instance, RESERVED)),
            ),
        };
        let data = json!({
            "service": "fenix",
            "session_id": self.session,
            "project_id": notice.project,
            "state": notice.state,
            "instance_ids": instance_ids,
            "reply_url": reply_url,
            "allowed_actions": notice.allowed_actions,
            "reply_at": notice.reply_at.map(wire_time),
            "actions_at": notice.actions_at.map(wire_time),
        });
        let data = Data::of(&data).with("metadata", &notice.metadata);
        let id = format!("{key}/{index}");
        let project = notice.project.clone();
        self.event(id, "maintenance.scheduled", project, data.json())
    }

    /// Creates the event that asks for an instance to be moved.
    pub(crate) fn instruct(
        &self,
        key: &str,
        index: usize,
        instruction: &Instruction,
    ) -> SessionEvent {
        let data = json!({
            "session_id": self.session,
            "project_id": instruction.project,
            "instance_id": instruction.instance,
            "host": instruction.host,
            "action": instruction.action,
            "max_interruption_time": instruction.max_interruption_time,
        });
        let id = format!("{key}/{index}");
        let instance = instruction.instance.clone();
        self.event(id, "action.instance", instance, raw(&data))
    }

    /// Creates the event of a plug-in.
    ///
    /// The members of the action's metadata, then of the session's, stand beside ours,
    /// so that plain ones become parameters; none takes the place of ours.
    pub(crate) fn act(
        &self,
        key: &str,
        action: &Action,
        host: &str,
        (state, plan): (State, &Plan),
        attempt: usize,
    ) -> SessionEvent {
        let own = json!({
            "session_id": self.session,
            "state": state,
            "host": host,
            "plugin": action.plugin,
            "type": action.kind,
            "attempt": attempt,
            "maintenance_at": wire_time(plan.maintenance_at),
            "download": plan.download,
            "downloads": plan.download.join("\n"),
        });
        let data = Data::of(&own)
            .with("metadata", &action.metadata)
            .with("session_metadata", &plan.metadata)
            .beside([&action.metadata, &plan.metadata]);
        let kind = serde_json::to_value(action.kind)
            .ok()
            .and_then(|kind| Some(format!("action.{}", kind.as_str()?)))
            .expect("a type of action is a word");
        self.event(key.to_owned(), kind, host.to_owned(), data.json())
    }

    /// Creates the event that asks a tenant's workflow where to go.
    pub(crate) fn decide(
        &self,
        key: &str,
        proposed: State,
        allowed: &[State],
        situation: Situation,
    ) -> SessionEvent {
        let data = Situation {
            session_id: self.session,
            proposed,
            allowed: allowed.to_vec(),
            ..situation
        };
        let subject = self.session.to_string();
        self.event(key.to_owned(), "session.decide", subject, raw(&data))
    }

    fn event(
        &self,
        id: String,
        kind: impl Into<String>,
        subject: String,
        data: Box<RawValue>,
    ) -> SessionEvent {
        let source = format!("/v1/maintenance/{}", self.session);
        let attributes = Event {
            subject: Some(subject),
            time: self.now.format(&Rfc3339).ok(),
            ..Event::new(id, source, kind, None)
        };
        SessionEvent { attributes, data }
    }
}

/// A time as Fenix writes it: `YYYY-MM-DD HH:MM:SS`, UTC.
fn wire_time(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC)
        .format(format_description!(
            "[year]-[month]-[day] [hour]:[minute]:[second]"
        ))
        .expect("every date has these parts")
}

#[cfg(test)]
#[path = "event/tests.rs"]
mod tests;
