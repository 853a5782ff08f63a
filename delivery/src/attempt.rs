//! What an attempt means for its delivery and its endpoint. Pure: nothing is sent or
//! stored here.

use std::time::Duration;

use http::StatusCode;
use rand::Rng;
use tenterhook_clock::full_jitter;
use time::OffsetDateTime;

use crate::delivery::{Delivery, Status, one_line};
use crate::outbox::Wait;
use crate::pause;
use crate::settings::Settings;

/// The result of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AttemptResult {
    /// The endpoint answered.
    Response {
        code: StatusCode,
        /// The pause that it asks for.
        retry_after: Option<Duration>,
    },
    /// There was no answer, or nothing was sent; why, for people.
    Error(String),
}

/// What the queue does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Sends the next delivery.
    Continue,
    /// Sends nothing before this has passed.
    Pause(Wait),
    /// Ends: the endpoint is gone.
    Disable,
}

/// Applies the result of the latest attempt to a delivery. Returns the delivery, how long
/// it waits if it does, and what the queue does next. `now` is on the clock of stored waits.
pub(crate) fn apply_result(
    delivery: Delivery,
    result: &AttemptResult,
    settings: &Settings,
    now: OffsetDateTime,
    rng: &mut impl Rng,
) -> (Delivery, Option<Duration>, NextStep) {
    let attempts = delivery.attempts.saturating_add(1);
    let (code, retry_after) = match result {
        AttemptResult::Response { code, retry_after } => (Some(*code), *retry_after),
        AttemptResult::Error(_) => (None, None),
    };
    let gone = code == Some(StatusCode::GONE);
    let busy = matches!(
        code,
        Some(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
    );
    let retry_after = retry_after.filter(|_| busy);
    let status = match code {
        Some(code) if code.is_success() => Status::Delivered,
        _ if gone || attempts >= settings.attempts => Status::Failed,
        _ => Status::Waiting,
    };
    let wait = full_jitter(settings.pause, pause::LONGEST, attempts, rng)
        .max(retry_after.unwrap_or_default());
    let wait = (status == Status::Waiting).then_some(wait);
    let delivery = Delivery {
        attempts,
        status,
        response: Some(one_line(&describe(result))),
        due_at: wait.map(|wait| now.saturating_add(signed(wait))),
        ..delivery
    };
    let next = match retry_after {
        _ if gone => NextStep::Disable,
        Some(pause) => NextStep::Pause(Wait {
            until: now.saturating_add(signed(pause)),
            duration: pause,
        }),
        None => NextStep::Continue,
    };
    (delivery, wait, next)
}

fn signed(wait: Duration) -> time::Duration {
    time::Duration::try_from(wait).unwrap_or(time::Duration::MAX)
}

fn describe(result: &AttemptResult) -> String {
    match result {
        AttemptResult::Error(reason) => reason.clone(),
        AttemptResult::Response { code, .. } if code.is_redirection() => {
            format!("answered {code}; redirects are not followed")
        }
        AttemptResult::Response { code, .. } if *code == StatusCode::GONE => {
            format!("answered {code}; the webhook was turned off")
        }
        AttemptResult::Response { code, .. } => format!("answered {code}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::subscription::SubscriptionId;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn delivery(attempts: u32) -> Delivery {
        Delivery {
            id: Uuid::nil(),
            subscription: SubscriptionId(Uuid::nil()),
            kind: "maintenance.host".into(),
            attempts,
            status: Status::Waiting,
            response: None,
            created_at: NOW,
            due_at: Some(NOW),
        }
    }

    fn after(attempts: u32, code: u16, retry_after: Option<u64>) -> (Delivery, NextStep) {
        let result = AttemptResult::Response {
            code: StatusCode::from_u16(code).unwrap(),
            retry_after: retry_after.map(Duration::from_secs),
        };
        let (delivery, wait, next) = apply_result(
            delivery(attempts),
            &result,
            &Settings::default(),
            NOW,
            &mut rand::rng(),
        );
        assert_eq!(delivery.due_at, wait.map(|wait| NOW + wait));
        (delivery, next)
    }

    #[test]
    fn a_delivery_that_is_answered_with_2xx_has_succeeded() {
        for code in [200, 202, 204, 299] {
            let (delivery, next) = after(3, code, None);
            assert_eq!((delivery.status, delivery.attempts), (Status::Delivered, 4));
            assert_eq!((delivery.due_at, next), (None, NextStep::Continue));
        }
    }

    #[test]
    fn an_endpoint_that_is_gone_is_disabled() {
        let (delivery, next) = after(0, 410, None);
        assert_eq!((delivery.status, delivery.due_at), (Status::Failed, None));
        assert_eq!(next, NextStep::Disable);
    }

    #[test]
    fn retry_after_counts_with_429_and_503_alone() {
        for code in [429, 503] {
            let (delivery, next) = after(0, code, Some(1_000));
            let duration = Duration::from_secs(1_000);
            let until = NOW + duration;
            assert!(delivery.due_at.unwrap() >= until);
            assert_eq!(next, NextStep::Pause(Wait { until, duration }));
        }
        let (delivery, next) = after(0, 500, Some(1_000));
        assert!(delivery.due_at.unwrap() <= NOW + Settings::default().pause);
        assert_eq!(next, NextStep::Continue);
        assert_eq!(after(0, 200, Some(1_000)).1, NextStep::Continue);
    }

    #[test]
    fn the_response_describes_the_attempt() {
        let response = |code| after(0, code, None).0.response.unwrap();
        assert_eq!(response(200), "answered 200 OK");
        assert_eq!(
            response(302),
            "answered 302 Found; redirects are not followed"
        );
        assert_eq!(
            response(410),
            "answered 410 Gone; the webhook was turned off"
        );
        assert_eq!(response(500), "answered 500 Internal Server Error");
    }

    proptest! {
        #[test]
        fn a_delivery_waits_exactly_as_long_as_attempts_are_left(
            attempts in 0..100_u32, code in 100..1_000_u16, retry_after in prop::option::of(0..100_000_u64),
        ) {
            let (delivery, _) = after(attempts, code, retry_after);
            prop_assert_eq!(delivery.attempts, attempts + 1);
            prop_assert_eq!(delivery.due_at.is_some(), delivery.status == Status::Waiting);
            if delivery.status == Status::Waiting {
                prop_assert!(delivery.attempts < Settings::default().attempts);
            } else if delivery.status == Status::Failed {
                prop_assert!(code == 410 || delivery.attempts >= Settings::default().attempts);
            }
            prop_assert_eq!(delivery.status == Status::Delivered, (200..300).contains(&code));
        }

        #[test]
        fn no_delivery_waits_for_more_than_an_hour_unasked(attempts in 0..100_u32) {
            let (delivery, _) = after(attempts, 500, None);
            let longest = NOW + Duration::from_secs(60 * 60);
            prop_assert!(delivery.due_at.is_none_or(|due_at| due_at <= longest));
        }
    }
}
