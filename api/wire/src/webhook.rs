//! Webhooks and their deliveries.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A webhook to create.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Where to send: `http://…` or `https://…`, at most 2048 bytes, without user and
    /// password.
    pub url: String,
    /// The types of events to receive: `maintenance.scheduled`, `maintenance.host`,
    /// `maintenance.session`, `action.instance`. All of them by default.
    #[serde(default)]
    pub events: Vec<String>,
    /// The only project whose events to receive; by default all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The signing secret: `whsec_` and base64 of 24 to 64 bytes. By default a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// The changes to a webhook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedWebhook {
    /// Whether it receives events. While it does not, no deliveries are created for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// An endpoint that receives events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// Its identifier, a UUID.
    pub id: String,
    /// Where events are sent.
    pub url: String,
    /// The types of events that it receives; empty means all.
    pub events: Vec<String>,
    /// The only project whose events it receives.
    pub project: Option<String>,
    /// `false` after a client disabled it or the endpoint answered 410.
    pub enabled: bool,
    /// The end of the pause that the endpoint has requested by `Retry-After`; absent if it
    /// has not, or if it has passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<String>,
    /// When it was created.
    pub created_at: String,
}

/// A new webhook with its secret.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreatedWebhook {
    /// The webhook.
    #[serde(flatten)]
    pub about: Webhook,
    /// The signing secret. It is not shown again.
    pub secret: String,
}

/// A delivery to a webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// The `webhook-id`, the same over all attempts.
    pub id: String,
    /// The type of the event.
    pub event: String,
    /// How far it is.
    pub status: DeliveryStatus,
    /// The attempts that were made.
    pub attempts: u32,
    /// What the endpoint answered to the last attempt, or why there was no answer.
    pub response: Option<String>,
    /// When it was created.
    pub created_at: String,
    /// When the next attempt is due.
    pub due_at: Option<String>,
}

/// The status of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryStatus {
    /// It is still to be delivered.
    Waiting,
    /// The endpoint responded with 2xx.
    Delivered,
    /// It was given up.
    Failed,
}
