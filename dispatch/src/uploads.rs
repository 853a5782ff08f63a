//! How many programs of an account are being taken in at one time.
//!
//! Compiling is done in turns, so uploads wait; each holds its program meanwhile.
//! One too many is told to come back, which no other account notices.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::Error;
use crate::id::AccountId;

/// Programs of one account that may wait for the compiler, the one that is being
/// compiled included. At the ceiling of an upload they hold half a gigabyte.
pub(crate) const ACCOUNT_UPLOADS: usize = 8;

/// The programs that are being taken in.
#[derive(Clone, Default)]
pub(crate) struct Uploads {
    by_account: Arc<Mutex<HashMap<AccountId, usize>>>,
}

/// One program that is being taken in, until this is dropped.
pub(crate) struct Upload {
    account: AccountId,
    uploads: Uploads,
}

impl Uploads {
    /// Begins to take one in.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] when the account has too many in progress.
    pub(crate) fn begin(&self, account: AccountId) -> Result<Upload, Error> {
        let mut by_account = self.by_account.lock();
        let count = by_account.entry(account).or_default();
        if *count >= ACCOUNT_UPLOADS {
            return Err(Error::Busy {
                what: "uploads of this account",
            });
        }
        *count += 1;
        Ok(Upload {
            account,
            uploads: self.clone(),
        })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.uploads.by_account.lock().entry(self.account) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_fills_its_own_places_alone() {
        let uploads = Uploads::default();
        let (one, other) = (AccountId::generate(), AccountId::generate());
        let mut held: Vec<_> = (0..ACCOUNT_UPLOADS)
            .map(|_| uploads.begin(one).unwrap())
            .collect();
        assert!(matches!(uploads.begin(one), Err(Error::Busy { .. })));
        uploads.begin(other).unwrap();
        held.pop();
        held.push(uploads.begin(one).unwrap());
        held.clear();
        assert!(uploads.by_account.lock().is_empty());
    }
}
