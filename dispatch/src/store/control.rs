//! Cancelling and redriving, in the store. What a node runs already, that node must end.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::error::Error;
use crate::id::{AccountId, ExecutionId, HookId, TaskId};
use crate::runs::work::Cancelling;

/// Cancelling and redriving.
#[async_trait]
pub trait ControlStore: Send + Sync {
    /// Notes that a task is to be cancelled, and ends it if no node owns it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    async fn cancel_task(
        &self,
        account: AccountId,
        id: TaskId,
        now: OffsetDateTime,
    ) -> Result<Cancelling, Error>;

    /// Cancels one execution of a task that no node owns; if one does, that node must act.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    async fn cancel_execution(
        &self,
        account: AccountId,
        id: ExecutionId,
        now: OffsetDateTime,
    ) -> Result<Cancelling, Error>;

    /// Cancels what waits of a hook in tasks that no node owns, with this reason. Returns the
    /// tasks that finished because of it. Damaged parts of it are left unchanged.
    async fn cancel_of_hook(
        &self,
        account: AccountId,
        hook: HookId,
        reason: &'static str,
        now: OffsetDateTime,
    ) -> Result<Vec<TaskId>, Error>;

    /// Makes an execution that failed or was cancelled wait again, and its task one that can
    /// be claimed. Returns whether it could: the whole task must be finished.
    async fn redrive(&self, account: AccountId, id: ExecutionId) -> Result<bool, Error>;
}
