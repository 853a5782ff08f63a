//! The authority under which a long-lived reply was opened, and when it ends.
//!
//! It grants nothing: the API has already authorized the call. It signals that the
//! token was revoked or has expired, that its principal was deleted, or that the role
//! is no longer sufficient.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::clock::now;
use crate::tenancy::identity::Identity;
use crate::tenancy::role::Role;

/// Why an authority has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lapse {
    /// The token was revoked or has expired, or its principal was deleted.
    Void,
    /// The role is lower than the one that is needed, which is this.
    Role(Role),
}

/// The longest sleep until a token expires: the wall clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The authority under which a long-lived reply was opened.
///
/// Whatever sends the reply selects on [`ended`](Self::ended). Dropping it ends the
/// registration.
#[derive(Debug)]
pub struct Authority {
    registry: Arc<Mutex<Registry>>,
    id: u64,
    expires_at: Option<OffsetDateTime>,
    lapse: watch::Receiver<Option<Lapse>>,
}

/// All authorities that are currently held.
#[derive(Debug, Default)]
pub(crate) struct Authorities {
    registry: Arc<Mutex<Registry>>,
}

#[derive(Debug, Default)]
struct Registry {
    next_id: u64,
    /// At most one per long-lived reply, whose number the listener bounds.
    entries: HashMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    identity: Identity,
    needs: Role,
    lapse: watch::Sender<Option<Lapse>>,
}

impl Authorities {
    /// Registers the authority of a caller who was authorized to do what needs this role.
    pub(crate) fn hold(&self, identity: Identity, needs: Role) -> Authority {
        let (sender, lapse) = watch::channel(None);
        let expires_at = identity.expires_at;
        let mut registry = self.registry.lock();
        let id = registry.next_id;
        registry.next_id += 1;
        let entry = Entry {
            identity,
            needs,
            lapse: sender,
        };
        registry.entries.insert(id, entry);
        Authority {
            registry: Arc::clone(&self.registry),
            id,
            expires_at,
            lapse,
        }
    }

    /// Ends the authority of every identity that matches.
    pub(crate) fn revoke(&self, matches: impl Fn(&Identity) -> bool) {
        self.end_where(|entry| matches(&entry.identity).then_some(Lapse::Void));
    }

    /// Ends what needs more than this role for every identity that matches.
    pub(crate) fn lower(&self, to: Role, matches: impl Fn(&Identity) -> bool) {
        self.end_where(|entry| {
            let ends = entry.needs > to && matches(&entry.identity);
            ends.then_some(Lapse::Role(entry.needs))
        });
    }

    fn end_where(&self, lapse_of: impl Fn(&Entry) -> Option<Lapse>) {
        for entry in self.registry.lock().entries.values() {
            if let Some(lapse) = lapse_of(entry) {
                entry.lapse.send_replace(Some(lapse));
            }
        }
    }
}

impl Authority {
    /// Waits until it has ended, and returns why. Cancel-safe.
    pub async fn ended(&self) -> Lapse {
        let mut receiver = self.lapse.clone();
        let signalled = async {
            match receiver.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(lapse)) => *lapse,
                // The entry holds the sender for as long as `self` exists.
                Ok(None) | Err(_) => Lapse::Void,
            }
        };
        tokio::select! {
            biased;
            lapse = signalled => lapse,
            () = expired(self.expires_at) => Lapse::Void,
        }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.registry.lock().entries.remove(&self.id);
    }
}

async fn expired(at: Option<OffsetDateTime>) {
    let Some(at) = at else {
        return std::future::pending().await;
    };
    while let Ok(left) = Duration::try_from(at - now()) {
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
    }
}
