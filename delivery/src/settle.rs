//! What becomes of a letter after an attempt. Pure.

use std::time::Duration;

use http::StatusCode;
use rand::Rng;
use time::OffsetDateTime;

use crate::letter::{Fate, Letter, one_line};
use crate::outbox::Wait;
use crate::pause;
use crate::settings::Settings;

/// What an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The address answered.
    Answer {
        status: StatusCode,
        /// How long it wishes to be left alone.
        wish: Option<Duration>,
    },
    /// It did not, or was not asked; why, in words.
    Nothing(String),
}

/// What follows for the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follows {
    /// Its next letter.
    Next,
    /// Nothing is sent there before this is over.
    Rest(Wait),
    /// It wants no more letters.
    TurnOff,
}

/// Says what becomes of a letter of which the next attempt came to `heard` at `now`, as
/// stored waits have the time, and how long it waits if it does.
pub(crate) fn settle(
    letter: Letter,
    heard: &Heard,
    settings: &Settings,
    now: OffsetDateTime,
    rng: &mut impl Rng,
) -> (Letter, Option<Duration>, Follows) {
    let attempts = letter.attempts.saturating_add(1);
    let (status, wish) = match heard {
        Heard::Answer { status, wish } => (Some(*status), *wish),
        Heard::Nothing(_) => (None, None),
    };
    let gone = status == Some(StatusCode::GONE);
    let busy = matches!(
        status,
        Some(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
    );
    let wish = wish.filter(|_| busy);
    let fate = match status {
        Some(status) if status.is_success() => Fate::Delivered,
        _ if gone || attempts >= settings.attempts => Fate::Failed,
        _ => Fate::Waiting,
    };
    let wait = pause::after(attempts, settings.pause, rng).max(wish.unwrap_or_default());
    let wait = (fate == Fate::Waiting).then_some(wait);
    let letter = Letter {
        attempts,
        fate,
        said: Some(one_line(&words(heard))),
        due_at: wait.map(|wait| now.saturating_add(lasting(wait))),
        ..letter
    };
    let follows = match wish {
        _ if gone => Follows::TurnOff,
        Some(wish) => Follows::Rest(Wait {
            until: now.saturating_add(lasting(wish)),
            lasting: wish,
        }),
        None => Follows::Next,
    };
    (letter, wait, follows)
}

fn lasting(wait: Duration) -> time::Duration {
    time::Duration::try_from(wait).unwrap_or(time::Duration::MAX)
}

fn words(heard: &Heard) -> String {
    match heard {
        Heard::Nothing(why) => why.clone(),
        Heard::Answer { status, .. } if status.is_redirection() => {
            format!("answered {status}; redirects are not followed")
        }
        Heard::Answer { status, .. } if *status == StatusCode::GONE => {
            format!("answered {status}; the webhook was turned off")
        }
        Heard::Answer { status, .. } => format!("answered {status}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::subscription::SubscriptionId;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn letter(attempts: u32) -> Letter {
        Letter {
            id: Uuid::nil(),
            subscription: SubscriptionId(Uuid::nil()),
            kind: "maintenance.host".into(),
            attempts,
            fate: Fate::Waiting,
            said: None,
            created_at: NOW,
            due_at: Some(NOW),
        }
    }

    fn after(attempts: u32, status: u16, wish: Option<u64>) -> (Letter, Follows) {
        let heard = Heard::Answer {
            status: StatusCode::from_u16(status).unwrap(),
            wish: wish.map(Duration::from_secs),
        };
        let (letter, wait, follows) = settle(
            letter(attempts),
            &heard,
            &Settings::default(),
            NOW,
            &mut rand::rng(),
        );
        assert_eq!(letter.due_at, wait.map(|wait| NOW + wait));
        (letter, follows)
    }

    #[test]
    fn what_was_taken_is_delivered() {
        for status in [200, 202, 204, 299] {
            let (letter, follows) = after(3, status, None);
            assert_eq!((letter.fate, letter.attempts), (Fate::Delivered, 4));
            assert_eq!((letter.due_at, follows), (None, Follows::Next));
        }
    }

    #[test]
    fn an_address_that_is_gone_is_turned_off() {
        let (letter, follows) = after(0, 410, None);
        assert_eq!((letter.fate, letter.due_at), (Fate::Failed, None));
        assert_eq!(follows, Follows::TurnOff);
    }

    #[test]
    fn a_wish_to_rest_is_heard_from_the_busy_alone() {
        for status in [429, 503] {
            let (letter, follows) = after(0, status, Some(1_000));
            let lasting = Duration::from_secs(1_000);
            let until = NOW + lasting;
            assert!(letter.due_at.unwrap() >= until);
            assert_eq!(follows, Follows::Rest(Wait { until, lasting }));
        }
        let (letter, follows) = after(0, 500, Some(1_000));
        assert!(letter.due_at.unwrap() <= NOW + Settings::default().pause);
        assert_eq!(follows, Follows::Next);
        assert_eq!(after(0, 200, Some(1_000)).1, Follows::Next);
    }

    #[test]
    fn what_an_attempt_came_to_is_told() {
        let said = |status| after(0, status, None).0.said.unwrap();
        assert_eq!(said(200), "answered 200 OK");
        assert_eq!(said(302), "answered 302 Found; redirects are not followed");
        assert_eq!(said(410), "answered 410 Gone; the webhook was turned off");
        assert_eq!(said(500), "answered 500 Internal Server Error");
    }

    proptest! {
        #[test]
        fn a_letter_waits_exactly_as_long_as_attempts_are_left(
            attempts in 0..100_u32, status in 100..1_000_u16, wish in prop::option::of(0..100_000_u64),
        ) {
            let (letter, _) = after(attempts, status, wish);
            prop_assert_eq!(letter.attempts, attempts + 1);
            prop_assert_eq!(letter.due_at.is_some(), letter.fate == Fate::Waiting);
            if letter.fate == Fate::Waiting {
                prop_assert!(letter.attempts < Settings::default().attempts);
            } else if letter.fate == Fate::Failed {
                prop_assert!(status == 410 || letter.attempts >= Settings::default().attempts);
            }
            prop_assert_eq!(letter.fate == Fate::Delivered, (200..300).contains(&status));
        }
    }
}
