//! Which part of a long list a caller wants.

use time::OffsetDateTime;

use crate::id::{ExecutionId, HookId, TaskId};
use crate::runs::execution::State;

/// Most items that one list call returns, whatever was requested.
pub const PAGE_MAX: u32 = 1_000;

/// Most sources, hooks, servers or tokens that one account may have.
///
/// It bounds the lists that are answered whole and the index kept in memory;
/// ten thousand hooks are within it.
pub const ACCOUNT_MAX: u32 = 20_000;

/// Where a list goes on, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<I> {
    /// The last item of the page before; `None` begins at the newest.
    pub after: Option<I>,
    /// Most items wanted; held to 1 … [`PAGE_MAX`].
    pub limit: u32,
}

impl<I> Page<I> {
    /// The newest `limit` items.
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }
}

/// Which tasks of an account are wanted. The default wants all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Only those that are not over.
    pub active: bool,
    /// Only those caused by events of this type.
    pub event: Option<String>,
    /// Only those made at this time or later.
    pub since: Option<OffsetDateTime>,
    /// Only those made before this time.
    pub until: Option<OffsetDateTime>,
}

/// Which executions of an account are wanted. The default wants all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionFilter {
    /// Only those of this task.
    pub task: Option<TaskId>,
    /// Only those of this hook.
    pub hook: Option<HookId>,
    /// Only those in this state. Those that are running are among the waiting: only
    /// the dispatcher knows the difference, and it answers [`State::Running`].
    pub state: Option<State>,
    /// Only those that failed for good after all their retries.
    pub dead: bool,
}

/// Most bytes that a list of one task's executions carries of what they printed.
///
/// A task may have thousands of executions with up to 16 MiB of output each; what
/// does not fit here is read one execution at a time.
pub const OUTPUTS_MAX_BYTES: u64 = 32 << 20;

/// Whether a list carries what the executions printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// Leave it out.
    Omit,
    /// Carry it, for the executions of one task and up to [`OUTPUTS_MAX_BYTES`]
    /// in all; what is left out counts as dropped. Elsewhere it is left out.
    Include,
}

/// A page of executions goes on after this one.
pub type ExecutionPage = Page<ExecutionId>;

/// A page of tasks goes on after this one.
pub type TaskPage = Page<TaskId>;
