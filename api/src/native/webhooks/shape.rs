//! Webhooks and their deliveries as JSON.

use serde::{Deserialize, Serialize};
use tenterhook_delivery::{self as deliveries, NewSubscription, Status, Subscription};
use utoipa::ToSchema;

use crate::time_text::time_text;

/// A webhook to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWebhook {
    /// Where to send: `http://…` or `https://…`, at most 2048 bytes, without user and
    /// password.
    url: String,
    /// The types of events to receive: `maintenance.scheduled`, `maintenance.host`,
    /// `maintenance.session`, `action.instance`. All of them by default.
    #[serde(default)]
    events: Vec<String>,
    /// The only project whose events to receive; by default all.
    #[serde(default)]
    project: Option<String>,
    /// The signing secret: `whsec_` and base64 of 24 to 64 bytes. By default a new one.
    #[serde(default)]
    secret: Option<String>,
}

impl From<NewWebhook> for NewSubscription {
    fn from(new: NewWebhook) -> Self {
        Self {
            url: new.url,
            events: new.events,
            project: new.project,
            secret: new.secret,
        }
    }
}

/// The changes to a webhook.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedWebhook {
    /// Whether it receives events. While it does not, no deliveries are created for it.
    #[serde(default)]
    pub(super) enabled: Option<bool>,
}

/// An endpoint that receives events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Webhook {
    id: String,
    url: String,
    /// The types of events that it receives; empty means all.
    events: Vec<String>,
    /// The only project whose events it receives.
    project: Option<String>,
    /// `false` after a client disabled it or the endpoint answered 410.
    enabled: bool,
    /// The end of the pause that the endpoint has asked for by `Retry-After`; absent if it
    /// has not, or if it is over.
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
pub(crate) struct CreatedWebhook {
    #[serde(flatten)]
    about: Webhook,
    /// The signing secret. It is not shown again.
    secret: String,
}

impl CreatedWebhook {
    pub(super) fn new(own: Subscription) -> Self {
        Self {
            secret: own.secret.reveal(),
            about: Webhook::new(own),
        }
    }
}

/// A delivery to a webhook.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Delivery {
    /// The `webhook-id`, the same over all attempts.
    id: String,
    /// The type of the event.
    event: String,
    /// `waiting`, `delivered` or `failed`.
    #[schema(value_type = String)]
    status: Status,
    attempts: u32,
    /// What the endpoint answered to the last attempt, or why there was no answer.
    response: Option<String>,
    created_at: String,
    /// When the next attempt is due.
    due_at: Option<String>,
}

impl Delivery {
    pub(super) fn new(delivery: deliveries::Delivery) -> Self {
        Self {
            id: delivery.id.to_string(),
            event: delivery.kind,
            status: delivery.status,
            attempts: delivery.attempts,
            response: delivery.response,
            created_at: time_text(delivery.created_at),
            due_at: delivery.due_at.map(time_text),
        }
    }
}
