//! How long a command that follows a server puts up with its absence.
//!
//! It waits longer and longer between two attempts, notifies the user once, and gives up
//! after a time in which nothing has come. What it tries again is its caller's business.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Error;
use tenterhook_dispatch::Backoff;

use crate::client;
use crate::say::say;

/// Wait before the first try; it doubles with every try.
const FIRST: Duration = Duration::from_millis(100);

/// Longest wait between two tries: a server that is back is noticed this soon.
const LONGEST: Duration = Duration::from_secs(5);

/// The retries of one connection. Clones retry separately, and notify the user once.
#[derive(Clone, Debug)]
pub(super) struct Reconnect {
    limit: Duration,
    /// Since when nothing has come.
    since: Option<Instant>,
    backoff: Backoff,
    /// Whether the user knows that the server is gone.
    is_told: Arc<AtomicBool>,
}

impl Reconnect {
    /// Gives up after `limit`; at once if that is zero.
    pub(super) fn within(limit: Duration) -> Self {
        Self {
            limit,
            since: None,
            backoff: Backoff::new(FIRST, LONGEST),
            is_told: Arc::default(),
        }
    }

    /// Takes note that something has come.
    pub(super) fn succeeded(&mut self) {
        self.backoff.reset();
        if self.since.take().is_some() && self.is_told.swap(false, Ordering::Relaxed) {
            say("the server is back");
        }
    }

    /// Waits before the next try.
    ///
    /// # Errors
    ///
    /// The error itself, if it will not pass or has lasted too long.
    pub(super) fn wait(&mut self, error: Error) -> anyhow::Result<()> {
        if !self.limit.is_zero() && client::is_passing(&error) {
            self.pause(error)
        } else {
            Err(error)
        }
    }

    /// Waits before the next try after the server has closed the connection.
    ///
    /// # Errors
    ///
    /// The error itself, if it has lasted too long.
    pub(super) fn pause(&mut self, error: Error) -> anyhow::Result<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let left = self.limit.saturating_sub(since.elapsed());
        if left.is_zero() {
            return Err(error);
        }
        if !self.is_told.swap(true, Ordering::Relaxed) {
            say("lost the connection to the server; reconnecting");
        }
        std::thread::sleep(self.backoff.next_wait().min(left));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_up_when_nothing_has_arrived_for_the_whole_time() {
        let limit = Duration::from_millis(250);
        let mut reconnect = Reconnect::within(limit);
        let begun = Instant::now();
        let mut tries = 0;
        let error = loop {
            match reconnect.pause(Error::msg("gone")) {
                Ok(()) => tries += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.to_string(), "gone");
        assert!(
            begun.elapsed() >= limit && (2..=3).contains(&tries),
            "{tries}"
        );
        reconnect.succeeded();
        assert!(reconnect.pause(Error::msg("gone again")).is_ok());
    }

    #[test]
    fn a_permanent_failure_is_not_waited_for() {
        let mut reconnect = Reconnect::within(Duration::from_secs(60));
        assert!(reconnect.wait(Error::msg("odd")).is_err());
    }
}
