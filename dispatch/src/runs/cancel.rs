//! Cancels tasks and executions in every state, and redrives failed ones.

use std::sync::Arc;
use std::time::Duration;

use crate::dispatcher::Core;
use crate::error::{Error, Noun};
use crate::id::{AccountId, ExecutionId, HookId, Key, TaskId};
use crate::runs::execution::Execution;
use crate::runs::executions::Executions;
use crate::runs::scheduler::HOOK_DELETED;
use crate::runs::task::Task;
use crate::runs::tasks::Tasks;
use crate::runs::work::{Cancelling, ClaimedExecution};

impl Tasks<'_> {
    /// Cancels a task: waiting executions finish at once, running ones are signalled to end.
    /// A finished one is unchanged.
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

impl Core {
    /// Cancels what waits of a hook that was deleted. What runs may end, and is not tried
    /// again. What is on its way into memory or out of it is found by
    /// [`deleted_hooks`](Self::deleted_hooks) when it is claimed again.
    pub(crate) async fn cancel_of_hook(self: &Arc<Self>, account: AccountId, hook: HookId) {
        let given = {
            let mut scheduler = self.scheduler.lock();
            let settlements = scheduler.cancel_hook(account, hook, self.clock.now());
            self.give(settlements)
        };
        for given in given {
            self.record(given).await;
        }
        self.pump();
        let now = self.clock.now().wall;
        match self
            .store
            .cancel_of_hook(account, hook, HOOK_DELETED, now)
            .await
        {
            Ok(ended) => {
                let mut scheduler = self.scheduler.lock();
                for task in ended {
                    scheduler.notify(task, &None);
                }
            }
            Err(error) => tracing::error!(
                account.id = %account,
                hook.id = %hook,
                error = &error as &dyn std::error::Error,
                "cannot cancel the waiting executions of a deleted hook; they are cancelled when they are due"
            ),
        }
    }

    /// The hooks of these executions that were deleted.
    pub(crate) async fn deleted_hooks<'e>(
        &self,
        account: AccountId,
        executions: impl Iterator<Item = &'e ClaimedExecution>,
    ) -> Vec<HookId> {
        let mut hooks: Vec<_> = executions
            .filter_map(|one| Some(one.new.hook?.id))
            .collect();
        hooks.sort_unstable();
        hooks.dedup();
        if hooks.is_empty() {
            return hooks;
        }
        match self.entry(account).await {
            Ok(entry) => {
                let directory = entry.directory.read();
                hooks.retain(|hook| directory.is_deleted(*hook));
                hooks
            }
            // They run: whether they were deleted is not known.
            Err(_) => Vec::new(),
        }
    }
}

impl Executions<'_> {
    /// Cancels one execution. A finished one is unchanged. Returns it without what it
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
    /// Returns it without what it has printed. Not if its hook was deleted.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::WrongState`], [`Error::Store`].
    pub async fn redrive(self, account: AccountId, id: ExecutionId) -> Result<Execution, Error> {
        let execution = self.get_without_output(account, id).await?;
        if let Some(hook) = execution.hook
            && self
                .core
                .entry(account)
                .await?
                .directory
                .read()
                .is_deleted(hook.id)
        {
            return Err(Error::WrongState {
                doing: "redrive",
                what: Noun::Execution,
                id: id.to_string(),
                state: "without its hook, which was deleted".into(),
            });
        }
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
