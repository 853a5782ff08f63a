//! Cancelling tasks and executions that are in memory.

use tenterhook_clock::Moment;
use time::OffsetDateTime;

use super::Scheduler;
use super::loaded::{Leaving, Loaded};
use crate::id::{AccountId, ExecutionId, HookId, TaskId};
use crate::runs::execution::{AttemptRecord, State};
use crate::runs::work::{Attempt, ClaimedExecution, Settlement, TaskChange};

/// Attempts that may take the server with them before an execution is dead. One can
/// happen beside another that is to blame; twice as a suspect, which runs alone, is no
/// coincidence.
const CRASHES_MAX: u32 = 3;

impl Scheduler {
    /// Cancels a task: waiting executions finish at once, running ones are signalled to end.
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

    /// Cancels what waits of a hook that was deleted. What runs may end, and is not tried
    /// again.
    pub(crate) fn cancel_hook(
        &mut self,
        account: AccountId,
        hook: HookId,
        now: Moment,
    ) -> Vec<Settlement> {
        let (mut settlements, mut freed) = (Vec::new(), Vec::new());
        for (task, loaded) in &mut self.tasks {
            if loaded.account != account || loaded.leaving != Leaving::No || !loaded.has_of(hook) {
                continue;
            }
            loaded.deleted_hooks.push(hook);
            let is_its = |other: &ClaimedExecution| is_of(other, &[hook]);
            let (ended, lanes) = loaded.end_waiting(*task, is_its, without_hook, now);
            settlements.extend(ended);
            freed.extend(lanes.into_iter().map(|lane| (*task, lane)));
        }
        for (task, lane) in freed {
            self.line_up(account, task, lane);
        }
        settlements
    }
}

impl Loaded {
    /// Whether it has an execution of a hook that is not over.
    fn has_of(&self, hook: HookId) -> bool {
        self.lanes
            .iter()
            .any(|lane| lane.has(|one| is_of(one, &[hook])))
    }

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

    /// Ends the executions that have taken the server with them too often, and those whose
    /// hooks were deleted.
    pub(super) fn give_up(&mut self, task: TaskId, now: Moment) -> Vec<Settlement> {
        let deleted = self.deleted_hooks.clone();
        let is_killer = |execution: &ClaimedExecution| execution.crashes >= CRASHES_MAX;
        let wanted = |one: &ClaimedExecution| is_killer(one) || is_of(one, &deleted);
        let attempt = |one: &ClaimedExecution, now| match is_of(one, &deleted) {
            true => without_hook(one, now),
            false => killer(one, now),
        };
        self.end_waiting(task, wanted, attempt, now).0
    }
}

/// Why an execution is cancelled whose hook is gone.
pub(crate) const HOOK_DELETED: &str = "its hook was deleted";

/// Whether an execution is one of these hooks'.
pub(super) fn is_of(execution: &ClaimedExecution, hooks: &[HookId]) -> bool {
    let hook = execution.new.hook;
    hook.is_some_and(|hook| hooks.contains(&hook.id))
}

fn without_hook(execution: &ClaimedExecution, now: OffsetDateTime) -> Attempt {
    let mut attempt = cancelled(execution, now);
    attempt.record.error = Some(HOOK_DELETED.into());
    attempt
}

/// An execution that is not tried again.
fn killer(execution: &ClaimedExecution, now: OffsetDateTime) -> Attempt {
    let crashes = execution.crashes;
    let mut attempt = cancelled(execution, now);
    (attempt.state, attempt.dead) = (State::Failed, true);
    attempt.record.error = Some(format!(
        "the server was killed while it ran, {crashes} times; it is not tried again by itself"
    ));
    attempt
}

fn cancelled(execution: &ClaimedExecution, now: OffsetDateTime) -> Attempt {
    Attempt {
        id: execution.new.id,
        state: State::Canceled,
        record: AttemptRecord {
            attempt: execution.attempt,
            ended_at: Some(now),
            ..AttemptRecord::default()
        },
        failures: execution.failures,
        dead: false,
        due_at: None,
        wait: None,
    }
}
