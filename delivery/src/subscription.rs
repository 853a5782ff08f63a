//! Who wants to be told of what, and where.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// Names a [`Subscription`]; a UUID of version 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubscriptionId(pub Uuid);

/// A key for signatures, 24 to 64 bytes; as text `whsec_` and base64.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(crate) Vec<u8>);

/// An address that wants to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    /// Its identifier.
    pub id: SubscriptionId,
    /// The account that it belongs to.
    pub account: Uuid,
    /// Where to send: `http://…` or `https://…`.
    pub url: String,
    /// The types of events that it wants; empty means all that are delivered.
    pub events: Vec<String>,
    /// The only project that it wants to hear of; `None` means all.
    pub project: Option<String>,
    /// What signs.
    pub secret: Secret,
    /// Whether it is to be told at present.
    pub enabled: bool,
    /// When it was made.
    pub created_at: OffsetDateTime,
}

/// A subscription to make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewSubscription {
    /// See [`Subscription::url`]; at most 2,048 bytes, without user and password.
    pub url: String,
    /// See [`Subscription::events`]; at most 32.
    pub events: Vec<String>,
    /// See [`Subscription::project`].
    pub project: Option<String>,
    /// See [`Subscription::secret`]. Default: a new one of 32 random bytes.
    pub secret: Option<String>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
