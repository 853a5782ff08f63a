//! The machine's clocks.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use time::OffsetDateTime;

use crate::clock::{Clock, Moment, Sleep};

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let wall = OffsetDateTime::now_utc();
        // Unlike the monotonic clock it counts a suspended machine's sleep, which
        // the wall clock counts too: sleep is no jump.
        let passed = clock_gettime(ClockId::Boottime);
        Moment {
            steady: Duration::try_from(passed).unwrap_or_default(),
            wall: wall
                .replace_nanosecond(wall.nanosecond() / 1_000 * 1_000)
                .expect("a rounded nanosecond is one"),
        }
    }

    fn sleep(&self, lasting: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(lasting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_passed_does_not_go_back() {
        let first = SystemClock.now();
        let second = SystemClock.now();
        assert!(first.steady <= second.steady);
        assert_eq!(first.wall.nanosecond() % 1_000, 0);
    }
}
