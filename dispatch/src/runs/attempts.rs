//! Every attempt of an execution: how each has ended, and what it has printed.

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Noun};
use crate::id::{AccountId, ExecutionId};
use crate::runs::execution::{AttemptRecord, Execution, Output, State};
use crate::runs::executions::Executions;
use crate::runs::kept_output::KeptOutput;

/// How many attempts are kept beside the last one. Retries are fewer; what is redriven more
/// often than that loses its oldest ones.
pub const EARLIER_ATTEMPTS_MAX: u32 = 32;

impl Executions<'_> {
    /// Lists the attempts of an execution without their output, the first one first: those
    /// that are kept, and the one that runs.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn attempts(
        self,
        account: AccountId,
        execution: &Execution,
    ) -> Result<Vec<AttemptRecord>, Error> {
        let stored = self.core.store.attempts(account, execution.id).await?;
        let mut attempts: Vec<_> = stored.into_iter().map(|(attempt, _)| attempt).collect();
        let last = attempts.last().map_or(0, |last| last.attempt);
        if execution.state == State::Running && last < execution.latest.attempt {
            attempts.push(AttemptRecord {
                output: Output::default(),
                ..execution.latest.clone()
            });
        }
        Ok(attempts)
    }

    /// Reads one attempt. Its output comes with it if it is no more than `most` bytes; else it
    /// is to be read in pieces.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn attempt(
        self,
        account: AccountId,
        id: ExecutionId,
        attempt: u32,
        most: u64,
    ) -> Result<(AttemptRecord, Option<KeptOutput>), Error> {
        let (execution, kept) = self.get_within(account, id, most).await?;
        let store = &self.core.store;
        if attempt == 0 || attempt > execution.latest.attempt {
            return Err(Error::not_found(Noun::Attempt, attempt));
        }
        if attempt == execution.latest.attempt && execution.state == State::Running {
            return Ok((execution.latest, kept));
        }
        let found = store.attempt_within(account, id, attempt, most).await?;
        let (mut record, sizes) = found.ok_or_else(|| Error::not_found(Noun::Attempt, attempt))?;
        // One that is redriven is not the execution's any more.
        if attempt == execution.latest.attempt && execution.has_ended_attempt() {
            // Its output may not be stored yet.
            record.output = execution.latest.output;
            return Ok((record, kept));
        }
        let is_left_out = sizes.total() > most;
        let kept =
            is_left_out.then(|| KeptOutput::new(Arc::clone(store), account, (id, attempt), sizes));
        Ok((record, kept))
    }

    /// Finds the first attempt of `wanted` that is kept, and what it has printed.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn earlier_output(
        self,
        account: AccountId,
        id: ExecutionId,
        wanted: Range<u32>,
    ) -> Result<Option<(u32, KeptOutput)>, Error> {
        let stored = self.core.store.attempts(account, id).await?;
        let found = stored
            .into_iter()
            .find(|(attempt, _)| wanted.contains(&attempt.attempt));
        Ok(found.map(|(AttemptRecord { attempt, .. }, sizes)| {
            let store = Arc::clone(&self.core.store);
            let output = KeptOutput::new(store, account, (id, attempt), sizes);
            (attempt, output)
        }))
    }
}
