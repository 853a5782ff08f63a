//! Times as text, in the form that our own faces use.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::refusal::Refusal;

/// A time as RFC 3339 text.
pub(crate) fn time_text(time: OffsetDateTime) -> String {
    time.format(&Rfc3339)
        .expect("our times lie in the years that RFC 3339 can say")
}

/// Reads when a token is to end; it must lie ahead.
pub(crate) fn read_expiry(pointer: &str, text: &str) -> Result<OffsetDateTime, Refusal> {
    match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(time) if time > tenterhook_dispatch::now() => Ok(time),
        Ok(_) => Err(Refusal::invalid(pointer, "must lie in the future")),
        Err(_) => Err(Refusal::invalid(
            pointer,
            "must be a time such as `2027-05-04T03:02:01Z`",
        )),
    }
}
