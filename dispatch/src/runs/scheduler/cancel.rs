//! Cancelling tasks and executions that are in memory.

use tenterhook_clock::Moment;
use time::OffsetDateTime;

use super::Scheduler;
use super::loaded::{Leaving, Loaded};
use crate::id::{ExecutionId, TaskId};
use crate::runs::execution::{Output, State};
use crate::runs::work::{Attempt, ClaimedExecution, Settlement, TaskChange};

/// Attempts that may take the server with them before an execution is dead. One can
/// happen beside another that is to blame; twice as a suspect, which runs alone, is no
/// coincidence.
const CRASHES_MAX: u32 = 3;

impl Scheduler {
    /// Cancels a task: what waits is over at once, what runs is told to end.
    /// `None` if it is not here.
    pub(crate) fn cancel(&mut self, task: TaskId, now: Moment) -> Option<Vec<Settlement>> {
        let loaded = self.tasks.get_mut(&task)?;
        if loaded.leaving != Leaving::No {
            return Some(Vec::new());
        }
        loaded.cancelled = true;
        for running in &mut loaded.running {
            running.cancelled = true;
            running.cancel.cancel();
        }
        Some(loaded.end_waiting(task, |_| true, cancelled, now).0)
    }

    /// Cancels one execution. `None` if it is not here.
    pub(crate) fn cancel_execution(
        &mut self,
        task: TaskId,
        id: ExecutionId,
        now: Moment,
    ) -> Option<Vec<Settlement>> {
        let loaded = self.tasks.get_mut(&task)?;
        if loaded.leaving != Leaving::No {
            return Some(Vec::new());
        }
        if let Some(running) = loaded.running.iter_mut().find(|running| running.id == id) {
            running.cancelled = true;
            running.cancel.cancel();
        }
        let (settlements, freed) =
            loaded.end_waiting(task, |other| other.new.id == id, cancelled, now);
        let account = loaded.account;
        for lane in freed {
            self.line_up(account, task, lane);
        }
        Some(settlements)
    }
}

impl Loaded {
    /// Ends the executions that do not run and that `wanted` names. Tells too
    /// which lanes can run now because of it.
    fn end_waiting(
        &mut self,
        task: TaskId,
        wanted: impl Fn(&ClaimedExecution) -> bool,
        attempt: impl Fn(&ClaimedExecution, OffsetDateTime) -> Attempt,
        now: Moment,
    ) -> (Vec<Settlement>, Vec<usize>) {
        let (mut settlements, mut freed) = (Vec::new(), Vec::new());
        for lane in 0..self.lanes.len() {
            let (taken, is_free) = self.lanes[lane].take_waiting(&wanted, now);
            freed.extend(is_free.then_some(lane));
            for execution in taken {
                let attempt = attempt(&execution, now.wall);
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
            last.task_change = self.change(now.wall);
        }
        (settlements, freed)
    }

    /// Ends the executions that have taken the server with them too often.
    pub(super) fn give_up_on_killers(&mut self, task: TaskId, now: Moment) -> Vec<Settlement> {
        let is_killer = |execution: &ClaimedExecution| execution.crashes >= CRASHES_MAX;
        self.end_waiting(task, is_killer, killer, now).0
    }
}

/// An execution that is not tried again.
fn killer(execution: &ClaimedExecution, now: OffsetDateTime) -> Attempt {
    let crashes = execution.crashes;
    Attempt {
        state: State::Failed,
        dead: true,
        error: Some(format!(
            "the server was killed while it ran, {crashes} times; it is not tried again by itself"
        )),
        ..cancelled(execution, now)
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
        wait: None,
    }
}
