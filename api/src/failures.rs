//! Rate limits on failed logins and tokens, so that guessing is slow.
//!
//! Only failures count, for each client address and for each user name at an address: no
//! client can lock out a name elsewhere. Every secret is looked up, and a right one is
//! never refused, whatever its neighbours do; what the looking up of wrong ones costs is
//! bounded by [`Lookups`]. Memory is bounded whatever is tried.

mod bucket;
mod lookups;

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::Extensions;
use http::request::Parts;
use parking_lot::Mutex;
use tenterhook_ledger::Holder;

use self::bucket::Buckets;
pub use self::bucket::Quota;
pub(crate) use self::lookups::Lookup;
use self::lookups::Lookups;
use crate::refusal::Refusal;

/// Bounds on logins and tokens that are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureLimits {
    /// From one address: a single IPv4 address, or a /64 of IPv6, which is what one
    /// customer has. Default: 60, and one more each second; a farm of clients behind
    /// one address may have a bad day.
    pub address: Quota,
    /// Under one user name from one address. Default: 10, and one more every 6 s.
    pub name: Quota,
    /// Addresses, and names, that are kept in mind; beyond it those with the fewest
    /// failures are forgotten. Default: 16,384, about 1 MiB.
    pub keys: usize,
}

impl Default for FailureLimits {
    fn default() -> Self {
        Self {
            address: Quota {
                burst: 60,
                refill: Duration::from_secs(1),
            },
            name: Quota {
                burst: 10,
                refill: Duration::from_secs(6),
            },
            keys: 16_384,
        }
    }
}

/// Secrets that are remembered as right. More are forgotten all at once: the next
/// use of each brings it back.
const KNOWN_MOST: usize = 16_384;

/// An attempt to authenticate with a secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) from: Client,
    /// The user name, if it is a login.
    pub(crate) name: Option<&'a str>,
    pub(crate) secret: &'a str,
}

/// The memory of attempts.
#[derive(Debug)]
pub(crate) struct Failures {
    addresses: Mutex<Buckets<Client>>,
    names: Mutex<Buckets<(Client, u64)>>,
    /// Hashes, with a key of this process, of secrets that were right.
    known: Mutex<HashSet<u64>>,
    hasher: RandomState,
    lookups: Lookups,
}

impl Failures {
    /// Nothing has failed so far.
    pub(crate) fn new(limits: FailureLimits) -> Self {
        Self {
            addresses: Mutex::new(Buckets::new(limits.address, limits.keys)),
            names: Mutex::new(Buckets::new(limits.name, limits.keys)),
            known: Mutex::default(),
            hasher: RandomState::new(),
            lookups: Lookups::default(),
        }
    }

    /// Waits until a secret may be looked up in the store, if it has to be; `None` if it
    /// was found to be wrong just now.
    pub(crate) async fn look_up(&self, attempt: Attempt<'_>, now: Instant) -> Option<Lookup<'_>> {
        if self.is_known(attempt.secret) {
            return Some(Lookup::free());
        }
        let is_over = self.wait(attempt, now).is_some();
        self.lookups.begin(attempt.secret, is_over, now).await
    }

    /// Counts a failure and returns its refusal: `wrong`, or beyond the quota, where
    /// failures count no more, when to come back.
    pub(crate) fn failed(&self, attempt: Attempt<'_>, wrong: Refusal, now: Instant) -> Refusal {
        if let Some(retry_after) = self.wait(attempt, now) {
            return Refusal::TooManyFailures { retry_after };
        }
        self.addresses.lock().fill(attempt.from, now);
        if let Some(key) = self.name(attempt) {
            self.names.lock().fill(key, now);
        }
        wrong
    }

    /// Remembers that no token has this secret, nor ever will: secrets are random.
    pub(crate) fn found_nothing(&self, secret: &str, now: Instant) {
        self.lookups.found_nothing(secret, now);
    }

    fn wait(&self, attempt: Attempt<'_>, now: Instant) -> Option<Duration> {
        let of_name = |key| self.names.lock().wait(&key, now);
        let of_address = self.addresses.lock().wait(&attempt.from, now);
        of_address.max(self.name(attempt).and_then(of_name))
    }

    /// Remembers a secret as right.
    pub(crate) fn succeeded(&self, secret: &str) {
        let mut known = self.known.lock();
        if known.len() >= KNOWN_MOST {
            known.clear();
        }
        known.insert(self.hasher.hash_one(secret));
    }

    fn is_known(&self, secret: &str) -> bool {
        self.known.lock().contains(&self.hasher.hash_one(secret))
    }

    fn name(&self, attempt: Attempt<'_>) -> Option<(Client, u64)> {
        let name = attempt.name?;
        Some((attempt.from, self.hasher.hash_one(name)))
    }
}

/// Where a request comes from: one customer's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client(Holder);

impl Client {
    /// The client of a request; all whose address is not known are one.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        let address = extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |connection| {
                connection.0.ip()
            });
        Self(Holder::client(address))
    }

    /// The client as a holder of shared resources.
    pub(crate) fn holder(self) -> Holder {
        self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.extensions))
    }
}

#[cfg(test)]
mod tests;
