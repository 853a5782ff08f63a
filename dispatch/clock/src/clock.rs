//! Where the time comes from. Not a timer wheel: waiting is the runtime's part.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use time::OffsetDateTime;

/// A wait that has been asked for.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where the time comes from: the machine, or a test that steps it.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Reads both clocks.
    fn now(&self) -> Moment;

    /// Waits until `lasting` has passed, however the wall clock is set meanwhile.
    fn sleep(&self, lasting: Duration) -> Sleep;
}

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// What has passed since a fixed point in the past: never goes back, never jumps.
    pub steady: Duration,
    /// What the wall shows, in whole microseconds: what is stored reads back equal.
    pub wall: OffsetDateTime,
}

impl Moment {
    /// The moment `wait` after this one, unless the wall clock is set.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        let by = time::Duration::try_from(wait).unwrap_or(time::Duration::MAX);
        Self {
            steady: self.steady.saturating_add(wait),
            wall: self.wall.saturating_add(by),
        }
    }

    /// How long to wait for a time that was stored: nothing if it has passed, and at
    /// most `longest`, since the clock may have been set back after it was stored.
    #[must_use]
    pub fn until(self, stored: OffsetDateTime, longest: Duration) -> Duration {
        Duration::try_from(stored - self.wall)
            .unwrap_or_default()
            .min(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_was_stored_is_no_longer_than_it_may_be() {
        let now = Moment {
            steady: Duration::from_secs(5),
            wall: OffsetDateTime::UNIX_EPOCH,
        };
        let most = Duration::from_secs(60);
        let stored = |seconds| now.wall + time::Duration::seconds(seconds);
        assert_eq!(now.until(stored(-9), most), Duration::ZERO);
        assert_eq!(now.until(stored(9), most), Duration::from_secs(9));
        assert_eq!(now.until(stored(1_000_000_000), most), most);
        assert_eq!(now.after(most).steady, Duration::from_secs(65));
        assert_eq!(now.after(Duration::MAX).steady, Duration::MAX);
    }
}
