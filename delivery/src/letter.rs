//! One notification on its way to one address.

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tenterhook_sdk::Event;
use time::OffsetDateTime;
use uuid::{Builder, Uuid};

use crate::subscription::SubscriptionId;

/// Longest [`Letter::said`], in characters.
const SAID_MAX_CHARS: usize = 500;

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

impl Fate {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// The identifier of the letter that an event is to a subscription: always the same,
/// so that an event which is offered twice is one letter.
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

/// What may have been said by anybody, as one line that is not too long.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .take(SAID_MAX_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_event_is_the_same_letter_and_others_are_others() {
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
    fn what_was_said_is_one_line_of_bounded_length() {
        let said = one_line(&"a\r\n\u{1b}[31mü".repeat(1_000));
        assert_eq!(said.chars().count(), SAID_MAX_CHARS);
        assert!(!said.contains(char::is_control));
    }
}
