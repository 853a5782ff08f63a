//! Cancelling tasks and executions that are in memory.

use time::OffsetDateTime;

use super::loaded::{Leaving, Loaded};
use super::{Floor, Turn};
use crate::execution::{Output, State};
use crate::id::{ExecutionId, TaskId};
use crate::work::{Attempt, ClaimedExecution, Settlement, TaskChange};

impl Floor {
    /// Cancels a task: what waits is over at once, what runs is told to end.
    /// `None` if it is not here.
    pub(crate) fn cancel(&mut self, task: TaskId, now: OffsetDateTime) -> Option<Vec<Settlement>> {
        let loaded = self.tasks.get_mut(&task)?;
        if loaded.leaving != Leaving::No {
            return Some(Vec::new());
        }
        loaded.cancelled = true;
        for running in &mut loaded.running {
            running.cancelled = true;
            running.cancel.cancel();
        }
        Some(loaded.cancel_waiting(task, |_| true, now).0)
    }

    /// Cancels one execution. `None` if it is not here.
    pub(crate) fn cancel_execution(
        &mut self,
        task: TaskId,
        id: ExecutionId,
        now: OffsetDateTime,
    ) -> Option<Vec<Settlement>> {
        let loaded = self.tasks.get_mut(&task)?;
        if loaded.leaving != Leaving::No {
            return Some(Vec::new());
        }
        if let Some(running) = loaded.running.iter_mut().find(|running| running.id == id) {
            running.cancelled = true;
            running.cancel.cancel();
        }
        let (settlements, freed) = loaded.cancel_waiting(task, |other| other == id, now);
        for lane in freed {
            self.queue.push(loaded.account, Turn::new(task, lane));
        }
        Some(settlements)
    }
}

impl Loaded {
    /// Ends the executions that do not run and that `wanted` names. Tells too
    /// which lanes can run by now because of it.
    fn cancel_waiting(
        &mut self,
        task: TaskId,
        wanted: impl Fn(ExecutionId) -> bool,
        now: OffsetDateTime,
    ) -> (Vec<Settlement>, Vec<usize>) {
        let (mut settlements, mut freed) = (Vec::new(), Vec::new());
        for lane in 0..self.lanes.len() {
            let (taken, is_free) = self.lanes[lane].take_waiting(&wanted, now);
            freed.extend(is_free.then_some(lane));
            for execution in taken {
                let attempt = cancelled(&execution, now);
                self.end(&execution, &attempt);
                settlements.push(Settlement {
                    account: self.account,
                    task,
                    execution: Some(attempt),
                    task_change: TaskChange::None,
                });
            }
        }
        // Taking the last one may end the task, or leave only lanes that wait.
        if let Some(last) = settlements.last_mut() {
            last.task_change = self.change(now);
        }
        (settlements, freed)
    }
}

fn cancelled(execution: &ClaimedExecution, now: OffsetDateTime) -> Attempt {
    Attempt {
        id: execution.new.id,
        state: State::Canceled,
        attempt: execution.attempt,
        failures: execution.failures,
        outcome: None,
        error: None,
        usage: None,
        output: Output::default(),
        verdict: None,
        verdict_fault: None,
        dead: false,
        started_at: None,
        ended_at: Some(now),
        due_at: None,
    }
}
