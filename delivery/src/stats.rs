//! What has been counted since the start.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::delivery::Status;

/// What has been counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Deliveries that succeeded.
    pub delivered: u64,
    /// Deliveries that were given up, including those that were evicted by newer ones.
    pub failed: u64,
    /// Failed attempts that are followed by another.
    pub retried: u64,
}

/// The counters themselves.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    delivered: AtomicU64,
    failed: AtomicU64,
    retried: AtomicU64,
}

impl Stats {
    /// Counts an attempt by the status that it led to.
    pub(crate) fn count(&self, status: Status) {
        let counter = match status {
            Status::Delivered => &self.delivered,
            Status::Failed => &self.failed,
            Status::Waiting => &self.retried,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts deliveries that failed without an attempt: evicted, or not stored.
    pub(crate) fn count_failed(&self, deliveries: u64) {
        self.failed.fetch_add(deliveries, Ordering::Relaxed);
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
