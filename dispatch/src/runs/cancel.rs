//! Cancels tasks and executions in every state, and redrives failed ones.

use std::sync::Arc;
use std::time::Duration;

use crate::dispatcher::Core;
use crate::error::{Error, Noun};
use crate::id::{AccountId, ExecutionId, Key, TaskId};
use crate::runs::execution::Execution;
use crate::runs::executions::Executions;
use crate::runs::task::Task;
use crate::runs::tasks::Tasks;
use crate::runs::work::Cancelling;

impl Tasks<'_> {
    /// Cancels a task: what waits ends at once, what runs is told to end.
    /// A finished one stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn cancel(self, account: AccountId, key: Key<TaskId>) -> Result<Task, Error> {
        let id = self.get_without_executions(account, key).await?.id;
        self.core
            .carry_out(async move |core: Arc<Core>| {
                // It may be on its way into memory or out of it; then ask again.
                loop {
                    match core
                        .store
                        .cancel_task(account, id, core.clock.now().wall)
                        .await?
                    {
                        Cancelling::Over => return Ok(()),
                        Cancelling::Ended => {
                            core.scheduler.lock().notify(id, &None);
                            return Ok(());
                        }
                        Cancelling::Owned => {}
                    }
                    let given = {
                        let mut scheduler = core.scheduler.lock();
                        let settlements = scheduler.cancel(id, core.clock.now());
                        settlements.map(|settlements| core.give(settlements))
                    };
                    if let Some(given) = given {
                        for given in given {
                            core.record(given).await;
                        }
                        return Ok(());
                    }
                    tokio::task::yield_now().await;
                }
            })
            .await?;
        self.get_without_executions(account, Key::Id(id)).await
    }
}

impl Executions<'_> {
    /// Cancels one execution. A finished one stays as it is. Returns it without what it
    /// has printed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn cancel(self, account: AccountId, id: ExecutionId) -> Result<Execution, Error> {
        let task = self.get_without_output(account, id).await?.task;
        self.core
            .carry_out(async move |core: Arc<Core>| {
                // A task may come into memory or leave it at any time; then ask again.
                loop {
                    let given = {
                        let mut scheduler = core.scheduler.lock();
                        let settlements = scheduler.cancel_execution(task, id, core.clock.now());
                        settlements.map(|settlements| core.give(settlements))
                    };
                    if let Some(given) = given {
                        for given in given {
                            core.record(given).await;
                        }
                        core.pump();
                        return Ok(());
                    }
                    let now = core.clock.now().wall;
                    match core.store.cancel_execution(account, id, now).await? {
                        Cancelling::Over => return Ok(()),
                        Cancelling::Ended => {
                            core.scheduler.lock().notify(task, &None);
                            return Ok(());
                        }
                        Cancelling::Owned => tokio::task::yield_now().await,
                    }
                }
            })
            .await?;
        self.get_without_output(account, id).await
    }

    /// Runs an execution again that has failed or was cancelled, once its task is finished.
    /// Returns it without what it has printed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::WrongState`], [`Error::Store`].
    pub async fn redrive(self, account: AccountId, id: ExecutionId) -> Result<Execution, Error> {
        let execution = self.get_without_output(account, id).await?;
        self.core
            .carry_out(async move |core: Arc<Core>| {
                if !core.store.redrive(account, id).await? {
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
                core.scheduler.lock().note_due(account, Duration::ZERO);
                core.wake.notify_one();
                Ok(())
            })
            .await?;
        self.get_without_output(account, id).await
    }
}
