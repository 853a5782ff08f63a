//! The directories of the accounts used lately, each with its lock.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::Directory;
use crate::error::Error;
use crate::id::AccountId;
use crate::store::Store;

/// One account's directory, with the lock that changes of it are made under.
pub(crate) struct Entry {
    /// Held from reading what is to be changed until the change is stored.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// Held while the events of a batch are planned.
    pub(crate) planning: tokio::sync::Mutex<()>,
    pub(crate) directory: RwLock<Directory>,
}

/// The directories of the accounts used lately.
#[derive(Default)]
pub(crate) struct Directories {
    entries: Mutex<HashMap<AccountId, Arc<tokio::sync::OnceCell<Arc<Entry>>>>>,
}

/// Most directories held; reading one again costs a handful of queries.
const HELD: usize = 4_096;

impl Directories {
    /// Finds an account's directory, or reads it.
    pub(crate) async fn of(
        &self,
        store: &dyn Store,
        account: AccountId,
    ) -> Result<Arc<Entry>, Error> {
        let cell = {
            let mut entries = self.entries.lock();
            if entries.len() >= HELD {
                // One that is in use may be changing, and must stay the only one.
                entries.retain(|_, cell| {
                    Arc::strong_count(cell) > 1
                        || cell.get().is_none_or(|e| Arc::strong_count(e) > 1)
                });
            }
            Arc::clone(entries.entry(account).or_default())
        };
        let read = cell
            .get_or_try_init(async || {
                let directory = Directory::read(store, account).await?;
                Ok(Arc::new(Entry {
                    changing: tokio::sync::Mutex::new(()),
                    planning: tokio::sync::Mutex::new(()),
                    directory: RwLock::new(directory),
                }))
            })
            .await
            .cloned();
        if read.is_err() {
            // Strangers' ids must not pile up.
            let mut entries = self.entries.lock();
            let unused = |held: &Arc<_>| Arc::ptr_eq(held, &cell) && Arc::strong_count(held) <= 2;
            if !cell.initialized() && entries.get(&account).is_some_and(unused) {
                entries.remove(&account);
            }
        }
        read
    }
}
