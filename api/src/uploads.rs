//! Places for uploads: each holds its whole program in memory until it is compiled.
//!
//! An account has a few of them, so that nobody's slow or hostile uploads take
//! those of all others.

pub(crate) mod pending;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tenterhook_dispatch::AccountId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::refusal::Refusal;

/// Uploads at one time, all accounts together.
const UPLOADS: usize = 32;

/// Uploads of one account at one time.
const ACCOUNT_UPLOADS: usize = 4;

/// How long an upload waits for its turn before the client is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// The places, taken and free.
pub(crate) struct Uploads {
    patience: Duration,
    all: Arc<Semaphore>,
    by_account: Mutex<HashMap<AccountId, Arc<Semaphore>>>,
}

/// A place that is taken until this is dropped.
pub(crate) struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_account: OwnedSemaphorePermit,
}

impl Default for Uploads {
    fn default() -> Self {
        Self::with_patience(PATIENCE)
    }
}

impl Uploads {
    fn with_patience(patience: Duration) -> Self {
        Self {
            patience,
            all: Arc::new(Semaphore::new(UPLOADS)),
            by_account: Mutex::default(),
        }
    }

    /// Waits for one of the account's places.
    pub(crate) async fn place(&self, account: AccountId) -> Result<Place, Refusal> {
        let of_account = self.of_account(account);
        let take = async {
            // The account's own first: who waits for that holds nothing of others.
            let of_account = of_account.acquire_owned().await.ok()?;
            let of_all = Arc::clone(&self.all).acquire_owned().await.ok()?;
            Some(Place {
                _of_all: of_all,
                _of_account: of_account,
            })
        };
        tokio::time::timeout(self.patience, take)
            .await
            .ok()
            .flatten()
            .ok_or(Refusal::TooBusy)
    }

    /// The account's places. Accounts that upload nothing are forgotten.
    fn of_account(&self, account: AccountId) -> Arc<Semaphore> {
        let mut by_account = self.by_account.lock();
        by_account.retain(|_, places| Arc::strong_count(places) > 1);
        Arc::clone(
            by_account
                .entry(account)
                .or_insert_with(|| Arc::new(Semaphore::new(ACCOUNT_UPLOADS))),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_accounts_uploads_leave_places_to_others() {
        let uploads = Uploads::with_patience(Duration::ZERO);
        let (one, other) = (AccountId::generate(), AccountId::generate());
        let mut held = Vec::new();
        for _ in 0..ACCOUNT_UPLOADS {
            held.push(uploads.place(one).await.ok().unwrap());
        }
        assert!(matches!(uploads.place(one).await, Err(Refusal::TooBusy)));
        assert!(uploads.place(other).await.is_ok());
        held.pop();
        assert!(uploads.place(one).await.is_ok());
    }

    #[tokio::test]
    async fn places_are_bounded_for_all_accounts_together() {
        let uploads = Uploads::with_patience(Duration::ZERO);
        let mut held = Vec::new();
        for _ in 0..UPLOADS {
            held.push(uploads.place(AccountId::generate()).await.ok().unwrap());
        }
        let more = uploads.place(AccountId::generate()).await;
        assert!(matches!(more, Err(Refusal::TooBusy)));
    }
}
