//! Reading executions: what is stored, completed by what runs.

use std::sync::Arc;

use tenterhook_ledger::{Amounts, Resource};

use crate::dispatcher::Core;
use crate::error::{Error, Noun};
use crate::id::{AccountId, ExecutionId};
use crate::page::{ExecutionFilter, ExecutionPage, Outputs, PAGE_MAX};
use crate::runs::execution::{Execution, Output, State};
use crate::runs::kept_output::KeptOutput;
use crate::runs::live::Live;
use crate::runs::scheduler::LateOutputs;

/// Output that is copied uncharged: it is in what every request is charged with.
const SMALL_BYTES: u64 = 16 * 1024;

/// Executions: see [`Dispatcher::executions`](crate::Dispatcher::executions).
#[derive(Clone, Copy)]
pub struct Executions<'a> {
    pub(crate) core: &'a Arc<Core>,
}

impl Executions<'_> {
    /// Reads an execution with its output.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn get(self, account: AccountId, id: ExecutionId) -> Result<Execution, Error> {
        let late = self.core.late_outputs(account);
        let mut execution = self
            .core
            .store
            .execution(account, id)
            .await?
            .ok_or_else(|| Error::not_found(Noun::Execution, id))?;
        if let Some(live) = self.core.complete(&mut execution, &late) {
            self.core.copy(&live, account, &mut execution)?;
        }
        Ok(execution)
    }

    /// Reads an execution without what it has printed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn get_without_output(
        self,
        account: AccountId,
        id: ExecutionId,
    ) -> Result<Execution, Error> {
        let late = self.core.late_outputs(account);
        let found = self.core.without_output(account, id).await?;
        let mut execution = found.ok_or_else(|| Error::not_found(Noun::Execution, id))?;
        self.core.complete(&mut execution, &late);
        Ok(execution)
    }

    /// Reads an execution. Its output comes with it if it is no more than `most` bytes;
    /// else it is to be read in pieces.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn get_within(
        self,
        account: AccountId,
        id: ExecutionId,
        most: u64,
    ) -> Result<(Execution, Option<KeptOutput>), Error> {
        let late = self.core.late_outputs(account);
        let found = self.core.store.execution_within(account, id, most).await?;
        let (mut execution, sizes) = found.ok_or_else(|| Error::not_found(Noun::Execution, id))?;
        let live = self.core.complete(&mut execution, &late);
        if let Some(live) = &live {
            self.core.copy(live, account, &mut execution)?;
        }
        let is_left_out = live.is_none() && sizes.total() > most;
        let kept = is_left_out.then(|| {
            KeptOutput::new(
                Arc::clone(&self.core.store),
                account,
                (id, execution.latest.attempt),
                sizes,
            )
        });
        Ok((execution, kept))
    }

    /// Lists executions, newest first; those of one task in execution order,
    /// all of them.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn list(
        self,
        account: AccountId,
        filter: &ExecutionFilter,
        page: ExecutionPage,
        outputs: Outputs,
    ) -> Result<Vec<Execution>, Error> {
        if filter.state == Some(State::Running) {
            return self.running(account, filter, page, outputs).await;
        }
        let late = self.core.late_outputs(account);
        let mut executions = self
            .core
            .store
            .executions(account, filter, page, outputs)
            .await?;
        for execution in &mut executions {
            let live = self.core.complete(execution, &late);
            match (live, outputs) {
                (Some(live), Outputs::Include) => self.core.copy(&live, account, execution)?,
                (_, Outputs::Omit) => {
                    execution.latest.output = Output {
                        dropped_bytes: execution.latest.output.dropped_bytes,
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
        let late = self.core.late_outputs(account);
        let ids = self.core.scheduler.lock().running(account);
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
            // It may have finished, or even been removed.
            let Some(mut execution) = self.core.without_output(account, id).await? else {
                continue;
            };
            let live = self.core.complete(&mut execution, &late);
            let hook = execution.hook.map(|hook| hook.id);
            let wanted = execution.state == State::Running
                && filter.task.is_none_or(|task| task == execution.task)
                && filter.hook.is_none_or(|wanted| hook == Some(wanted))
                && !filter.dead;
            if wanted {
                if let (Some(live), Outputs::Include) = (live, outputs) {
                    self.core.copy(&live, account, &mut execution)?;
                }
                executions.push(execution);
            }
        }
        if filter.task.is_some() {
            executions.reverse();
        }
        Ok(executions)
    }
}

impl Core {
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
        execution.latest.output = Output {
            dropped_bytes: execution.latest.output.dropped_bytes,
            ..so_far
        };
        Ok(())
    }

    /// Completes what the store knows of an execution with what runs of it, and with what
    /// it has printed that is not stored yet. Returns where that prints to.
    fn complete(&self, execution: &mut Execution, late: &LateOutputs) -> Option<Arc<Live>> {
        execution.due_at = execution.due_at.map(|due| self.timepiece.shown(due));
        let scheduler = self.scheduler.lock();
        let running = scheduler
            .task(execution.task)
            .and_then(|task| task.complete(execution));
        running.or_else(|| late.complete(execution))
    }

    fn late_outputs(&self, account: AccountId) -> LateOutputs {
        self.scheduler.lock().late_outputs(account)
    }
}
