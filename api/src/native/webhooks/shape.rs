//! What a webhook and what it was sent look like in JSON.

use serde::{Deserialize, Serialize};
use tenterhook_delivery::{Fate, Letter, NewSubscription, Subscription};
use utoipa::ToSchema;

use crate::time_text::time_text;

/// A webhook to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWebhook {
    /// Where to send: `http://…` or `https://…`, at most 2048 bytes, without user and
    /// password.
    url: String,
    /// The types of events to be told of: `maintenance.scheduled`, `maintenance.host`,
    /// `maintenance.session`, `action.instance`. All of them by default.
    #[serde(default)]
    events: Vec<String>,
    /// The only project to be told of; by default all.
    #[serde(default)]
    project: Option<String>,
    /// What signs: `whsec_` and base64 of 24 to 64 bytes. By default a new one.
    #[serde(default)]
    secret: Option<String>,
}

impl From<NewWebhook> for NewSubscription {
    fn from(said: NewWebhook) -> Self {
        Self {
            url: said.url,
            events: said.events,
            project: said.project,
            secret: said.secret,
        }
    }
}

/// What can be changed of a webhook.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedWebhook {
    /// Whether it is to be told. While it is not, events owe it nothing.
    #[serde(default)]
    pub(super) enabled: Option<bool>,
}

/// An address that is told of events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Webhook {
    id: String,
    url: String,
    /// The types of events that it is told of; empty means all.
    events: Vec<String>,
    /// The only project that it is told of.
    project: Option<String>,
    /// `false` after a client turned it off or the address answered 410.
    enabled: bool,
    /// Until when the address has asked to be left alone by `Retry-After`; absent if it
    /// has not, or if that is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_until: Option<String>,
    created_at: String,
}

impl Webhook {
    pub(super) fn new(own: Subscription) -> Self {
        Self {
            id: own.id.to_string(),
            url: own.url,
            events: own.events,
            project: own.project,
            enabled: own.enabled,
            paused_until: own
                .paused_until
                .filter(|until| *until > tenterhook_dispatch::now())
                .map(time_text),
            created_at: time_text(own.created_at),
        }
    }
}

/// A new webhook with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeWebhook {
    #[serde(flatten)]
    about: Webhook,
    /// What signs. It cannot be shown again.
    secret: String,
}

impl MadeWebhook {
    pub(super) fn new(own: Subscription) -> Self {
        Self {
            secret: own.secret.reveal(),
            about: Webhook::new(own),
        }
    }
}

/// What a webhook was sent, or is still owed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sent {
    /// The `webhook-id`, the same over all attempts.
    id: String,
    /// The type of the event.
    event: String,
    /// `waiting`, `delivered` or `failed`.
    #[schema(value_type = String)]
    fate: Fate,
    attempts: u32,
    /// What the last attempt came to.
    said: Option<String>,
    created_at: String,
    /// When it is tried next.
    due_at: Option<String>,
}

impl Sent {
    pub(super) fn new(letter: Letter) -> Self {
        Self {
            id: letter.id.to_string(),
            event: letter.kind,
            fate: letter.fate,
            attempts: letter.attempts,
            said: letter.said,
            created_at: time_text(letter.created_at),
            due_at: letter.due_at.map(time_text),
        }
    }
}
