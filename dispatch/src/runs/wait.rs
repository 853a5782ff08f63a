//! Waiting for the end of a task, and listening to an execution.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::id::{AccountId, ExecutionId, Key, TaskId};
use crate::runs::execution::State;
use crate::runs::executions::Executions;
use crate::runs::live::{Live, LiveOutput};
use crate::runs::task::TaskDetail;
use crate::runs::tasks::Tasks;

impl Tasks<'_> {
    /// Waits for a task to end, for at most `timeout`, and returns its state then.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn wait(
        self,
        account: AccountId,
        key: Key<TaskId>,
        timeout: Duration,
    ) -> Result<TaskDetail, Error> {
        let detail = self.get(account, key).await?;
        if detail.task.state.is_over() {
            return Ok(detail);
        }
        let id = detail.task.id;
        let outcome = self.core.scheduler.lock().wait_for(id);
        // It may have ended before we were registered.
        let detail = self.get(account, Key::Id(id)).await?;
        if detail.task.state.is_over() {
            drop(outcome);
            self.core.scheduler.lock().forget_waiters(id);
            return Ok(detail);
        }
        let outcome = tokio::time::timeout(timeout, outcome).await;
        self.core.scheduler.lock().forget_waiters(id);
        match outcome.ok().and_then(Result::ok).flatten() {
            Some(detail) => Ok(Arc::unwrap_or_clone(detail)),
            None => self.get(account, Key::Id(id)).await,
        }
    }
}

impl Executions<'_> {
    /// Follows what an execution prints, from the beginning to the end of its latest
    /// attempt; returns which that is. One that does not run is replayed as it was kept.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn follow(
        self,
        account: AccountId,
        id: ExecutionId,
    ) -> Result<(u32, LiveOutput), Error> {
        loop {
            let execution = self.get_without_output(account, id).await?;
            let live = self.core.scheduler.lock().live(execution.task, id);
            if let Some((attempt, live)) = live {
                return Ok((attempt, live.listen()));
            }
            // It may have ended between the two; then what was stored is complete.
            let execution = self.get(account, id).await?;
            if execution.state != State::Running {
                return Ok((
                    execution.latest.attempt,
                    Live::replay(&execution.latest.output),
                ));
            }
            // It has begun between the two.
        }
    }
}
