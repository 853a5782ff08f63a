//! The pause that an endpoint asks for, and how long a wait for the next attempt may be.

use std::time::{Duration, SystemTime};

/// The longest backoff between two attempts.
pub(crate) const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The longest pause that an endpoint gets. One that needs more asks again: a
/// mistaken `Retry-After` of years must not silence an endpoint for good, and deliveries are
/// kept for days only.
pub(crate) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

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
        fn no_value_makes_parsing_retry_after_panic(value in prop::collection::vec(any::<u8>(), 0..64)) {
            let pause = parse_retry_after(&value, SystemTime::UNIX_EPOCH);
            prop_assert!(pause.is_none_or(|pause| pause <= LONGEST_RETRY_AFTER));
        }
    }
}
