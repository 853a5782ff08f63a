//! Waiting for the end of a task, and listening to an execution.

use std::sync::Arc;
use std::time::Duration;

use super::Dispatcher;
use crate::error::Error;
use crate::id::{AccountId, ExecutionId, Key, TaskId};
use crate::live::{Live, LiveOutput};
use crate::task::TaskDetail;

impl Dispatcher {
    /// Waits so long for a task to end, and tells how it stands then.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn wait(
        &self,
        account: AccountId,
        key: Key<TaskId>,
        lasting: Duration,
    ) -> Result<TaskDetail, Error> {
        let detail = self.task(account, key).await?;
        if detail.task.state.is_over() {
            return Ok(detail);
        }
        let id = detail.task.id;
        let told = self.inner.floor.lock().wait_for(id);
        // It may have ended before we were registered.
        let detail = self.task(account, Key::Id(id)).await?;
        if detail.task.state.is_over() {
            drop(told);
            self.inner.floor.lock().forget_waiters(id);
            return Ok(detail);
        }
        let told = tokio::time::timeout(lasting, told).await;
        self.inner.floor.lock().forget_waiters(id);
        match told.ok().and_then(Result::ok).flatten() {
            Some(detail) => Ok(Arc::unwrap_or_clone(detail)),
            None => self.task(account, Key::Id(id)).await,
        }
    }

    /// Listens to what an execution prints, from its beginning to the end of
    /// its attempt. One that does not run is replayed as it was kept.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn follow(&self, account: AccountId, id: ExecutionId) -> Result<LiveOutput, Error> {
        let execution = self.execution(account, id).await?;
        let live = self.inner.floor.lock().live(execution.task, id);
        Ok(match live {
            Some(live) => live.listen(),
            // It may have ended between the two; then what was stored is complete.
            None => Live::replay(&self.execution(account, id).await?.output),
        })
    }
}
