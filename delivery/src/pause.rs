//! How long to wait before the next attempt.

use std::time::{Duration, SystemTime};

use rand::{Rng, RngExt as _};

/// The longest backoff between two attempts.
pub(crate) const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The longest pause that an endpoint gets. One that needs more asks again: a
/// mistaken `Retry-After` of years must not silence an endpoint for good, and deliveries are
/// kept for days only.
pub(crate) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the wait after `failures` failed attempts: exponential backoff with full jitter,
/// so that deliveries that failed together are not retried together.
pub(crate) fn after(failures: u32, first: Duration, rng: &mut impl Rng) -> Duration {
    let doublings = failures.saturating_sub(1).min(30);
    let bound = first.saturating_mul(1 << doublings).min(LONGEST);
    let ms = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(rng.random_range(0..=ms))
}

/// Parses `Retry-After`, in seconds or as a date; at most a day.
pub(crate) fn parse_retry_after(value: &[u8], now: SystemTime) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let pause = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // What does not fit into the number is far beyond a day.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        httpdate::parse_http_date(text)
            .ok()?
            .duration_since(now)
            .unwrap_or_default()
    };
    Some(pause.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn retry_after_is_honoured_up_to_a_day() {
        let now = httpdate::parse_http_date("Fri, 01 Jan 2027 00:00:00 GMT").unwrap();
        let seconds =
            |text: &str| parse_retry_after(text.as_bytes(), now).map(|pause| pause.as_secs());
        assert_eq!(seconds("0"), Some(0));
        assert_eq!(seconds(" 120 "), Some(120));
        assert_eq!(seconds("86400"), Some(86_400));
        assert_eq!(seconds("86401"), Some(86_400));
        assert_eq!(seconds("99999999999999999999999999"), Some(86_400));
        assert_eq!(seconds("Fri, 01 Jan 2027 00:00:30 GMT"), Some(30));
        assert_eq!(seconds("Thu, 31 Dec 2026 23:59:59 GMT"), Some(0));
        assert_eq!(seconds("Sat, 01 Jan 2028 00:00:00 GMT"), Some(86_400));
        for nonsense in ["", "-1", "1.5", "soon", "+5"] {
            assert_eq!(seconds(nonsense), None, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn a_pause_stays_within_its_bound(failures in any::<u32>(), first_ms in 0..10_000_000_u64) {
            let first = Duration::from_millis(first_ms);
            let pause = after(failures, first, &mut rand::rng());
            prop_assert!(pause <= LONGEST);
            let doubled = first.as_millis() << failures.saturating_sub(1).min(40);
            prop_assert!(pause.as_millis() <= doubled);
        }

        #[test]
        fn no_value_makes_parsing_retry_after_panic(value in prop::collection::vec(any::<u8>(), 0..64)) {
            let pause = parse_retry_after(&value, SystemTime::UNIX_EPOCH);
            prop_assert!(pause.is_none_or(|pause| pause <= LONGEST_RETRY_AFTER));
        }
    }

    #[test]
    fn pauses_use_the_whole_of_their_bound() {
        let first = Duration::from_millis(1_000);
        let pauses: Vec<_> = (0..1_000)
            .map(|_| after(3, first, &mut rand::rng()))
            .collect();
        let part = |from: u64, to: u64| {
            let bounds = Duration::from_millis(from)..Duration::from_millis(to);
            pauses
                .iter()
                .filter(|pause| bounds.contains(*pause))
                .count()
        };
        // A quarter each is 250; a fair generator is not below 150 in an age.
        for quarter in 0..4 {
            assert!(part(quarter * 1_000, quarter * 1_000 + 1_000) > 150);
        }
    }
}
