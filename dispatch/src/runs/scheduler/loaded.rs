//! One task in memory: its lanes, what runs of it, and what has become of the rest.

use std::collections::VecDeque;
use std::sync::Arc;

use tenterhook_clock::Moment;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::Reserved;
use crate::id::{AccountId, ExecutionId, HookId, TaskId};
use crate::runs::environment::Context;
use crate::runs::execution::{AttemptRecord, Execution, State};
use crate::runs::live::Live;
use crate::runs::task::Task;
use crate::runs::work::ClaimedExecution;

/// A task to load.
pub(crate) struct Load {
    pub(crate) id: TaskId,
    pub(crate) reserved: Reserved,
    pub(crate) context: Arc<Context>,
    pub(crate) executions: Vec<ClaimedExecution>,
    /// States of the finished executions.
    pub(crate) over: Vec<State>,
    pub(crate) started_at: Option<OffsetDateTime>,
    pub(crate) cancelled: bool,
    /// Hooks of its executions that were deleted since it was planned.
    pub(crate) deleted_hooks: Vec<HookId>,
    /// The task as it was made; `None` if it was read back, and then those who
    /// wait for it read it back too.
    pub(crate) task: Option<Task>,
}

/// One task in memory.
pub(crate) struct Loaded {
    pub(super) account: AccountId,
    pub(super) reserved: Option<Reserved>,
    pub(super) context: Arc<Context>,
    pub(super) lanes: Vec<Lane>,
    /// Executions that are not over.
    pub(super) open: usize,
    pub(super) over: Vec<State>,
    pub(super) started_at: Option<OffsetDateTime>,
    pub(super) cancelled: bool,
    /// Hooks that were deleted; what runs of theirs is not tried again.
    pub(super) deleted_hooks: Vec<HookId>,
    /// Attempts that run, and those whose end is not stored yet.
    pub(super) running: Vec<Running>,
    pub(super) leaving: Leaving,
    /// What waiters get without a read from the store.
    pub(super) kept: Option<Kept>,
}

/// The task and its finished executions, while they are small.
pub(super) struct Kept {
    pub(super) task: Task,
    pub(super) executions: Vec<Execution>,
    /// The order in which the executions were planned.
    pub(super) order: Vec<ExecutionId>,
    pub(super) bytes: usize,
}

/// Whether a task is on its way out of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    No,
    /// It is finished.
    Ended,
    /// Nothing of it can run before this time.
    Parked(OffsetDateTime),
}

/// An attempt that runs, or whose end is not stored yet.
pub(super) struct Running {
    pub(super) id: ExecutionId,
    pub(super) attempt: u32,
    pub(super) started_at: OffsetDateTime,
    pub(super) cancel: CancellationToken,
    pub(super) cancelled: bool,
    pub(super) live: Arc<Live>,
}

/// The executions of a task for one target.
pub(crate) struct Lane {
    rest: VecDeque<ClaimedExecution>,
    /// Until when the first execution waits to be tried again.
    due: Option<Moment>,
    status: LaneStatus,
}

/// What a lane is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LaneStatus {
    /// Its first execution waits for its turn.
    Queued,
    /// Its first execution runs.
    Running,
    /// Its first execution waits to be tried again.
    Parked(Moment),
    /// All its executions have finished.
    Over,
}

impl Lane {
    /// Looks at the first execution: whether it may run now.
    pub(super) fn refresh(&mut self, now: Moment) -> LaneStatus {
        self.status = match (self.rest.front(), self.due) {
            (None, _) => LaneStatus::Over,
            (_, Some(due)) if due.steady > now.steady => LaneStatus::Parked(due),
            _ => LaneStatus::Queued,
        };
        self.status
    }

    /// Lets the first execution run, if it waited to be tried again until now.
    pub(super) fn wake(&mut self, now: Moment) -> bool {
        matches!(self.status, LaneStatus::Parked(_)) && self.refresh(now) == LaneStatus::Queued
    }

    /// The first execution, if it waits for its turn.
    pub(super) fn next(&self) -> Option<&ClaimedExecution> {
        match self.status {
            LaneStatus::Queued => self.rest.front(),
            LaneStatus::Running | LaneStatus::Parked(_) | LaneStatus::Over => None,
        }
    }

    /// Marks the first execution as running, if it waits for its turn.
    pub(super) fn begin(&mut self) -> Option<&ClaimedExecution> {
        if self.status != LaneStatus::Queued {
            return None;
        }
        let first = self.rest.front()?;
        self.status = LaneStatus::Running;
        Some(first)
    }

    pub(super) fn first_mut(&mut self) -> Option<&mut ClaimedExecution> {
        self.rest.front_mut()
    }

    /// Lets the first execution wait to be tried again.
    pub(super) fn waits_until(&mut self, due: Option<Moment>) {
        self.due = due;
    }

    pub(super) fn pop(&mut self) -> Option<ClaimedExecution> {
        self.due = None;
        self.rest.pop_front()
    }

    /// Takes out the executions that do not run and that `wanted` names.
    ///
    /// Also returns whether the lane has to be queued: what it waited for is gone.
    pub(super) fn take_waiting(
        &mut self,
        wanted: impl Fn(&ClaimedExecution) -> bool,
        now: Moment,
    ) -> (Vec<ClaimedExecution>, bool) {
        let runs = self.status == LaneStatus::Running;
        let mut taken = Vec::new();
        let mut at = usize::from(runs);
        while let Some(execution) = self.rest.get(at) {
            if wanted(execution) {
                if at == 0 {
                    self.due = None;
                }
                taken.extend(self.rest.remove(at));
            } else {
                at += 1;
            }
        }
        let freed = self.wake(now);
        if self.rest.is_empty() {
            self.status = LaneStatus::Over;
        }
        (taken, freed)
    }

    /// Whether one of its executions that are not over is wanted.
    pub(super) fn has(&self, wanted: impl Fn(&ClaimedExecution) -> bool) -> bool {
        self.rest.iter().any(wanted)
    }

    fn waiting(&self) -> usize {
        self.rest.len() - usize::from(self.status == LaneStatus::Running)
    }
}

impl Loaded {
    /// Takes a task in, at `now` as stored waits have it.
    pub(super) fn new(load: Load, now: Moment) -> Self {
        let open = load.executions.len();
        let order = load
            .executions
            .iter()
            .map(|execution| execution.new.id)
            .collect();
        let mut lanes: Vec<Lane> = Vec::new();
        let mut last = None;
        for execution in load.executions {
            if last != Some(execution.new.lane) {
                last = Some(execution.new.lane);
                lanes.push(Lane {
                    rest: VecDeque::new(),
                    due: execution
                        .due_at
                        .map(|due_at| now.after(now.until(due_at, execution.longest_wait()))),
                    status: LaneStatus::Queued,
                });
            }
            let lane = lanes.last_mut().expect("one was pushed above");
            lane.rest.push_back(execution);
        }
        Self {
            account: load.reserved.account,
            reserved: Some(load.reserved),
            context: load.context,
            lanes,
            open,
            over: load.over,
            started_at: load.started_at,
            cancelled: load.cancelled,
            deleted_hooks: load.deleted_hooks,
            running: Vec::new(),
            leaving: Leaving::No,
            kept: load.task.map(|task| Kept {
                task,
                executions: Vec::with_capacity(open),
                order,
                bytes: 0,
            }),
        }
    }

    /// The latest attempt of an execution that runs or is not stored yet.
    pub(super) fn latest(&self, id: ExecutionId) -> Option<&Running> {
        self.running
            .iter()
            .filter(|running| running.id == id)
            .max_by_key(|running| running.attempt)
    }

    /// The execution of a lane that runs, or is the next to run.
    pub(super) fn first(&self, lane: usize) -> Option<&ClaimedExecution> {
        self.lanes.get(lane)?.rest.front()
    }

    /// Executions that wait.
    pub(super) fn waiting(&self) -> usize {
        self.lanes.iter().map(Lane::waiting).sum()
    }

    /// How much of what its attempts print is in memory.
    pub(crate) fn printed_bytes(&self) -> u64 {
        let running = self.running.iter();
        running.map(|running| running.live.printed_bytes()).sum()
    }

    /// When the first lane that waits to be tried again may, if no lane can run.
    pub(super) fn parked_until(&self) -> Option<Moment> {
        let mut until: Option<Moment> = None;
        for lane in &self.lanes {
            match lane.status {
                LaneStatus::Queued | LaneStatus::Running => return None,
                LaneStatus::Parked(due) => until = Some(until.map_or(due, |first| first.min(due))),
                LaneStatus::Over => {}
            }
        }
        until
    }

    /// Completes what the store knows of an execution with what runs of it. What that
    /// has printed is to be taken from where it prints to, once no lock is held.
    pub(crate) fn complete(&self, execution: &mut Execution) -> Option<Arc<Live>> {
        let running = self.latest(execution.id)?;
        if execution.state == State::Waiting {
            execution.state = State::Running;
            execution.latest = AttemptRecord {
                attempt: running.attempt,
                started_at: Some(running.started_at),
                ..AttemptRecord::default()
            };
            execution.so_far = running.live.gauge.so_far();
            execution.due_at = None;
            return Some(Arc::clone(&running.live));
        }
        None
    }

    /// Completes what the store knows of a task with what runs of it.
    pub(crate) fn complete_task(&self, task: &mut Task) {
        if !task.state.is_over() && !self.running.is_empty() {
            task.state = State::Running;
            task.started_at = task.started_at.or(self.started_at);
        }
    }
}
