//! Times as text, in the form that our own APIs use.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use tenterhook_dispatch::parse_time;

use crate::refusal::Refusal;

/// A time as RFC 3339 text.
pub(crate) fn time_text(time: OffsetDateTime) -> String {
    time.format(&Rfc3339)
        .expect("our times lie in the years that RFC 3339 can say")
}

/// What to send in place of a text that is not a time.
pub(crate) fn expected_time(text: &str) -> &'static str {
    match text.contains(' ') {
        true => {
            "must be a time such as `2027-05-04T03:02:01Z`, with a `T` and no space; in a query, \
             a `+` is written `%2B`"
        }
        false => "must be a time such as `2027-05-04T03:02:01Z`",
    }
}

/// Reads when a token is to end; it must lie ahead.
pub(crate) fn read_expiry(pointer: &str, text: &str) -> Result<OffsetDateTime, Refusal> {
    match parse_time(text) {
        Some(time) if time > tenterhook_dispatch::now() => Ok(time),
        Some(_) => Err(Refusal::invalid(pointer, "must lie in the future")),
        None => Err(Refusal::invalid(pointer, expected_time(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_and_time_are_separated_only_by_a_t() {
        for text in [
            "2027-05-04T03:02:01Z",
            "2027-05-04t03:02:01z",
            "2027-05-04T03:02:01.5+02:00",
        ] {
            assert!(parse_time(text).is_some(), "{text}");
        }
        for text in [
            "2027-05-04 03:02:01Z",
            "2027-05-04_03:02:01Z",
            "2027-05-04x03:02:01Z",
            "2027-05-04T03:02:01 02:00",
            "2027-05-04T03:02:01",
            "2027-05-04",
            "",
        ] {
            assert!(parse_time(text).is_none(), "{text}");
        }
    }
}
