//! Which node runs what, in the store. What an earlier run of the server owned is handled by
//! [`RecoveryStore`](super::RecoveryStore).

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::error::Error;
use crate::id::{AccountId, NodeId, TaskId};
use crate::runs::work::{Backlog, Claimed};

/// Which node runs what.
#[async_trait]
pub trait ClaimStore: Send + Sync {
    /// Claims up to `limit` tasks of an account for `node`, oldest first: those that are due to
    /// be retried, and those of which nothing was tried yet, which are due whatever the clock
    /// says. Neither sort keeps the other from its half.
    async fn claim(
        &self,
        account: AccountId,
        node: NodeId,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Claimed, Error>;

    /// Frees tasks which this run of the server owns but does not run, all at once.
    async fn release(&self, tasks: Vec<(AccountId, TaskId)>) -> Result<(), Error>;

    /// Lists the accounts that have tasks which no node owns.
    async fn backlog(&self) -> Result<Vec<Backlog>, Error>;
}
