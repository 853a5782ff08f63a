//! The nouns, and the way from an event to its hooks' executions.
//!
//! A [`Dispatcher`] stands between the interfaces, which speak HTTP, and a
//! [`Store`], which speaks SQL; it knows neither. It keeps the rules of every
//! noun, plans what an [`Event`](tenterhook_sdk::Event) owes, runs it in the
//! engine and settles the outcome.

mod account;
mod audit;
mod clock;
mod directory;
mod dispatcher;
mod environment;
mod error;
mod execution;
mod fair;
mod floor;
mod hook;
mod hook_point;
mod id;
mod live;
mod page;
mod params;
mod plan;
mod programs;
mod recipe;
mod rehearsal;
mod retry;
mod role;
mod rules;
mod ruling;
mod server;
mod settings;
mod source;
mod store;
mod task;
mod token;
mod uploads;
mod work;

pub use crate::account::Account;
pub use crate::audit::{AuditRecord, Origin};
pub use crate::dispatcher::{Accepted, Dispatcher, NewExecute, Program, Stats};
pub use crate::error::{Cause, Error, Noun};
pub use crate::execution::{Execution, HookRef, NotAState, Output, ServerRef, State};
pub use crate::hook::{FailurePolicy, Hook, HookChange, NewHook, Targets};
pub use crate::hook_point::{Face, HookPoint, HookPointName, Parameter};
pub use crate::id::{
    AccountId, ExecutionId, HookId, Key, NodeId, NotAKey, NotAnId, Number, RecipeId, ServerId,
    SourceId, TaskId, TokenId,
};
pub use crate::live::{Chunk, LiveOutput};
pub use crate::page::{
    ACCOUNT_MAX, ExecutionFilter, ExecutionPage, OUTPUTS_MAX_BYTES, Outputs, PAGE_MAX, Page,
    TaskFilter, TaskPage,
};
pub use crate::recipe::{Recipe, RecipeContent};
pub use crate::rehearsal::Rehearsal;
pub use crate::retry::{RetryOn, RetryPolicy};
pub use crate::role::{NotARole, Principal, Role};
pub use crate::ruling::{Reason, Ruling, result_of};
pub use crate::server::{NewServer, Server, ServerChange};
pub use crate::settings::{EVENT_MAX_BYTES, MODULE_MAX_BYTES, SCRIPT_MAX_BYTES, Settings};
pub use crate::source::{NewSource, Source, SourceChange};
pub use crate::store::{Queued, Store};
pub use crate::task::{EventKey, Progress, Task, TaskDetail, state_of};
pub use crate::token::{NewToken, Secret, SecretHash, Token, TokenKind};
pub use crate::work::{
    Attempt, Backlog, Cancelling, Claimed, ClaimedExecution, ClaimedTask, Inserted, NewEvent,
    NewExecution, NewTask, Retention, Settlement, Swept, TaskChange,
};
