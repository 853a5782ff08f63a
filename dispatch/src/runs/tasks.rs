//! Reading tasks: what is stored, completed by what runs.

use std::collections::HashMap;
use std::sync::Arc;

use tenterhook_engine::Verdict;

use crate::dispatcher::Core;
use crate::error::{Error, Noun};
use crate::id::{AccountId, Key, TaskId};
use crate::page::{
    ExecutionFilter, OUTPUTS_MAX_BYTES, Outputs, PAGE_MAX, Page, TaskFilter, TaskPage,
};
use crate::runs::endings::Endings;
use crate::runs::executions::Executions;
use crate::runs::task::{Task, TaskDetail};

/// Tasks: see [`Dispatcher::tasks`](crate::Dispatcher::tasks).
#[derive(Clone, Copy)]
pub struct Tasks<'a> {
    pub(crate) core: &'a Arc<Core>,
}

impl Tasks<'_> {
    /// Reads a task with its executions and their output.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn get(self, account: AccountId, key: Key<TaskId>) -> Result<TaskDetail, Error> {
        let mut task = self.get_without_executions(account, key).await?;
        let filter = ExecutionFilter {
            task: Some(task.id),
            ..ExecutionFilter::default()
        };
        let executions = Executions { core: self.core }
            .list(account, &filter, Page::first(PAGE_MAX), Outputs::Include)
            .await?;
        // The last one may have ended between the two queries.
        if !task.state.is_over() && executions.iter().all(|execution| execution.state.is_over()) {
            task = self
                .get_without_executions(account, Key::Id(task.id))
                .await?;
        }
        Ok(TaskDetail { task, executions })
    }

    /// Lists tasks, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn list(
        self,
        account: AccountId,
        filter: &TaskFilter,
        page: TaskPage,
    ) -> Result<Vec<Task>, Error> {
        let mut tasks = self.core.store.tasks(account, filter, page).await?;
        let scheduler = self.core.scheduler.lock();
        for task in &mut tasks {
            if let Some(loaded) = scheduler.task(task.id) {
                loaded.complete_task(task);
            }
        }
        Ok(tasks)
    }

    /// How many bytes of output [`get`](Self::get) would read, for a caller that has to
    /// find room for them first.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn outputs_bytes(self, account: AccountId, key: Key<TaskId>) -> Result<u64, Error> {
        let store = &self.core.store;
        let stored = store.outputs_bytes(account, key).await?;
        let stored = stored.min(OUTPUTS_MAX_BYTES);
        let printing = self.core.scheduler.lock().printing(account);
        if printing.is_empty() {
            return Ok(stored);
        }
        let id = match key {
            Key::Id(id) => Some(id),
            Key::Number(_) => store.task(account, key).await?.map(|task| task.id),
        };
        let own = printing.into_iter().filter(|(task, _)| Some(*task) == id);
        Ok(own.fold(stored, |sum, (_, bytes)| sum.saturating_add(bytes)))
    }

    /// Reports how the executions of tasks have ended.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn endings(
        self,
        account: AccountId,
        tasks: Vec<TaskId>,
    ) -> Result<HashMap<TaskId, Endings>, Error> {
        self.core.store.endings(account, tasks).await
    }

    /// Reads the verdicts of the finished executions of tasks. They take what
    /// [`Endings::verdict_bytes`] says.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn verdicts(
        self,
        account: AccountId,
        tasks: Vec<TaskId>,
    ) -> Result<HashMap<TaskId, Vec<Verdict>>, Error> {
        self.core.store.verdicts(account, tasks).await
    }

    /// Reads a task alone.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn get_without_executions(
        self,
        account: AccountId,
        key: Key<TaskId>,
    ) -> Result<Task, Error> {
        let mut task = self
            .core
            .store
            .task(account, key)
            .await?
            .ok_or_else(|| Error::not_found(Noun::Task, key))?;
        if let Some(loaded) = self.core.scheduler.lock().task(task.id) {
            loaded.complete_task(&mut task);
        }
        Ok(task)
    }
}
