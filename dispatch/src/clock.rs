//! The time, as precise as a store keeps it.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Now, in whole microseconds: what is stored reads back equal.
#[must_use]
pub fn now() -> OffsetDateTime {
    tenterhook_clock::wall()
}

/// Reads a time as RFC 3339 writes it, with a `T` between date and time; `None` for what is
/// not one. The parser itself would take any character there.
#[must_use]
pub fn parse_time(text: &str) -> Option<OffsetDateTime> {
    let is_parted = matches!(text.as_bytes().get(10), Some(b'T' | b't'));
    let time = OffsetDateTime::parse(text, &Rfc3339).ok();
    time.filter(|_| is_parted)
}
