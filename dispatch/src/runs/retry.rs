//! When a failed execution is run again, and how long to wait before.

use std::time::Duration;

use rand::Rng;
use serde::{Deserialize, Serialize};
use tenterhook_clock::full_jitter;
use tenterhook_engine::Outcome;

use crate::error::Error;

/// When a failed execution is run again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// Attempts in all, the first included; 1 to 20. Default: 1, no retry.
    pub attempts: u32,
    /// Upper bound of the first wait; doubles with every attempt. Default: 1,000 ms.
    pub backoff_ms: u64,
    /// Upper bound of every wait; at most a day. Default: 300,000 ms.
    pub backoff_max_ms: u64,
    /// Which outcomes are tried again. Default: all three.
    pub on: RetryOn,
}

/// Which failures are tried again. A hook that answers `allow: false` has not failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryOn {
    /// The hook left with another status than 0, or an answer that cannot be used.
    pub exited: bool,
    /// The hook reached a limit.
    pub stopped: bool,
    /// The hook trapped.
    pub trapped: bool,
}

impl Default for RetryOn {
    fn default() -> Self {
        Self {
            exited: true,
            stopped: true,
            trapped: true,
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 1,
            backoff_ms: 1_000,
            backoff_max_ms: 300_000,
            on: RetryOn::default(),
        }
    }
}

/// Attempts that a hook is owed when the host, not the hook, failed.
///
/// It bounds the work that one broken program can cause, and still outlasts a
/// passing shortage of files or memory.
const HOST_ATTEMPTS: u32 = 5;

/// Attempts that a run is owed for which its host had no room, with waits that grow from
/// a second to five minutes: about half an hour in all, longer than any other run lasts.
const ROOM_ATTEMPTS: u32 = 12;
const ROOM_WAIT: RetryPolicy = RetryPolicy {
    attempts: ROOM_ATTEMPTS,
    backoff_ms: 1_000,
    backoff_max_ms: 300_000,
    on: RetryOn {
        exited: true,
        stopped: true,
        trapped: true,
    },
};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The longest wait that any policy can ask for.
pub(crate) const WAIT_MAX: Duration = Duration::from_millis(DAY_MS);

impl RetryPolicy {
    /// Checks the bounds.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] that names the field.
    pub fn check(&self) -> Result<(), Error> {
        if !(1..=20).contains(&self.attempts) {
            return Err(Error::invalid("retry.attempts", "must be from 1 to 20"));
        }
        if self.backoff_ms > DAY_MS {
            return Err(Error::invalid(
                "retry.backoff_ms",
                "must be at most 86400000, a day",
            ));
        }
        if self.backoff_max_ms > DAY_MS {
            return Err(Error::invalid(
                "retry.backoff_max_ms",
                "must be at most 86400000, a day",
            ));
        }
        Ok(())
    }

    /// Whether a run that ended so is tried again when `failures` attempts,
    /// this one included, have failed. `None` is a failure of the host.
    #[must_use]
    pub fn again(&self, outcome: Option<&Outcome>, failures: u32) -> bool {
        let (wanted, most) = match outcome {
            None => (true, self.attempts.max(HOST_ATTEMPTS)),
            Some(Outcome::Exited { status }) => (*status != 0 && self.on.exited, self.attempts),
            Some(Outcome::Stopped { .. }) => (self.on.stopped, self.attempts),
            Some(Outcome::Trapped(_)) => (self.on.trapped, self.attempts),
            Some(Outcome::Cancelled) => (false, 0),
        };
        wanted && failures < most
    }

    /// How long to wait before a run is tried again that ended `times` times because its
    /// host had no room for it. `None` if that was often enough.
    pub fn wait_for_room(times: u32, rng: &mut impl Rng) -> Option<Duration> {
        (times < ROOM_ATTEMPTS).then(|| {
            let wait = ROOM_WAIT.wait(times, rng);
            // Never at once: whatever holds the memory holds it for a while.
            wait.max(Duration::from_millis(ROOM_WAIT.backoff_ms / 2))
        })
    }

    /// The longest wait that this policy can ask for.
    #[must_use]
    pub fn longest_wait(&self) -> Duration {
        Duration::from_millis(self.backoff_max_ms)
    }

    /// How long to wait after `failures` failed attempts: anything from nothing
    /// to the bound, so that hooks which failed together do not return together.
    pub fn wait(&self, failures: u32, rng: &mut impl Rng) -> Duration {
        let first = Duration::from_millis(self.backoff_ms);
        full_jitter(first, self.longest_wait(), failures, rng)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tenterhook_engine::Limit;

    use super::*;

    #[test]
    fn a_hook_is_not_retried_unless_it_requested_that() {
        let policy = RetryPolicy::default();
        assert!(!policy.again(Some(&Outcome::Exited { status: 1 }), 1));
    }

    #[test]
    fn a_failure_of_the_host_is_always_retried() {
        let policy = RetryPolicy::default();
        assert!(policy.again(None, 1));
        assert!(!policy.again(None, HOST_ATTEMPTS));
    }

    #[test]
    fn only_the_named_outcomes_are_retried() {
        let policy = RetryPolicy {
            attempts: 3,
            on: RetryOn {
                stopped: false,
                ..RetryOn::default()
            },
            ..RetryPolicy::default()
        };
        assert!(policy.again(Some(&Outcome::Exited { status: 1 }), 1));
        assert!(!policy.again(Some(&Outcome::Stopped { limit: Limit::Wall }), 1));
        assert!(!policy.again(Some(&Outcome::Exited { status: 0 }), 1));
        assert!(!policy.again(Some(&Outcome::Cancelled), 1));
    }

    #[test]
    fn an_execution_without_room_is_retried_for_a_while_and_not_for_ever() {
        let waits: Vec<_> = (1..)
            .map_while(|times| RetryPolicy::wait_for_room(times, &mut rand::rng()))
            .collect();
        assert_eq!(waits.len(), 11);
        let least = Duration::from_millis(500);
        let most = Duration::from_secs(300);
        assert!(waits.iter().all(|wait| (least..=most).contains(wait)));
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_its_bound(failures in 0_u32..=u32::MAX, backoff in 0..=DAY_MS, most in 0..=DAY_MS) {
            let policy = RetryPolicy { backoff_ms: backoff, backoff_max_ms: most, ..RetryPolicy::default() };
            let wait = policy.wait(failures, &mut rand::rng());
            prop_assert!(wait <= Duration::from_millis(most));
        }
    }
}
