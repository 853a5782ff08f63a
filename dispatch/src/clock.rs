//! The time, as precise as a store keeps it.

use time::OffsetDateTime;

/// Now, in whole microseconds: what is stored reads back equal.
#[must_use]
pub fn now() -> OffsetDateTime {
    tenterhook_clock::wall()
}
