//! How long to wait before a retry: a backoff that doubles with each failure.
//!
//! Waiting itself is up to the caller, by its own clock. A [`Backoff`] gives
//! the whole wait, to one loop that goes on until it succeeds; [`full_jitter`] picks a random
//! part of it, for what many may have failed at together.

use std::time::Duration;

use rand::{Rng, RngExt as _};

/// The waits of one loop between its tries: the first, twice that, and so on up to the
/// longest, until something succeeds.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    /// Failures since the last success.
    failures: u32,
}

impl Backoff {
    /// Starts with a wait of `first`; no wait is longer than `most`.
    #[must_use]
    pub fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            failures: 0,
        }
    }

    /// Counts a failure, and returns how long to wait before the next try.
    pub fn next_wait(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        doubled(self.first, self.most, self.failures)
    }

    /// Starts again with the first wait, after a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Returns how long to wait after `failures` failed tries: in whole milliseconds, anything
/// from nothing to a bound, so that what failed together is not tried again together.
///
/// The bound is `first` after one failure, doubles with each that follows, and is at most
/// `most`.
#[must_use]
pub fn full_jitter(first: Duration, most: Duration, failures: u32, rng: &mut impl Rng) -> Duration {
    let bound = doubled(first, most, failures).as_millis();
    let ms = u64::try_from(bound).unwrap_or(u64::MAX);
    Duration::from_millis(rng.random_range(0..=ms))
}

/// `first`, doubled with each failure after the first, and at most `most`.
fn doubled(first: Duration, most: Duration, failures: u32) -> Duration {
    // Thirty make a year of 30 ms, so no more are needed, and the shift cannot overflow.
    let doublings = failures.saturating_sub(1).min(30);
    first.saturating_mul(1 << doublings).min(most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_backoff_doubles_up_to_its_longest_wait_until_it_is_reset() {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(1));
        let mut next = || backoff.next_wait().as_millis();
        assert_eq!([next(), next(), next()], [200, 400, 800]);
        assert_eq!([next(), next()], [1_000, 1_000]);
        backoff.reset();
        assert_eq!(backoff.next_wait(), Duration::from_millis(200));
    }

    #[test]
    fn jitter_uses_the_whole_of_its_bound() {
        let (first, most) = (Duration::from_secs(1), Duration::from_secs(60));
        let waits: Vec<_> = (0..1_000)
            .map(|_| full_jitter(first, most, 3, &mut rand::rng()))
            .collect();
        let part = |from: u64, to: u64| {
            let bounds = Duration::from_millis(from)..Duration::from_millis(to);
            waits.iter().filter(|wait| bounds.contains(*wait)).count()
        };
        // A quarter each is 250; a fair generator is not below 150 in an age.
        for quarter in 0..4 {
            assert!(part(quarter * 1_000, quarter * 1_000 + 1_000) > 150);
        }
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_its_bound(
            failures in any::<u32>(), first_ms in any::<u64>(), most_ms in any::<u64>(),
        ) {
            let first = Duration::from_millis(first_ms);
            let most = Duration::from_millis(most_ms);
            let wait = full_jitter(first, most, failures, &mut rand::rng());
            prop_assert!(wait <= most);
            let doubled = first.as_millis() << failures.saturating_sub(1).min(40);
            prop_assert!(wait.as_millis() <= doubled);
            let mut backoff = Backoff { first, most, failures };
            prop_assert!(backoff.next_wait() <= most);
        }
    }
}
