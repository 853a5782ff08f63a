//! One event on its way to one endpoint, over all its attempts.

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tenterhook_sdk::Event;
use time::OffsetDateTime;
use uuid::{Builder, Uuid};

use crate::subscription::SubscriptionId;

/// Longest [`Delivery::response`], in characters.
const RESPONSE_MAX_CHARS: usize = 500;

/// One event on its way to one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Its identifier, the same over all attempts: the `webhook-id`.
    pub id: Uuid,
    /// The subscription that it goes to.
    pub subscription: SubscriptionId,
    /// The type of its event.
    pub kind: String,
    /// Attempts so far.
    pub attempts: u32,
    /// Whether it waits, was delivered or failed.
    pub status: Status,
    /// What the endpoint answered to the last attempt, or why there was no answer; one
    /// line of at most 500 characters.
    pub response: Option<String>,
    /// When the event was offered.
    pub created_at: OffsetDateTime,
    /// When the next attempt is due; `None` if there is none.
    pub due_at: Option<OffsetDateTime>,
}

/// The status of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is still to be delivered.
    Waiting,
    /// The endpoint answered 2xx.
    Delivered,
    /// It was given up.
    Failed,
}

impl Status {
    /// Returns its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// Derives the identifier of the delivery of an event to a subscription. It is always the
/// same, so that an event which is offered twice is delivered once.
pub(crate) fn id_of(subscription: SubscriptionId, event: &Event) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(subscription.0.as_bytes());
    // With its length, so that no other pair of source and id reads the same.
    hash.update((event.source.len() as u64).to_be_bytes());
    hash.update(&event.source);
    hash.update(&event.id);
    let hash: [u8; 32] = hash.finalize().into();
    let half = hash.first_chunk().expect("16 bytes are fewer than 32");
    Builder::from_custom_bytes(*half).into_uuid()
}

/// Turns untrusted text into one line of bounded length.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .take(RESPONSE_MAX_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_event_is_the_same_delivery_and_others_are_others() {
        let id = |subscription: u128, source: &str, id: &str| {
            let subscription = SubscriptionId(Uuid::from_u128(subscription));
            id_of(
                subscription,
                &Event::new(id, source, "maintenance.host", None),
            )
        };
        let first = id(1, "/a", "b");
        assert_eq!(first, id(1, "/a", "b"));
        let others = [
            first,
            id(2, "/a", "b"),
            id(1, "/ab", ""),
            id(1, "/", "ab"),
            id(1, "/a", "c"),
        ];
        for (at, one) in others.iter().enumerate() {
            assert!(!others[at + 1..].contains(one), "{at}");
        }
        assert_eq!(first.get_version_num(), 8);
    }

    #[test]
    fn a_response_is_one_line_of_bounded_length() {
        let line = one_line(&"a\r\n\u{1b}[31mü".repeat(1_000));
        assert_eq!(line.chars().count(), RESPONSE_MAX_CHARS);
        assert!(!line.contains(char::is_control));
    }
}
