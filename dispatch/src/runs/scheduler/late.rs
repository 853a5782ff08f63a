//! Outputs that are stored after the end of their attempts: long ones of cancelled runs.
//!
//! A cancelled run is finished when its end is stored, and others may be cancelled with it: none
//! of them waits until all that they have printed is written. Nothing of the output is
//! promised until then, and the stored end records that it is missing.

use std::sync::Arc;

use super::Scheduler;
use super::finish::KEPT_BYTES;
use crate::id::{AccountId, ExecutionId, TaskId};
use crate::runs::execution::{Execution, Output, State};
use crate::runs::live::Live;
use crate::runs::work::{LateOutput, Settlement};

/// An output that is still to be stored.
#[derive(Clone)]
pub(super) struct Late {
    account: AccountId,
    task: TaskId,
    execution: ExecutionId,
    attempt: u32,
    /// The output.
    live: Arc<Live>,
    /// How much more was dropped.
    dropped_bytes: u64,
}

/// Those of one account, as they were when they were asked for.
pub(crate) struct LateOutputs(Vec<Late>);

impl Scheduler {
    /// Takes the output out of what is stored of a cancelled attempt, if it is long. It is
    /// shown from memory until it is stored.
    pub(crate) fn put_off_output(
        &mut self,
        settlement: &mut Settlement,
        live: &Arc<Live>,
    ) -> Option<LateOutput> {
        let attempt = settlement.execution.as_mut()?;
        let printed = attempt.record.output.stdout.len() + attempt.record.output.stderr.len();
        if attempt.state != State::Canceled || printed <= KEPT_BYTES {
            return None;
        }
        let missing = Output {
            dropped_bytes: attempt.record.output.dropped_bytes + printed as u64,
            ..Output::default()
        };
        let output = std::mem::replace(&mut attempt.record.output, missing);
        self.late.push(Late {
            account: settlement.account,
            task: settlement.task,
            execution: attempt.id,
            attempt: attempt.record.attempt,
            live: Arc::clone(live),
            dropped_bytes: output.dropped_bytes,
        });
        Some(LateOutput {
            account: settlement.account,
            execution: attempt.id,
            attempt: attempt.record.attempt,
            output,
        })
    }

    /// Takes note that an output is stored, or that it never will be.
    pub(crate) fn forget_late(&mut self, output: &LateOutput) {
        self.late.retain(|late| !late.is_of(output));
    }

    /// The account's outputs that are still to be stored. To be asked for before the store
    /// is, or one could be missed that is stored in between.
    pub(crate) fn late_outputs(&self, account: AccountId) -> LateOutputs {
        let own = self.late.iter().filter(|late| late.account == account);
        LateOutputs(own.cloned().collect())
    }

    /// The account's tasks that have outputs still to be stored, with how much.
    pub(super) fn late_bytes(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = (TaskId, u64)> + '_ {
        let own = self.late.iter().filter(move |late| late.account == account);
        own.map(|late| (late.task, late.live.printed_bytes()))
    }
}

impl Late {
    fn is_of(&self, output: &LateOutput) -> bool {
        (self.execution, self.attempt) == (output.execution, output.attempt)
    }
}

impl LateOutputs {
    /// Completes what the store knows of an execution whose end is stored and whose output
    /// is not. Returns where that is to be taken from, once no lock is held.
    pub(crate) fn complete(&self, execution: &mut Execution) -> Option<Arc<Live>> {
        let late = self.0.iter().find(|late| {
            execution.state.is_over()
                && (late.execution, late.attempt) == (execution.id, execution.latest.attempt)
        })?;
        execution.latest.output = Output {
            dropped_bytes: late.dropped_bytes,
            ..Output::default()
        };
        Some(Arc::clone(&late.live))
    }
}
