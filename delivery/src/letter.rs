//! One notification on its way to one address.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::subscription::SubscriptionId;

/// One notification on its way to one address.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// Its identifier, the same over all attempts: the `webhook-id`.
    pub id: Uuid,
    /// To whom.
    pub subscription: SubscriptionId,
    /// The type of its event.
    pub kind: String,
    /// Attempts so far.
    pub attempts: u32,
    /// What became of it.
    pub fate: Fate,
    /// What the last attempt came to, in one line of at most 500 characters.
    pub said: Option<String>,
    /// When it was offered.
    pub created_at: OffsetDateTime,
    /// When it is tried next; `None` if it is not.
    pub due_at: Option<OffsetDateTime>,
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It is still to be delivered.
    Waiting,
    /// It was taken: the address answered 2xx.
    Delivered,
    /// It was given up.
    Failed,
}
