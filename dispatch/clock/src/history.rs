//! The time by which history ages: a wall clock that is set forward does not make
//! anything old.
//!
//! It decides what may be removed for its age and nothing else; what happens now is
//! recorded with the time that the wall shows.

use std::time::Duration;

use time::OffsetDateTime;

use crate::clock::Moment;
use crate::jump::TOLERATED;

/// How long a clock that jumped ahead has to stay ahead before it is trusted without help:
/// long enough for time synchronisation, or a person who reads the log, to correct it.
pub const CONFIRMED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Follows the wall clock, but not when that is set forward.
#[derive(Clone, Debug)]
pub struct HistoryClock {
    /// The last trusted time, and when it was read.
    believed: Moment,
    /// Since when the wall clock has been ahead, in what has passed, and by how much.
    ahead: Option<(Duration, time::Duration)>,
}

/// The wall clock is ahead of the trusted time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// By how much.
    pub ahead: time::Duration,
}

impl HistoryClock {
    /// Continues from `seen`, the last time that an earlier run trusted.
    ///
    /// A server that was off for less than [`CONFIRMED_AFTER`] trusts the clock: it
    /// would already have done so had it been on. One that was off for longer cannot be
    /// distinguished from one whose clock was set, and waits.
    #[must_use]
    pub fn start(now: Moment, seen: Option<OffsetDateTime>) -> Self {
        let wall = match seen {
            Some(seen) if now.wall - seen > CONFIRMED_AFTER => seen,
            _ => now.wall,
        };
        let mut clock = Self {
            believed: Moment { wall, ..now },
            ahead: None,
        };
        clock.look(now);
        clock
    }

    /// Brings the clock forward. Returns a doubt when one begins.
    pub fn look(&mut self, now: Moment) -> Option<Doubt> {
        let passed = now.steady.saturating_sub(self.believed.steady);
        let expected = self.believed.after(passed).wall;
        let ahead = now.wall - expected;
        if ahead <= TOLERATED {
            self.believe(now);
            return None;
        }
        match self.ahead {
            Some((since, before)) if (ahead - before).abs() <= TOLERATED => {
                if now.steady.saturating_sub(since) >= CONFIRMED_AFTER {
                    self.believe(now);
                } else {
                    self.believed = Moment {
                        wall: expected,
                        ..now
                    };
                }
                None
            }
            _ => {
                self.believed = Moment {
                    wall: expected,
                    ..now
                };
                self.ahead = Some((now.steady, ahead));
                Some(Doubt { ahead })
            }
        }
    }

    /// Trusts the wall clock.
    pub fn believe(&mut self, now: Moment) {
        self.believed = now;
        self.ahead = None;
    }

    /// The time by which history ages, as of the last look.
    #[must_use]
    pub fn time(&self) -> OffsetDateTime {
        self.believed.wall
    }

    /// Why that is not what the wall shows, if it is not.
    #[must_use]
    pub fn doubt(&self) -> Option<Doubt> {
        self.ahead.map(|(_, ahead)| Doubt { ahead })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn start() -> Moment {
        Moment {
            steady: HOUR,
            wall: OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000),
        }
    }

    #[test]
    fn a_clock_that_is_set_forward_ages_nothing_for_a_day() {
        let mut now = start();
        let mut history = HistoryClock::start(now, None);
        now = now.after(HOUR);
        let right = now.wall;
        now.wall += time::Duration::days(365);
        assert_eq!(
            history.look(now),
            Some(Doubt {
                ahead: time::Duration::days(365)
            })
        );
        assert_eq!(history.time(), right);
        for hours in 1..24 {
            now = now.after(HOUR);
            assert_eq!(history.look(now), None, "it is said once");
            assert_eq!(history.time(), right + HOUR * hours);
        }
        now = now.after(HOUR);
        history.look(now);
        assert_eq!(history.time(), now.wall);
        assert_eq!(history.doubt(), None);
    }

    #[test]
    fn a_corrected_clock_is_trusted_at_once() {
        let mut now = start();
        let mut history = HistoryClock::start(now, None);
        now.wall += time::Duration::days(9);
        assert!(history.look(now).is_some());
        now.wall -= time::Duration::days(9);
        assert_eq!(history.look(now), None);
        assert_eq!((history.time(), history.doubt()), (now.wall, None));
    }

    #[test]
    fn a_clock_that_was_set_while_the_server_was_off_is_not_trusted() {
        let now = start();
        let seen = now.wall - time::Duration::days(3);
        let mut history = HistoryClock::start(now, Some(seen));
        assert_eq!(history.time(), seen);
        assert!(history.doubt().is_some());
        history.believe(now);
        assert_eq!(history.time(), now.wall);
        let briefly = HistoryClock::start(now, Some(now.wall - time::Duration::hours(3)));
        assert_eq!((briefly.time(), briefly.doubt()), (now.wall, None));
    }

    proptest! {
        #[test]
        fn history_ages_no_faster_than_time_passes(
            steps in proptest::collection::vec((0_u64..3_600, -1_000_000_000_i64..1_000_000_000), 1..40),
        ) {
            let mut now = start();
            let mut history = HistoryClock::start(now, None);
            let mut highest = history.time();
            // Each step may be set forward by what is tolerated; less than a day passes.
            for (seconds, set) in steps.into_iter().take(23) {
                now = now.after(Duration::from_secs(seconds));
                now.wall = now.wall.saturating_add(time::Duration::seconds(set));
                history.look(now);
                prop_assert!(history.time() <= now.wall);
                let most = highest + time::Duration::seconds(i64::try_from(seconds).unwrap()) + TOLERATED;
                prop_assert!(history.time() <= most);
                highest = highest.max(history.time()).max(highest + time::Duration::seconds(i64::try_from(seconds).unwrap()));
            }
        }
    }
}
