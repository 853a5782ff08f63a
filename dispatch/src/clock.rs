//! The time, as precise as a store keeps it.

use time::OffsetDateTime;

/// Now, in whole microseconds: what is stored reads back equal.
#[must_use]
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(now.nanosecond() / 1_000 * 1_000)
        .expect("a rounded nanosecond is one")
}
