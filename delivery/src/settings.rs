//! How notifications are sent.

use std::time::Duration;

use crate::destination::Destinations;

/// How notifications are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which addresses may be sent to. Default: public ones.
    pub destinations: Destinations,
    /// How long one attempt may take in all. Default: 15 s.
    pub timeout: Duration,
    /// The most that is waited after the first failure; it doubles with each, up to an
    /// hour, and each wait is a random part of it. Default: 5 s.
    pub pause: Duration,
    /// Attempts before a letter is given up. Default: 30, about ten hours, and twenty
    /// at most.
    pub attempts: u32,
    /// Letters that may wait for one address; beyond that the oldest are given up.
    /// Default: 10,000.
    pub waiting: u32,
    /// How long letters are remembered, counted from when they were offered. Default:
    /// 7 days.
    pub keep: Duration,
    /// Letters of one address that are remembered after they have been delivered or
    /// given up. Default: 10,000.
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
