//! The machine's clocks, and the one place where a time that no calendar has becomes one
//! that it has.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};
use time::OffsetDateTime;
use uuid::{NoContext, Timestamp, Uuid};

use crate::clock::{Clock, Moment, Sleep};

/// The last second of the year 9999. RFC 3339 and HTTP can say no later one, and many
/// programs end where they are asked to.
const LAST_SECOND: i64 = 253_402_300_799;

/// Whether it was logged that the machine's clock is out of range.
static SAID: AtomicBool = AtomicBool::new(false);

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        // Unlike the monotonic clock it counts a suspended machine's sleep, which
        // the wall clock counts too: sleep is not a jump.
        let passed = clock_gettime(ClockId::Boottime);
        Moment {
            steady: Duration::try_from(passed).unwrap_or_default(),
            wall: wall(),
        }
    }

    fn sleep(&self, lasting: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(lasting))
    }
}

/// What the machine's wall clock shows, in whole microseconds. One that shows a time before
/// 1970 or after 9999 counts as standing at that end; this is logged once.
#[must_use]
pub fn wall() -> OffsetDateTime {
    let (seconds, micros, _) = read();
    at(seconds, micros)
}

/// A new identifier: a UUID of version 7, whose later ones sort after earlier ones as long as
/// the machine's clock is in range.
#[must_use]
pub fn new_id() -> Uuid {
    match read() {
        (_, _, Range::Within) => Uuid::now_v7(),
        (seconds, micros, Range::Outside) => {
            let seconds = u64::try_from(seconds).unwrap_or_default();
            Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, micros * 1_000))
        }
    }
}

/// Whether the machine's wall clock shows a time that can be represented: from 1970 to 9999.
#[must_use]
pub fn is_in_range() -> bool {
    read().2 == Range::Within
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Within,
    Outside,
}

/// Seconds and microseconds since 1970, and whether they are what the machine's clock shows.
fn read() -> (i64, u32, Range) {
    let now = SystemTime::now();
    let (shown, micros) = match now.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => (
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            since.subsec_micros(),
        ),
        Err(_) => (-1, 0),
    };
    let (seconds, micros, range) = clamp(shown, micros);
    if range == Range::Outside && !SAID.swap(true, Ordering::Relaxed) {
        tracing::error!(
            "the clock of this machine shows a time before 1970 or after 9999, and is taken to stand at that end: \
             set it right"
        );
    }
    (seconds, micros, range)
}

fn clamp(seconds: i64, micros: u32) -> (i64, u32, Range) {
    match seconds {
        ..0 => (0, 0, Range::Outside),
        0..=LAST_SECOND => (seconds, micros.min(999_999), Range::Within),
        _ => (LAST_SECOND, 999_999, Range::Outside),
    }
}

fn at(seconds: i64, micros: u32) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .saturating_add(time::Duration::microseconds(i64::from(micros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_time_does_not_go_back() {
        let first = SystemClock.now();
        let second = SystemClock.now();
        assert!(first.steady <= second.steady);
        assert_eq!(first.wall.nanosecond() % 1_000, 0);
    }

    #[test]
    fn a_time_outside_the_calendar_becomes_the_nearest_inside() {
        for (seconds, year) in [
            (i64::MIN, 1970),
            (-1, 1970),
            (0, 1970),
            (LAST_SECOND, 9999),
            (LAST_SECOND + 1, 9999),
            (i64::MAX, 9999),
        ] {
            let (seconds, micros, _) = clamp(seconds, 999_999);
            assert_eq!(at(seconds, micros).year(), year, "{seconds}");
        }
        assert_eq!(clamp(7, 5), (7, 5, Range::Within));
        assert_eq!(clamp(-1, 5).2, Range::Outside);
    }
}
