//! What the parts of a server share of the time: one clock, and one opinion of how old
//! history is.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use time::OffsetDateTime;

use crate::clock::{Clock, Moment, Sleep};
use crate::history::HistoryClock;

/// A clock, and the time by which history ages. All clones are one.
///
/// One part of the server [looks](Self::look) at the clock from time to time and tells of
/// doubts; the others only read.
#[derive(Clone, Debug)]
pub struct Timepiece {
    clock: Arc<dyn Clock>,
    history: Arc<Mutex<HistoryClock>>,
}

impl Timepiece {
    /// Goes on from `seen`, the last time that an earlier run has believed.
    #[must_use]
    pub fn start(clock: Arc<dyn Clock>, seen: Option<OffsetDateTime>) -> Self {
        let history = HistoryClock::start(clock.now(), seen);
        Self {
            clock,
            history: Arc::new(Mutex::new(history)),
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

    /// The time by which history ages: a wall clock that was set forward makes nothing old.
    #[must_use]
    pub fn history(&self) -> OffsetDateTime {
        // On a copy: a doubt that begins is told by whoever looks.
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
    fn reading_makes_nothing_old_and_keeps_the_doubt_for_who_looks() {
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
