//! Entity tags, and the conditions under which a PUT is carried out.
//!
//! A tag is the MD5 of the resource as a GET returns it, in hexadecimal digits.

use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use md5::{Digest as _, Md5};
use time::OffsetDateTime;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use super::problem::{Problem, Row};
use crate::entity_tag::Tags;

/// The tag of these bytes, without quotes.
pub(super) fn tag_of(bytes: &[u8]) -> String {
    let digest = Md5::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same as a header's value, in quotes.
pub(super) fn header_of(bytes: &[u8]) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{}\"", tag_of(bytes))).expect("digits are plain text")
}

/// Whether the request is conditional.
pub(super) fn has_conditions(headers: &HeaderMap) -> bool {
    [
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
    ]
    .iter()
    .any(|name| headers.contains_key(name))
}

/// Checks the conditions of a PUT. `tags` are those that replies with the resource
/// as it is now have.
pub(super) fn check_conditions(
    headers: &HeaderMap,
    tags: &[String],
    modified_at: OffsetDateTime,
) -> Result<(), Problem> {
    // Dates in headers have no fraction of a second.
    let modified_at = modified_at.unix_timestamp();
    let holds = match Tags::of(headers, &header::IF_MATCH) {
        Some(wanted) => wanted.is_any() || tags.iter().any(|tag| wanted.has(tag)),
        None => date(headers, &header::IF_UNMODIFIED_SINCE)?.is_none_or(|date| modified_at <= date),
    };
    let is_unwanted = Tags::of(headers, &header::IF_NONE_MATCH).is_some_and(|unwanted| {
        unwanted.is_any() || tags.iter().any(|tag| unwanted.has_weakly(tag))
    });
    let modified = date(headers, &header::IF_MODIFIED_SINCE)?.is_none_or(|date| modified_at > date);
    if holds && modified && !is_unwanted {
        Ok(())
    } else {
        Err(Row::Precondition.into())
    }
}

/// Seconds since 1970.
fn date(headers: &HeaderMap, name: &HeaderName) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let date = value
        .to_str()
        .ok()
        .and_then(|text| httpdate::parse_http_date(text).ok());
    let Some(date) = date else {
        let reason = "must be a date such as Sun, 06 Nov 1994 08:49:37 GMT";
        return Err(Problem::header(name.as_str(), reason));
    };
    let since = date.duration_since(SystemTime::UNIX_EPOCH).ok();
    Ok(since.and_then(|since| i64::try_from(since.as_secs()).ok()))
}

/// Serializes the changes of one resource over this API, so that none comes between a
/// condition and the change that it allows.
pub(super) async fn turn(id: Uuid) -> MutexGuard<'static, ()> {
    /// Resources that share a lock by chance only wait for each other.
    const TURNS: usize = 1_024;
    static ALL: [Mutex<()>; TURNS] = [const { Mutex::const_new(()) }; TURNS];
    let place = usize::from(u16::from_be_bytes([id.as_bytes()[0], id.as_bytes()[1]]));
    ALL[place % TURNS].lock().await
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "9291ea49a1b2c3d4e5f60718293a4b5c";

    fn holds(name: HeaderName, value: &'static str) -> bool {
        let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
        // Sun, 06 Nov 1994 08:49:37 GMT, and half a second.
        let modified_at =
            OffsetDateTime::from_unix_timestamp_nanos(784_111_777_500_000_000).unwrap();
        check_conditions(&headers, &[TAG.to_owned()], modified_at).is_ok()
    }

    #[test]
    fn if_match_names_a_tag_with_or_without_quotes() {
        for (value, expected) in [
            ("\"9291ea49a1b2c3d4e5f60718293a4b5c\"", true),
            ("9291ea49a1b2c3d4e5f60718293a4b5c", true),
            ("\"x\", \"9291ea49a1b2c3d4e5f60718293a4b5c\"", true),
            ("*", true),
            ("W/\"9291ea49a1b2c3d4e5f60718293a4b5c\"", false),
            ("\"x\"", false),
            ("", false),
        ] {
            assert_eq!(holds(header::IF_MATCH, value), expected, "{value}");
        }
    }

    #[test]
    fn a_tag_that_is_not_wanted_fails_the_condition() {
        for (value, expected) in [
            ("\"x\"", true),
            ("W/\"9291ea49a1b2c3d4e5f60718293a4b5c\"", false),
            ("*", false),
        ] {
            assert_eq!(holds(header::IF_NONE_MATCH, value), expected, "{value}");
        }
    }

    #[test]
    fn dates_are_compared_by_the_second() {
        for (date, modified_since) in [
            ("Sun, 06 Nov 1994 08:49:36 GMT", true),
            ("Sun, 06 Nov 1994 08:49:37 GMT", false),
            ("Sun, 06 Nov 1994 08:49:38 GMT", false),
        ] {
            assert_eq!(holds(header::IF_MODIFIED_SINCE, date), modified_since);
            assert_eq!(holds(header::IF_UNMODIFIED_SINCE, date), !modified_since);
        }
        assert!(!holds(header::IF_MODIFIED_SINCE, "yesterday"));
    }
}
