//! The time by which stored waits are kept: it starts at what the wall shows, and cannot be
//! set.
//!
//! The due time of a retry outlives the process, so it is stored as a time. If that were wall
//! time, setting the wall clock would make the wait longer or shorter. A later run starts from
//! another wall clock: how it reads what this one has stored is up to the code that stores it.

use time::{Duration, OffsetDateTime};

use crate::clock::Moment;
use crate::jump::TOLERATED;

/// Advances monotonically from what the wall showed at the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitClock {
    start: Moment,
}

impl WaitClock {
    pub(crate) fn start(now: Moment) -> Self {
        Self { start: now }
    }

    /// The same moment, with the time by which waits are kept instead of the wall's.
    pub(crate) fn at(self, moment: Moment) -> Moment {
        let passed = moment.steady.saturating_sub(self.start.steady);
        // In whole microseconds: what is stored reads back equal.
        let micros = u64::try_from(passed.as_micros()).unwrap_or(u64::MAX);
        let wall = self.start.after(std::time::Duration::from_micros(micros));
        Moment {
            steady: moment.steady,
            wall: wall.wall,
        }
    }

    /// What the wall will show when a wait that lasts until `stored` ends, unless it is set
    /// again.
    pub(crate) fn shown(self, stored: OffsetDateTime, now: Moment) -> OffsetDateTime {
        let set = now.wall - self.at(now).wall;
        if set.abs() <= TOLERATED {
            return stored;
        }
        // To the nearest second, so that reading twice shows the same time.
        let half = Duration::milliseconds(500 * set.whole_seconds().signum());
        stored.saturating_add(Duration::seconds((set + half).whole_seconds()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_after_its_duration_and_is_shown_in_wall_time() {
        let minute = std::time::Duration::from_secs(60);
        let start = Moment {
            steady: minute,
            wall: OffsetDateTime::UNIX_EPOCH + Duration::days(20_000),
        };
        let clock = WaitClock::start(start);
        let due = clock.at(start).after(minute * 2);
        for set in [
            Duration::ZERO,
            Duration::seconds(-9),
            Duration::HOUR,
            Duration::days(-400),
        ] {
            let mut now = start.after(minute);
            now.wall += set;
            assert_eq!(clock.at(now).until(due.wall, minute * 9), minute, "{set}");
            let shown = clock.shown(due.wall, now);
            assert!((shown - (now.wall + minute)).abs() <= TOLERATED, "{set}");
        }
    }
}
