//! What looking up secrets may cost the store, however many wrong ones are tried.
//!
//! A few are looked up at one time, of addresses that have failed too often a single one;
//! waiters take turns, so a right one waits for those before it and no longer. What was
//! wrong is remembered for a while and not looked up again.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Secrets that are looked up at one time: half of the store's readers.
const AT_ONE_TIME: usize = 2;

/// How long a wrong secret is remembered. It stays wrong for ever, since secrets are
/// random; the end is for a clock that is set back to before a token has expired.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Wrong secrets that are remembered, about 1 MiB. More are forgotten all at once.
const REMEMBERED_MOST: usize = 16_384;

const NEVER_CLOSED: &str = "the semaphores are never closed";

#[derive(Debug)]
pub(super) struct Lookups {
    turns: Semaphore,
    /// For addresses that have failed too often.
    turn_of_failures: Semaphore,
    /// Two hashes with keys of this process, so that no two secrets are ever one.
    wrong: Mutex<HashMap<(u64, u64), Instant>>,
    hashers: (RandomState, RandomState),
}

/// A secret may be looked up as long as this lives.
#[must_use]
pub(crate) struct Lookup<'a> {
    _turns: [Option<SemaphorePermit<'a>>; 2],
}

impl Lookup<'_> {
    /// For a secret that was right before: it is most likely known without the store.
    pub(super) fn free() -> Self {
        Self {
            _turns: [None, None],
        }
    }
}

impl Default for Lookups {
    fn default() -> Self {
        Self {
            turns: Semaphore::new(AT_ONE_TIME),
            turn_of_failures: Semaphore::new(1),
            wrong: Mutex::default(),
            hashers: (RandomState::new(), RandomState::new()),
        }
    }
}

impl Lookups {
    /// Waits for a turn; `None` if the secret is known to be wrong.
    pub(super) async fn begin(
        &self,
        secret: &str,
        has_failed_too_often: bool,
        now: Instant,
    ) -> Option<Lookup<'_>> {
        if self.is_wrong(secret, now) {
            return None;
        }
        let of_failures = match has_failed_too_often {
            true => Some(self.turn_of_failures.acquire().await.expect(NEVER_CLOSED)),
            false => None,
        };
        let turn = self.turns.acquire().await.expect(NEVER_CLOSED);
        Some(Lookup {
            _turns: [Some(turn), of_failures],
        })
    }

    pub(super) fn found_nothing(&self, secret: &str, now: Instant) {
        let mut wrong = self.wrong.lock();
        if wrong.len() >= REMEMBERED_MOST {
            wrong.clear();
        }
        wrong.insert(self.key(secret), now);
    }

    fn is_wrong(&self, secret: &str, now: Instant) -> bool {
        let wrong = self.wrong.lock();
        let since = wrong.get(&self.key(secret));
        since.is_some_and(|since| now.saturating_duration_since(*since) < REMEMBERED)
    }

    fn key(&self, secret: &str) -> (u64, u64) {
        let (one, other) = &self.hashers;
        (one.hash_one(secret), other.hash_one(secret))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_wrong_secret_is_looked_up_once_in_a_while() {
        let (lookups, now) = (Lookups::default(), Instant::now());
        assert!(lookups.begin("wrong", false, now).await.is_some());
        lookups.found_nothing("wrong", now);
        assert!(lookups.begin("wrong", false, now).await.is_none());
        assert!(lookups.begin("other", false, now).await.is_some());
        let later = now + REMEMBERED;
        assert!(lookups.begin("wrong", false, later).await.is_some());
    }

    #[tokio::test]
    async fn failing_addresses_leave_turns_to_others_and_wait_for_their_own() {
        let (lookups, now) = (Lookups::default(), Instant::now());
        let first = lookups.begin("a", true, now).await.unwrap();
        assert!(lookups.begin("b", true, now).now_or_never().is_none());
        let others: Vec<_> = (1..AT_ONE_TIME)
            .map(|_| lookups.begin("c", false, now).now_or_never().unwrap())
            .collect();
        assert!(others.iter().all(Option::is_some));
        assert!(lookups.begin("c", false, now).now_or_never().is_none());
        drop(first);
        assert!(lookups.begin("b", true, now).now_or_never().is_some());
    }

    #[tokio::test]
    async fn the_memory_of_wrong_secrets_is_bounded() {
        let (lookups, now) = (Lookups::default(), Instant::now());
        for n in 0..REMEMBERED_MOST + 10 {
            lookups.found_nothing(&n.to_string(), now);
        }
        assert!(lookups.wrong.lock().len() <= REMEMBERED_MOST);
    }
}
