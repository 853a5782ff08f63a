//! What passes between dispatcher and store while events become executions.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tenterhook_engine::Digest;
use time::OffsetDateTime;

use crate::id::{AccountId, ExecutionId, NodeId, Number, TaskId};
use crate::registry::app::Container;
use crate::registry::recipe::Recipe;
use crate::runs::execution::{AttemptRecord, HookRef, Output, ServerRef, State};
use crate::runs::task::{EventKey, Task};

/// A task to write down, with its executions, before anything is run.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// See [`Task::id`](crate::Task::id).
    pub id: TaskId,
    /// Who it belongs to.
    pub account: AccountId,
    /// See [`Task::name`](crate::Task::name).
    pub name: String,
    /// See [`Task::started_by`](crate::Task::started_by).
    pub started_by: String,
    /// See [`Task::object`](crate::Task::object).
    pub object: Option<String>,
    /// The event, unless it is ad hoc.
    pub event: Option<NewEvent>,
    /// When it came into being.
    pub created_at: OffsetDateTime,
    /// The node that runs it at once; `None` leaves it to be claimed.
    pub owner: Option<NodeId>,
    /// What to run; empty if no hook waits for the event.
    pub executions: Vec<NewExecution>,
    /// Bytes of a program that is not a source, to store with the task.
    pub program: Option<Bytes>,
    /// See [`Execution::warnings`](crate::Execution::warnings).
    pub warnings: Vec<String>,
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// What makes it unique.
    pub key: EventKey,
    /// The SHA-256 of its content, by which one that comes again is known to be the same;
    /// without it, any is.
    pub content: Option<Digest>,
    /// The whole event as JSON.
    pub json: Bytes,
}

/// An execution to write down, `WAITING`.
#[derive(Clone, Debug)]
pub struct NewExecution {
    /// See [`Execution::id`](crate::Execution::id).
    pub id: ExecutionId,
    /// See [`Execution::hook`](crate::Execution::hook).
    pub hook: Option<HookRef>,
    /// What to run and how.
    pub recipe: Arc<Recipe>,
    /// See [`Execution::server`](crate::Execution::server).
    pub server: Option<ServerRef>,
    /// See [`Execution::container`](crate::Execution::container).
    pub container: Option<Container>,
    /// Executions of one lane run one after the other; lanes run side by side.
    pub lane: u32,
}

/// What became of a [`NewTask`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is stored under this number.
    New(Number),
    /// Its event had been accepted before, as this task.
    Repeated(TaskId),
    /// Its event had been accepted before, as a task that is not kept any more: this is
    /// what is remembered of it.
    Remembered(Box<Task>),
}

/// A task that a node has made its own, with the executions that are not over.
#[derive(Clone, Debug)]
pub struct ClaimedTask {
    /// Its identifier.
    pub id: TaskId,
    /// Its number.
    pub number: Number,
    /// Who it belongs to.
    pub account: AccountId,
    /// The event, unless it is ad hoc.
    pub event: Option<NewEvent>,
    /// Whether it was asked to be cancelled.
    pub cancelled: bool,
    /// When it came into being.
    pub created_at: OffsetDateTime,
    /// Its unfinished executions, in execution order.
    pub executions: Vec<ClaimedExecution>,
    /// States of the finished ones.
    pub over: Vec<State>,
    /// When its first execution began, if one did.
    pub started_at: Option<OffsetDateTime>,
}

/// What a claim has brought.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// The tasks, oldest first.
    pub tasks: Vec<ClaimedTask>,
    /// When the first of the account's remaining tasks is due.
    pub next_due_at: Option<OffsetDateTime>,
    /// Tasks that cannot be read. They have failed and are not claimed again.
    pub set_aside: Vec<SetAside>,
}

/// A task that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is stored.
    pub seq: i64,
    /// Its identifier, if that at least could be read.
    pub task: Option<TaskId>,
    /// What is wrong with it.
    pub reason: String,
}

/// An execution of a [`ClaimedTask`].
#[derive(Clone, Debug)]
pub struct ClaimedExecution {
    /// What was written down.
    pub new: NewExecution,
    /// Attempts that have begun, or may have.
    pub attempt: u32,
    /// Attempts that have ended in failure.
    pub failures: u32,
    /// Attempts that were running when the server was killed.
    pub crashes: u32,
    /// Not to be run before this time.
    pub due_at: Option<OffsetDateTime>,
    /// How long it was to wait until then; `None` if that is not known.
    pub wait: Option<Duration>,
}

impl ClaimedExecution {
    /// The longest that it may have to wait still: the clock may have been set back after
    /// its wait was stored.
    #[must_use]
    pub fn longest_wait(&self) -> Duration {
        let most = || self.new.recipe.content.retry.longest_wait();
        self.wait.unwrap_or_else(most)
    }
}

/// What became of one attempt, and what follows for its task.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// Who it belongs to.
    pub account: AccountId,
    /// The task.
    pub task: TaskId,
    /// The execution; `None` if only the task changes.
    pub execution: Option<Attempt>,
    /// What follows for the task.
    pub task_change: TaskChange,
}

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The execution.
    pub id: ExecutionId,
    /// Over, or waiting to be tried again.
    pub state: State,
    /// How it ended; its end is set once the execution has ended for good.
    pub record: AttemptRecord,
    /// Attempts that have ended in failure, this one included.
    pub failures: u32,
    /// Whether it failed for good after all its retries.
    pub dead: bool,
    /// When it is to be tried again.
    pub due_at: Option<OffsetDateTime>,
    /// How long it waits until then.
    pub wait: Option<Duration>,
}

/// An output that is stored after the end of its attempt, whose output counts as dropped
/// until then.
#[derive(Clone, Debug, PartialEq)]
pub struct LateOutput {
    /// Who it belongs to.
    pub account: AccountId,
    /// The execution.
    pub execution: ExecutionId,
    /// Which attempt has printed it.
    pub attempt: u32,
    /// The output.
    pub output: Output,
}

/// What follows for a task from one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskChange {
    /// It goes on.
    None,
    /// It is finished.
    Ended {
        /// Its final state.
        state: State,
        /// When its first execution began, if one did.
        started_at: Option<OffsetDateTime>,
        /// When.
        at: OffsetDateTime,
    },
    /// Nothing of it can run before this time; any node may claim it then.
    Parked {
        /// Until when it rests.
        until: OffsetDateTime,
        /// Executions of it that are not over.
        open: u32,
    },
}

/// What became of a wish to cancel a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelling {
    /// It was not running; it is finished now.
    Ended,
    /// A node owns it; the wish is noted, and that node must act on it.
    Owned,
    /// It was over before.
    Over,
}

/// Unclaimed work of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// The account.
    pub account: AccountId,
    /// When the first of its tasks is due.
    pub due_at: OffsetDateTime,
}

/// How long and how much finished work is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Finished tasks older than this are removed. Default: 30 days.
    pub age: Duration,
    /// Most finished tasks of one account; the oldest go first. Default: 200,000.
    pub tasks_per_account: u32,
    /// What an account may have on the disk before its oldest finished tasks are
    /// removed. Default: no bound but its share of what there is.
    pub bytes_per_account: u64,
    /// How long an event is known that was accepted, so that it runs nothing when it
    /// comes again: as long as its task is kept, and this long in any case. Default: 30
    /// days.
    pub event_horizon: Duration,
    /// Most events of one account that are known though their tasks are not kept; the
    /// oldest are forgotten first. Default: 1,000,000.
    pub events_per_account: u32,
}

const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Default for Retention {
    fn default() -> Self {
        Self {
            age: MONTH,
            tasks_per_account: 200_000,
            bytes_per_account: u64::MAX,
            event_horizon: MONTH,
            events_per_account: 1_000_000,
        }
    }
}

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Tasks, with their executions.
    pub tasks: u64,
    /// Programs that an account does not refer to any more.
    pub programs: u64,
    /// Tokens that had expired.
    pub tokens: u64,
    /// Rows of all sorts.
    pub rows: u64,
    /// Pages given back to the file system.
    pub pages: u64,
    /// Whether another sweep would find more.
    pub more: bool,
}
