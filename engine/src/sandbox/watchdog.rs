//! How long guests kept their threads: the most processor time that one poll of any run
//! took while the epoch advanced. It only records, and does not stop anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::runtime::TICK;

/// The most time that a tick stands for. Ticks come a little late; a guest that was not
/// asked to yield by a tick has not kept its thread, the machine has delayed the ticker.
///
/// That happens: with the engine's tests on two cores that were overloaded sixfold, 30 of
/// 36 polls of more than 10 ms had no more than five ticks in them, and nothing but guest
/// code: no page faults, and no time in the kernel. The longest took 27 ms of processor
/// time in 68 ms of wall-clock time, was preempted 32 times, and saw three ticks.
const TICK_MOST: Duration = TICK.saturating_mul(2);

/// Keeps the longest poll of all runs of an engine.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    /// The counter of the epoch's ticks; without it, every poll counts in full.
    ticks: Option<Arc<AtomicU64>>,
    longest_us: AtomicU64,
}

impl Watchdog {
    /// Creates a watchdog for the epoch with this counter of ticks.
    pub(crate) fn new(ticks: Arc<AtomicU64>) -> Self {
        Self {
            ticks: Some(ticks),
            longest_us: AtomicU64::new(0),
        }
    }

    /// Returns the ticks so far, to be passed to [`record`](Self::record) after a poll.
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
            .as_ref()
            .map_or(0, |ticks| ticks.load(Ordering::Relaxed))
    }

    /// Records a poll that took this much processor time and began at this tick.
    pub(crate) fn record(&self, poll: Duration, since: u64) {
        let asked = match &self.ticks {
            None => Duration::MAX,
            Some(_) => {
                let ticks = self.ticks().saturating_sub(since).saturating_add(1);
                TICK_MOST.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX))
            }
        };
        let us = u64::try_from(poll.min(asked).as_micros()).unwrap_or(u64::MAX);
        // A new maximum is rare, and a load is cheaper than an exchange.
        if us > self.longest_us.load(Ordering::Relaxed) {
            self.longest_us.fetch_max(us, Ordering::Relaxed);
        }
    }

    /// Returns the longest poll so far, in microseconds of processor time.
    pub(crate) fn longest_us(&self) -> u64 {
        self.longest_us.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_counts_as_far_as_ticks_have_asked_it_to_yield() {
        let ticks = Arc::new(AtomicU64::new(7));
        let watchdog = Watchdog::new(Arc::clone(&ticks));
        let since = watchdog.ticks();
        watchdog.record(Duration::from_millis(300), since);
        assert_eq!(watchdog.longest_us(), 2_000);
        ticks.fetch_add(300, Ordering::Relaxed);
        watchdog.record(Duration::from_millis(300), since);
        assert_eq!(watchdog.longest_us(), 300_000);
    }
}
