//! The nouns, and the way from an event to its hooks' executions.
//!
//! A [`Dispatcher`] stands between the interfaces, which speak HTTP, and a
//! [`Store`], which speaks SQL; it knows neither. It keeps the rules of every
//! noun, plans what an [`Event`](tenterhook_sdk::Event) owes, runs it in the
//! engine and settles the outcome.

mod account;
mod app;
mod audit;
mod authority;
mod clock;
mod criterion;
mod damaged;
mod directory;
mod disclosure;
mod disk;
mod dispatcher;
mod endings;
mod environment;
mod error;
mod execution;
mod fair;
mod floor;
mod hook;
mod hook_override;
mod hook_point;
mod hook_state;
mod id;
mod identity;
mod kept_output;
mod label;
mod live;
mod lookup;
mod page;
mod plan;
mod preloaded;
mod principal;
mod programs;
mod readiness;
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
mod unavailable;
mod work;

pub use crate::account::{Account, Switch};
pub use crate::app::{App, AppChange, Container, NewApp};
pub use crate::audit::{AuditRecord, Origin};
pub use crate::authority::{Authority, Lapse};
pub use crate::clock::now;
pub use crate::criterion::{Criterion, Subject};
pub use crate::damaged::{DamagedHook, Unreadable};
pub use crate::disclosure::Withheld;
pub use crate::dispatcher::{Accepted, Dispatcher, NewExecute, Program, Stats, holding};
pub use crate::endings::Endings;
pub use crate::error::{Cause, Error, Noun};
pub use crate::execution::{Execution, HookRef, NotAState, Output, ServerRef, State};
pub use crate::hook::{FailurePolicy, Hook, HookChange, NewHook, Targets};
pub use crate::hook_override::{HookOverride, NewOverride, OverrideChange};
pub use crate::hook_point::{Face, HookPoint, HookPointName, Parameter, ParameterType};
pub use crate::hook_state::{Failing, HookFailure, HookResult, HookState};
pub use crate::id::{
    AccountId, AppId, ExecutionId, HookId, Key, NodeId, NotAKey, NotAnId, Number, OverrideId,
    PrincipalId, RecipeId, ServerId, SourceId, TaskId, TokenId,
};
pub use crate::identity::Identity;
pub use crate::kept_output::{KeptOutput, OUTPUT_PART_BYTES, OutputPart, OutputSizes};
pub use crate::label::Label;
pub use crate::live::{Chunk, LiveOutput};
pub use crate::lookup::Lookup;
pub use crate::page::{
    ACCOUNT_MAX, ExecutionFilter, ExecutionPage, OUTPUTS_MAX_BYTES, Outputs, PAGE_MAX, Page,
    TaskFilter, TaskPage,
};
pub use crate::principal::{NewPrincipal, Principal, PrincipalChange};
pub use crate::readiness::NotReady;
pub use crate::recipe::{Recipe, RecipeContent};
pub use crate::rehearsal::Rehearsal;
pub use crate::retry::{RetryOn, RetryPolicy};
pub use crate::role::{NotARole, Role};
pub use crate::ruling::{Reason, Ruling, result_of, result_of_verdicts};
pub use crate::server::{NewServer, Server, ServerChange};
pub use crate::settings::{EVENT_MAX_BYTES, MODULE_MAX_BYTES, SCRIPT_MAX_BYTES, Settings};
pub use crate::source::{NewSource, Source, SourceChange, base64_md5};
pub use crate::store::{Queued, Store};
pub use crate::task::{EventKey, Progress, Task, TaskDetail, state_of};
pub use crate::token::{NewToken, Secret, SecretHash, SessionBounds, Token, TokenKind};
pub use crate::unavailable::Unavailable;
pub use crate::work::{
    Attempt, Backlog, Cancelling, Claimed, ClaimedExecution, ClaimedTask, Inserted, LateOutput,
    NewEvent, NewExecution, NewTask, Retention, SetAside, Settlement, Swept, TaskChange,
};
pub use tenterhook_clock::{
    Clock, Jump, JumpWatch, Moment, SteppedClock, SystemClock, Timepiece, is_in_range, new_id,
};
