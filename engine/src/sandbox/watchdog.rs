//! How long guests kept their threads: the longest time of a processor that one poll
//! of any run took while the epoch went on. It records and stops nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::runtime::TICK;

/// The most that a tick stands for. Ticks come a little late; a guest that no tick has
/// asked to yield has not kept its thread, the machine has kept the ticker from its own.
///
/// That happens: with the engine's tests on two cores that had six times as much to do,
/// 30 of 36 polls of more than 10 ms had no more than five ticks in them, and nothing
/// but guest code: no page fault, and no time in the kernel. The longest took 27 ms of
/// processor time in 68 ms by the clock, was interrupted 32 times for others, and saw
/// three ticks.
const TICK_MOST: Duration = TICK.saturating_mul(2);

/// Keeps the longest poll of all runs of an engine.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    /// Counts the ticks of the epoch; without it, every poll counts in full.
    ticks: Option<Arc<AtomicU64>>,
    longest_us: AtomicU64,
}

impl Watchdog {
    /// A watchdog beside the epoch whose ticks are counted there.
    pub(crate) fn new(ticks: Arc<AtomicU64>) -> Self {
        Self {
            ticks: Some(ticks),
            longest_us: AtomicU64::new(0),
        }
    }

    /// The ticks until now, to be passed to [`saw`](Self::saw) after a poll.
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
            .as_ref()
            .map_or(0, |ticks| ticks.load(Ordering::Relaxed))
    }

    /// Notes a poll that took this much processor time and began at this tick.
    pub(crate) fn saw(&self, poll: Duration, since: u64) {
        let asked = match &self.ticks {
            None => Duration::MAX,
            Some(_) => {
                let ticks = self.ticks().saturating_sub(since).saturating_add(1);
                TICK_MOST.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX))
            }
        };
        let us = u64::try_from(poll.min(asked).as_micros()).unwrap_or(u64::MAX);
        // Almost no poll is a new longest one, and a load is cheaper than an exchange.
        if us > self.longest_us.load(Ordering::Relaxed) {
            self.longest_us.fetch_max(us, Ordering::Relaxed);
        }
    }

    /// The longest poll until now, in microseconds of processor time.
    pub(crate) fn longest_us(&self) -> u64 {
        self.longest_us.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_counts_as_far_as_ticks_have_asked_it_to_end() {
        let ticks = Arc::new(AtomicU64::new(7));
        let watchdog = Watchdog::new(Arc::clone(&ticks));
        let since = watchdog.ticks();
        watchdog.saw(Duration::from_millis(300), since);
        assert_eq!(watchdog.longest_us(), 2_000);
        ticks.fetch_add(300, Ordering::Relaxed);
        watchdog.saw(Duration::from_millis(300), since);
        assert_eq!(watchdog.longest_us(), 300_000);
    }
}
