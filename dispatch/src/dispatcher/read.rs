//! Reading tasks and executions: what is stored, completed by what runs.

use std::collections::HashMap;
use std::sync::Arc;

use tenterhook_ledger::{Amounts, Resource};
use tenterhook_sdk::Verdict;

use super::{Dispatcher, Inner};
use crate::endings::Endings;
use crate::error::{Error, Noun};
use crate::execution::{Execution, Output, State};
use crate::floor::LateOutputs;
use crate::id::{AccountId, ExecutionId, Key, TaskId};
use crate::kept_output::KeptOutput;
use crate::live::Live;
use crate::page::{
    ExecutionFilter, ExecutionPage, OUTPUTS_MAX_BYTES, Outputs, PAGE_MAX, Page, TaskFilter,
    TaskPage,
};
use crate::task::{Task, TaskDetail};

/// Output that is copied uncharged: it is in what every request is charged with.
const SMALL_BYTES: u64 = 16 * 1024;

impl Dispatcher {
    /// Reads a task with its executions and their output.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn task(&self, account: AccountId, key: Key<TaskId>) -> Result<TaskDetail, Error> {
        let mut task = self.task_without_executions(account, key).await?;
        let filter = ExecutionFilter {
            task: Some(task.id),
            ..ExecutionFilter::default()
        };
        let executions = self
            .executions(account, &filter, Page::first(PAGE_MAX), Outputs::Include)
            .await?;
        // The last one may have ended between the two queries.
        if !task.state.is_over() && executions.iter().all(|execution| execution.state.is_over()) {
            task = self
                .task_without_executions(account, Key::Id(task.id))
                .await?;
        }
        Ok(TaskDetail { task, executions })
    }

    /// Lists tasks, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn tasks(
        &self,
        account: AccountId,
        filter: &TaskFilter,
        page: TaskPage,
    ) -> Result<Vec<Task>, Error> {
        let mut tasks = self.inner.store.tasks(account, filter, page).await?;
        let floor = self.inner.floor.lock();
        for task in &mut tasks {
            if let Some(loaded) = floor.task(task.id) {
                loaded.complete_task(task);
            }
        }
        Ok(tasks)
    }

    /// Reads an execution with its output.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn execution(&self, account: AccountId, id: ExecutionId) -> Result<Execution, Error> {
        let late = self.inner.late_outputs(account);
        let mut execution = self
            .inner
            .store
            .execution(account, id)
            .await?
            .ok_or_else(|| Error::not_found(Noun::Execution, id))?;
        if let Some(live) = self.inner.complete(&mut execution, &late) {
            self.inner.copy(&live, account, &mut execution)?;
        }
        Ok(execution)
    }

    /// Reads an execution without what it has printed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn execution_without_output(
        &self,
        account: AccountId,
        id: ExecutionId,
    ) -> Result<Execution, Error> {
        let late = self.inner.late_outputs(account);
        let found = self.inner.without_output(account, id).await?;
        let mut execution = found.ok_or_else(|| Error::not_found(Noun::Execution, id))?;
        self.inner.complete(&mut execution, &late);
        Ok(execution)
    }

    /// How many bytes of output [`task`](Self::task) would read: for whoever has to find
    /// room for them before.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn outputs_bytes(&self, account: AccountId, key: Key<TaskId>) -> Result<u64, Error> {
        let store = &self.inner.store;
        let stored = store.outputs_bytes(account, key).await?;
        let stored = stored.min(OUTPUTS_MAX_BYTES);
        let printing = self.inner.floor.lock().printing(account);
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

    /// Reads an execution. Its output comes with it if it is no more than `most` bytes;
    /// else it is to be read in pieces.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn execution_within(
        &self,
        account: AccountId,
        id: ExecutionId,
        most: u64,
    ) -> Result<(Execution, Option<KeptOutput>), Error> {
        let late = self.inner.late_outputs(account);
        let found = self.inner.store.execution_within(account, id, most).await?;
        let (mut execution, sizes) = found.ok_or_else(|| Error::not_found(Noun::Execution, id))?;
        let live = self.inner.complete(&mut execution, &late);
        if let Some(live) = &live {
            self.inner.copy(live, account, &mut execution)?;
        }
        let is_left_out = live.is_none() && sizes.total() > most;
        let kept = is_left_out
            .then(|| KeptOutput::new(Arc::clone(&self.inner.store), account, &execution, sizes));
        Ok((execution, kept))
    }

    /// Tells how the executions of tasks have ended.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn endings(
        &self,
        account: AccountId,
        tasks: Vec<TaskId>,
    ) -> Result<HashMap<TaskId, Endings>, Error> {
        self.inner.store.endings(account, tasks).await
    }

    /// Reads the verdicts of those executions of tasks that are over. They take what
    /// [`Endings::verdict_bytes`] says.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn verdicts(
        &self,
        account: AccountId,
        tasks: Vec<TaskId>,
    ) -> Result<HashMap<TaskId, Vec<Verdict>>, Error> {
        self.inner.store.verdicts(account, tasks).await
    }

    /// Lists executions, newest first; those of one task in the order in which
    /// they run, all of them.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn executions(
        &self,
        account: AccountId,
        filter: &ExecutionFilter,
        page: ExecutionPage,
        outputs: Outputs,
    ) -> Result<Vec<Execution>, Error> {
        if filter.state == Some(State::Running) {
            return self.running(account, filter, page, outputs).await;
        }
        let late = self.inner.late_outputs(account);
        let mut executions = self
            .inner
            .store
            .executions(account, filter, page, outputs)
            .await?;
        for execution in &mut executions {
            let live = self.inner.complete(execution, &late);
            match (live, outputs) {
                (Some(live), Outputs::Include) => self.inner.copy(&live, account, execution)?,
                (_, Outputs::Omit) => {
                    execution.output = Output {
                        dropped_bytes: execution.output.dropped_bytes,
                        ..Output::default()
                    };
                }
                (None, Outputs::Include) => {}
            }
        }
        Ok(executions)
    }

    /// The executions that run: the store does not know them from those that wait.
    async fn running(
        &self,
        account: AccountId,
        filter: &ExecutionFilter,
        page: ExecutionPage,
        outputs: Outputs,
    ) -> Result<Vec<Execution>, Error> {
        let late = self.inner.late_outputs(account);
        let ids = self.inner.floor.lock().running(account);
        let limit = page.limit.clamp(1, PAGE_MAX) as usize;
        let mut executions = Vec::new();
        // As many as run at once, which is bounded.
        for id in ids {
            if executions.len() == limit {
                break;
            }
            if page.after.is_some_and(|after| id >= after) {
                continue;
            }
            // It may be over by now, or even gone.
            let Some(mut execution) = self.inner.without_output(account, id).await? else {
                continue;
            };
            let live = self.inner.complete(&mut execution, &late);
            let hook = execution.hook.map(|hook| hook.id);
            let wanted = execution.state == State::Running
                && filter.task.is_none_or(|task| task == execution.task)
                && filter.hook.is_none_or(|wanted| hook == Some(wanted))
                && !filter.dead;
            if wanted {
                if let (Some(live), Outputs::Include) = (live, outputs) {
                    self.inner.copy(&live, account, &mut execution)?;
                }
                executions.push(execution);
            }
        }
        if filter.task.is_some() {
            executions.reverse();
        }
        Ok(executions)
    }

    /// Reads a task alone.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn task_without_executions(
        &self,
        account: AccountId,
        key: Key<TaskId>,
    ) -> Result<Task, Error> {
        let mut task = self
            .inner
            .store
            .task(account, key)
            .await?
            .ok_or_else(|| Error::not_found(Noun::Task, key))?;
        if let Some(loaded) = self.inner.floor.lock().task(task.id) {
            loaded.complete_task(&mut task);
        }
        Ok(task)
    }
}

impl Inner {
    async fn without_output(
        &self,
        account: AccountId,
        id: ExecutionId,
    ) -> Result<Option<Execution>, Error> {
        let found = self.store.execution_within(account, id, 0).await?;
        Ok(found.map(|(execution, _)| execution))
    }

    /// Copies what was printed so far. The copy is the account's memory until it is gone.
    fn copy(
        &self,
        live: &Live,
        account: AccountId,
        execution: &mut Execution,
    ) -> Result<(), Error> {
        let so_far = live.so_far(|bytes| {
            let bytes = if bytes > SMALL_BYTES { bytes } else { 0 };
            let memory = Amounts::of(Resource::Memory, bytes);
            let taken = self.engine.ledger().take(account.holder(), memory);
            taken.map_err(|shortage| Error::Shortage { shortage })
        })?;
        execution.output = Output {
            dropped_bytes: execution.output.dropped_bytes,
            ..so_far
        };
        Ok(())
    }

    /// Completes what the store knows of an execution with what runs of it, and with what
    /// it has printed that is not stored yet. Returns where that prints to.
    fn complete(&self, execution: &mut Execution, late: &LateOutputs) -> Option<Arc<Live>> {
        execution.due_at = execution.due_at.map(|due| self.timepiece.shown(due));
        let floor = self.floor.lock();
        let running = floor
            .task(execution.task)
            .and_then(|task| task.complete(execution));
        running.or_else(|| late.complete(execution))
    }

    fn late_outputs(&self, account: AccountId) -> LateOutputs {
        self.floor.lock().late_outputs(account)
    }
}
