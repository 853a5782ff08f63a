//! Subscriptions: which endpoint receives which events.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::secret::Secret;

/// Identifies a [`Subscription`]; a UUID of version 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubscriptionId(pub Uuid);

impl std::fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for SubscriptionId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// An endpoint that receives events.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    /// Its identifier.
    pub id: SubscriptionId,
    /// The account that it belongs to.
    pub account: Uuid,
    /// Where to send: `http://…` or `https://…`.
    pub url: String,
    /// The types of events that it receives; empty means all that are delivered.
    pub events: Vec<String>,
    /// The only project whose events it receives; `None` means all, and events about no
    /// project.
    pub project: Option<String>,
    /// The signing key.
    pub secret: Secret,
    /// Whether it is enabled. While it is not, no deliveries are created for it, and those
    /// from before wait.
    pub enabled: bool,
    /// The end of the pause that the endpoint has asked for, if it has; possibly past.
    pub paused_until: Option<OffsetDateTime>,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

impl Subscription {
    /// Returns whether an event of this type about this project is delivered here.
    pub(crate) fn wants(&self, kind: &str, project: Option<&str>) -> bool {
        self.enabled
            && (self.events.is_empty() || self.events.iter().any(|event| event == kind))
            && (self.project.is_none() || self.project.as_deref() == project)
    }
}

/// A subscription to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewSubscription {
    /// See [`Subscription::url`]; at most 2,048 bytes, without user, password and
    /// fragment.
    pub url: String,
    /// See [`Subscription::events`]; at most 32, each of [`KINDS`](crate::KINDS).
    pub events: Vec<String>,
    /// See [`Subscription::project`]; 1 to 255 characters, none of them a control
    /// character.
    pub project: Option<String>,
    /// See [`Subscription::secret`]; `whsec_` and base64 of 24 to 64 bytes. Default: a
    /// new one of 32 random bytes.
    pub secret: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_subscribed_events_are_delivered() {
        let all = Subscription {
            id: SubscriptionId(Uuid::nil()),
            account: Uuid::nil(),
            url: "http://manager.example/".into(),
            events: Vec::new(),
            project: None,
            secret: Secret::generate(),
            enabled: true,
            paused_until: None,
            created_at: OffsetDateTime::UNIX_EPOCH,
        };
        assert!(all.wants("maintenance.host", None) && all.wants("maintenance.host", Some("p")));
        let off = Subscription {
            enabled: false,
            ..all.clone()
        };
        assert!(!off.wants("maintenance.host", None));
        let some = Subscription {
            events: vec!["maintenance.scheduled".into()],
            project: Some("p".into()),
            ..all
        };
        assert!(some.wants("maintenance.scheduled", Some("p")));
        assert!(!some.wants("maintenance.scheduled", Some("q")));
        assert!(!some.wants("maintenance.scheduled", None));
        assert!(!some.wants("maintenance.host", Some("p")));
    }
}
