//! How long guests kept their threads: the longest time of a processor that one poll
//! of any run took. It records and stops nobody.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Keeps the longest poll of all runs of an engine.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    longest_us: AtomicU64,
}

impl Watchdog {
    /// Notes a poll that took this much processor time.
    pub(crate) fn saw(&self, poll: Duration) {
        let us = u64::try_from(poll.as_micros()).unwrap_or(u64::MAX);
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
