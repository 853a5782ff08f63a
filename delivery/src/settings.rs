//! How deliveries are sent, retried and retained.

use std::time::Duration;

use crate::destination::Destinations;

/// How deliveries are sent, retried and retained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which addresses may be sent to. Default: public ones.
    pub destinations: Destinations,
    /// Longest time of one attempt in total. Default: 15 s.
    pub timeout: Duration,
    /// Longest wait after the first failure; it doubles with each, up to an hour, and each
    /// wait is a random part of it. Default: 5 s.
    pub pause: Duration,
    /// Attempts before a delivery is given up. Default: 30, about ten hours, and twenty
    /// at most.
    pub attempts: u32,
    /// Deliveries that may wait for one endpoint; beyond that the oldest are evicted.
    /// Default: 10,000.
    pub waiting: u32,
    /// How long deliveries are retained after they were created. Default: 7 days.
    pub keep: Duration,
    /// Deliveries of one endpoint that are retained after they have succeeded or failed.
    /// Default: 10,000.
    pub kept: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            destinations: Destinations::Public,
            timeout: Duration::from_secs(15),
            pause: Duration::from_secs(5),
            attempts: 30,
            waiting: 10_000,
            keep: Duration::from_secs(7 * 24 * 60 * 60),
            kept: 10_000,
        }
    }
}
