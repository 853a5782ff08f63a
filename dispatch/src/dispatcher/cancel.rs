//! Cancelling tasks and executions in every state, and running failed ones anew.

use std::sync::Arc;
use std::time::Duration;

use super::{Dispatcher, Inner};
use crate::error::{Error, Noun};
use crate::execution::Execution;
use crate::id::{AccountId, ExecutionId, Key, TaskId};
use crate::task::Task;
use crate::work::Cancelling;

impl Dispatcher {
    /// Cancels a task: what waits is over at once, what runs is told to end.
    /// One that is over stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn cancel_task(&self, account: AccountId, key: Key<TaskId>) -> Result<Task, Error> {
        let id = self.task_without_executions(account, key).await?.id;
        self.carry_out(async move |inner: Arc<Inner>| {
            // It may be on its way into memory or out of it; then ask again.
            loop {
                match inner
                    .store
                    .cancel_task(account, id, inner.clock.now().wall)
                    .await?
                {
                    Cancelling::Over => return Ok(()),
                    Cancelling::Ended => {
                        inner.floor.lock().tell(id, &None);
                        return Ok(());
                    }
                    Cancelling::Owned => {}
                }
                let given = {
                    let mut floor = inner.floor.lock();
                    let settlements = floor.cancel(id, inner.clock.now());
                    settlements.map(|settlements| inner.give(settlements))
                };
                if let Some(given) = given {
                    for given in given {
                        inner.settle(given).await;
                    }
                    return Ok(());
                }
                tokio::task::yield_now().await;
            }
        })
        .await?;
        self.task_without_executions(account, Key::Id(id)).await
    }

    /// Cancels one execution. One that is over stays as it is. Returns it without what it
    /// has printed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn cancel_execution(
        &self,
        account: AccountId,
        id: ExecutionId,
    ) -> Result<Execution, Error> {
        let task = self.execution_without_output(account, id).await?.task;
        self.carry_out(async move |inner: Arc<Inner>| {
            // A task may come into memory or leave it at any time; then ask again.
            loop {
                let given = {
                    let mut floor = inner.floor.lock();
                    let settlements = floor.cancel_execution(task, id, inner.clock.now());
                    settlements.map(|settlements| inner.give(settlements))
                };
                if let Some(given) = given {
                    for given in given {
                        inner.settle(given).await;
                    }
                    inner.pump();
                    return Ok(());
                }
                let now = inner.clock.now().wall;
                match inner.store.cancel_execution(account, id, now).await? {
                    Cancelling::Over => return Ok(()),
                    Cancelling::Ended => {
                        inner.floor.lock().tell(task, &None);
                        return Ok(());
                    }
                    Cancelling::Owned => tokio::task::yield_now().await,
                }
            }
        })
        .await?;
        self.execution_without_output(account, id).await
    }

    /// Runs an execution anew that has failed or was cancelled, once its task is over.
    /// Returns it without what it has printed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::WrongState`], [`Error::Store`].
    pub async fn redrive(&self, account: AccountId, id: ExecutionId) -> Result<Execution, Error> {
        let execution = self.execution_without_output(account, id).await?;
        self.carry_out(async move |inner: Arc<Inner>| {
            if !inner.store.redrive(account, id).await? {
                return Err(Error::WrongState {
                    doing: "redrive",
                    what: Noun::Execution,
                    id: id.to_string(),
                    state: if execution.state.is_over() {
                        format!("{} or its task is not over", execution.state)
                    } else {
                        execution.state.to_string()
                    },
                });
            }
            inner.floor.lock().note_due(account, Duration::ZERO);
            inner.wake.notify_one();
            Ok(())
        })
        .await?;
        self.execution_without_output(account, id).await
    }
}
