//! Executions and their output, in the store, for reading. Results are recorded by
//! [`ResultStore`](super::ResultStore).

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Error;
use crate::id::{AccountId, ExecutionId, Key, TaskId};
use crate::page::{ExecutionFilter, ExecutionPage, Outputs};
use crate::runs::execution::{AttemptRecord, Execution};
use crate::runs::kept_output::{OutputPart, OutputSizes};
use crate::runs::replay::Repeatable;

/// Executions and their output, for reading.
#[async_trait]
pub trait ExecutionStore: Send + Sync {
    /// Reads an execution with its output.
    async fn execution(
        &self,
        account: AccountId,
        id: ExecutionId,
    ) -> Result<Option<Execution>, Error>;

    /// Reads an execution with its output if that is no more than `most` bytes, and
    /// without it otherwise; and how much there is.
    async fn execution_within(
        &self,
        account: AccountId,
        id: ExecutionId,
        most: u64,
    ) -> Result<Option<(Execution, OutputSizes)>, Error>;

    /// Returns how many bytes of output are stored of a task's executions; 0 for an unknown
    /// task.
    async fn outputs_bytes(&self, account: AccountId, key: Key<TaskId>) -> Result<u64, Error>;

    /// Lists the attempts of an execution that have ended and are kept, the first one first,
    /// without their output, and how much each has printed.
    ///
    /// Every attempt is kept, the newest [`EARLIER_ATTEMPTS_MAX`] beside the last, until its
    /// execution is removed; it is charged to the account like the execution itself.
    ///
    /// [`EARLIER_ATTEMPTS_MAX`]: crate::EARLIER_ATTEMPTS_MAX
    async fn attempts(
        &self,
        account: AccountId,
        id: ExecutionId,
    ) -> Result<Vec<(AttemptRecord, OutputSizes)>, Error>;

    /// Reads one of these attempts with its output if that is no more than `most` bytes, and
    /// without it otherwise; and how much there is.
    async fn attempt_within(
        &self,
        account: AccountId,
        id: ExecutionId,
        attempt: u32,
        most: u64,
    ) -> Result<Option<(AttemptRecord, OutputSizes)>, Error>;

    /// Reads an execution with what its attempts are given.
    async fn repeatable(
        &self,
        account: AccountId,
        id: ExecutionId,
    ) -> Result<Option<Repeatable>, Error>;

    /// Reads a part of an output. `None` if there is no such attempt of it (any more).
    async fn output_part(
        &self,
        account: AccountId,
        part: OutputPart,
    ) -> Result<Option<Bytes>, Error>;

    /// Lists executions, newest first; those of one task in run order, whatever
    /// the page's limit is.
    async fn executions(
        &self,
        account: AccountId,
        filter: &ExecutionFilter,
        page: ExecutionPage,
        outputs: Outputs,
    ) -> Result<Vec<Execution>, Error>;
}
