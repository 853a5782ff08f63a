//! Disk usage, and the removal of what is old, in the store. How much is kept is decided by
//! [`Retention`].

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::error::Error;
use crate::id::AccountId;
use crate::runs::work::{Retention, Swept};

/// Disk usage, and the removal of what is old.
#[async_trait]
pub trait RetentionStore: Send + Sync {
    /// Returns what each account has on the disk: its tasks with their events and outputs,
    /// and its programs. The sums are updated in the transactions that change them, so
    /// reading them walks over nothing.
    async fn disk_usage(&self) -> Result<Vec<(AccountId, u64)>, Error>;

    /// Removes what is no longer to be kept, a bounded part at a time. Accounts take
    /// turns, and nothing unfinished keeps the rest from being removed.
    async fn sweep(&self, retention: &Retention, now: OffsetDateTime) -> Result<Swept, Error>;
}
