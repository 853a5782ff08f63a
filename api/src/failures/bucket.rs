//! A bounded number of leaky buckets: each failure fills one, time empties it.
//!
//! A bucket is represented by the time at which it will be empty; an empty one need not
//! be kept.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// How many failures are allowed, and how fast they are forgiven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Failures in a row, at least 1.
    pub burst: u32,
    /// After this time one more is let pass.
    pub refill: Duration,
}

/// Leaky buckets, at most so many.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    quota: Quota,
    most: usize,
    empty_at: HashMap<K, Instant>,
}

impl<K: Copy + Eq + Hash> Buckets<K> {
    pub(super) fn new(quota: Quota, most: usize) -> Self {
        Self {
            quota,
            most: most.max(1),
            empty_at: HashMap::new(),
        }
    }

    /// How long until one more fits in; `None` if one does now.
    pub(super) fn wait(&self, key: &K, now: Instant) -> Option<Duration> {
        let level = self.empty_at.get(key)?.saturating_duration_since(now);
        let room = self
            .quota
            .refill
            .saturating_mul(self.quota.burst.saturating_sub(1));
        level.checked_sub(room).filter(|wait| !wait.is_zero())
    }

    /// Puts one more in.
    pub(super) fn fill(&mut self, key: K, now: Instant) {
        if !self.empty_at.contains_key(&key) && self.empty_at.len() >= self.most {
            self.make_room(now);
        }
        let empty_at = self.empty_at.entry(key).or_insert(now);
        *empty_at = (*empty_at).max(now) + self.quota.refill;
    }

    /// Forgets empty buckets or, if there are none, the emptiest: the client that fails
    /// most is forgotten last.
    fn make_room(&mut self, now: Instant) {
        self.empty_at.retain(|_, empty_at| *empty_at > now);
        if self.empty_at.len() < self.most {
            return;
        }
        let emptiest = self.empty_at.iter().min_by_key(|(_, at)| **at);
        if let Some(key) = emptiest.map(|(key, _)| *key) {
            self.empty_at.remove(&key);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.empty_at.len()
    }
}
