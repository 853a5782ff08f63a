//! The authority under which a long reply was opened, and its end.
//!
//! It lets nobody in: a face has done that. It tells whoever still reads that the token
//! was revoked or has expired, that its principal was removed, or that the role is no
//! longer enough.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::clock::now;
use crate::identity::Identity;
use crate::role::Role;

/// Why an authority has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lapse {
    /// The token was revoked or has expired, or its principal was removed.
    Void,
    /// The role is less than what is needed, which is this.
    Role(Role),
}

/// The longest sleep until a token expires: the clock on the wall may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The authority under which a long reply was opened.
///
/// Whoever sends the reply waits for [`ended`](Self::ended) beside whatever it waits for.
#[derive(Debug)]
pub struct Authority {
    held: Arc<Mutex<Held>>,
    place: u64,
    expires_at: Option<OffsetDateTime>,
    lapse: watch::Receiver<Option<Lapse>>,
}

/// All authorities that are held at present.
#[derive(Debug, Default)]
pub(crate) struct Authorities {
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    next: u64,
    /// No more than there are long replies, which the listener bounds.
    places: HashMap<u64, Place>,
}

#[derive(Debug)]
struct Place {
    identity: Identity,
    needs: Role,
    lapse: watch::Sender<Option<Lapse>>,
}

impl Authorities {
    /// Holds the authority of whoever has been let in to do what needs this role.
    pub(crate) fn hold(&self, identity: Identity, needs: Role) -> Authority {
        let (lapse, told) = watch::channel(None);
        let expires_at = identity.expires_at;
        let mut held = self.held.lock();
        let place = held.next;
        held.next += 1;
        let own = Place {
            identity,
            needs,
            lapse,
        };
        held.places.insert(place, own);
        Authority {
            held: Arc::clone(&self.held),
            place,
            expires_at,
            lapse: told,
        }
    }

    /// Ends the authority of those whom `which` picks.
    pub(crate) fn revoke(&self, which: impl Fn(&Identity) -> bool) {
        self.lapse(|place| which(&place.identity).then_some(Lapse::Void));
    }

    /// Ends what needs more than this role of those whom `which` picks.
    pub(crate) fn lower(&self, to: Role, which: impl Fn(&Identity) -> bool) {
        self.lapse(|place| {
            let ends = place.needs > to && which(&place.identity);
            ends.then_some(Lapse::Role(place.needs))
        });
    }

    fn lapse(&self, judge: impl Fn(&Place) -> Option<Lapse>) {
        for place in self.held.lock().places.values() {
            if let Some(lapse) = judge(place) {
                place.lapse.send_replace(Some(lapse));
            }
        }
    }
}

impl Authority {
    /// Waits until it has ended. May be dropped and called again.
    pub async fn ended(&self) -> Lapse {
        let mut lapse = self.lapse.clone();
        let told = async {
            match lapse.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(lapse)) => *lapse,
                // The sender stays where it is as long as this is held.
                Ok(None) | Err(_) => Lapse::Void,
            }
        };
        tokio::select! {
            biased;
            lapse = told => lapse,
            () = expired(self.expires_at) => Lapse::Void,
        }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.held.lock().places.remove(&self.place);
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
