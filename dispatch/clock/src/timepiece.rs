//! What the parts of a server share of the time: one clock, one opinion of how old
//! history is, and one time by which waits are stored.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use time::OffsetDateTime;

use crate::clock::{Clock, Moment, Sleep};
use crate::history::HistoryClock;
use crate::waits::WaitClock;

/// A clock, the time by which history ages, and the time by which waits are stored. All
/// clones are one.
///
/// One part of the server [looks](Self::look) at the clock from time to time and reports
/// doubts; the others only read.
#[derive(Clone, Debug)]
pub struct Timepiece {
    clock: Arc<dyn Clock>,
    history: Arc<Mutex<HistoryClock>>,
    waits: WaitClock,
}

impl Timepiece {
    /// Continues from `seen`, the last time that an earlier run trusted.
    #[must_use]
    pub fn start(clock: Arc<dyn Clock>, seen: Option<OffsetDateTime>) -> Self {
        let now = clock.now();
        Self {
            clock,
            history: Arc::new(Mutex::new(HistoryClock::start(now, seen))),
            waits: WaitClock::start(now),
        }
    }

    /// Reads both clocks.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Waits until `lasting` has passed, however the wall clock is set meanwhile.
    #[must_use]
    pub fn sleep(&self, lasting: Duration) -> Sleep {
        self.clock.sleep(lasting)
    }

    /// The current moment as stored waits have it.
    #[must_use]
    pub fn now_for_waits(&self) -> Moment {
        self.for_waits(self.now())
    }

    /// A moment as stored waits have it: instead of the wall's time, which can be set, with
    /// one that starts at what the wall showed when this was started, and advances
    /// monotonically.
    #[must_use]
    pub fn for_waits(&self, moment: Moment) -> Moment {
        self.waits.at(moment)
    }

    /// When a stored wait ends, as the wall will show it: for people to read.
    #[must_use]
    pub fn shown(&self, stored: OffsetDateTime) -> OffsetDateTime {
        self.waits.shown(stored, self.now())
    }

    /// The time by which history ages: a wall clock that was set forward makes nothing old.
    #[must_use]
    pub fn history(&self) -> OffsetDateTime {
        // On a copy: a new doubt is reported by the part that looks.
        let mut history = self.history.lock().clone();
        history.look(self.clock.now());
        history.time()
    }

    /// Uses the history itself, for the one who looks.
    pub fn look<T>(&self, look: impl FnOnce(&mut HistoryClock) -> T) -> T {
        look(&mut self.history.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stepped::SteppedClock;

    #[test]
    fn reading_ages_nothing_and_keeps_the_doubt_until_it_is_read() {
        let start = OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000);
        let clock = SteppedClock::at(start);
        let timepiece = Timepiece::start(Arc::new(clock.clone()), None);
        clock.pass(Duration::from_secs(60));
        clock.set_wall(start + time::Duration::days(365));

        assert_eq!(timepiece.history(), start + time::Duration::minutes(1));

        let now = timepiece.now();
        let doubt = timepiece.look(|history| history.look(now));
        assert!(doubt.is_some());
    }
}
