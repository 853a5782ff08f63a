//! What has been counted since the start.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::letter::Fate;

/// What has been counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Letters that were delivered.
    pub delivered: u64,
    /// Letters that were given up, those among them that gave way to newer ones.
    pub failed: u64,
    /// Attempts that failed and are to be followed by another.
    pub retried: u64,
}

/// The counters themselves.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    delivered: AtomicU64,
    failed: AtomicU64,
    retried: AtomicU64,
}

impl Tally {
    /// Counts what an attempt came to.
    pub(crate) fn count(&self, fate: Fate) {
        let counter = match fate {
            Fate::Delivered => &self.delivered,
            Fate::Failed => &self.failed,
            Fate::Waiting => &self.retried,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts letters that gave way.
    pub(crate) fn gave_way(&self, letters: u64) {
        self.failed.fetch_add(letters, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            delivered: read(&self.delivered),
            failed: read(&self.failed),
            retried: read(&self.retried),
        }
    }
}
