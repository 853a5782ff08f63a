//! The results of attempts, in the store: recording them, and reading those of a page of tasks.

use std::collections::HashMap;

use async_trait::async_trait;
use tenterhook_engine::Verdict;

use crate::error::Error;
use crate::id::{AccountId, TaskId};
use crate::runs::endings::Endings;
use crate::runs::work::{LateOutput, Settlement};
use crate::store::Queued;

/// The results of attempts.
#[async_trait]
pub trait ResultStore: Send + Sync {
    /// Records the result of an attempt. It is queued when the call returns; results take
    /// effect in call order.
    ///
    /// A task neither ends nor rests before the outcomes of its executions are stored:
    /// where one of them could not be, the settlement that would have ended the task
    /// fails too, and both must be retried. A result that is late, for an execution that
    /// has ended or begun another attempt, changes nothing.
    fn record_result(&self, settlement: Settlement) -> Queued<()>;

    /// Stores the output of a cancelled attempt after its end. Does nothing if that end is not
    /// stored any more.
    async fn keep_output(&self, late: LateOutput) -> Result<(), Error>;

    /// Returns how the executions of tasks have ended, in one query. A task of which there is
    /// nothing to report is left out.
    async fn endings(
        &self,
        account: AccountId,
        tasks: Vec<TaskId>,
    ) -> Result<HashMap<TaskId, Endings>, Error>;

    /// Reads the verdicts of the finished executions of tasks, in one query and in run order.
    async fn verdicts(
        &self,
        account: AccountId,
        tasks: Vec<TaskId>,
    ) -> Result<HashMap<TaskId, Vec<Verdict>>, Error>;
}
