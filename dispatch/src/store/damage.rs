//! What cannot be read, in the store. Tasks that are damaged are not here: a claim sets them
//! aside.

use async_trait::async_trait;

use crate::error::Error;
use crate::id::AccountId;
use crate::registry::damaged::Unreadable;

/// What cannot be read.
#[async_trait]
pub trait DamageStore: Send + Sync {
    /// Returns what lists of this account's hooks, servers and overrides have left out because
    /// it cannot be read. Call it after them.
    async fn unreadable(&self, _account: AccountId) -> Result<Unreadable, Error> {
        Ok(Unreadable::default())
    }

    /// Counts the rows that could not be read since the store was opened, by table. Each was
    /// left out of what it belongs to, and logged.
    fn unreadable_rows(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}
