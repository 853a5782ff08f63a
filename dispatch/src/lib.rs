//! The nouns, and the way from an event to its hooks' executions.
//!
//! A [`Dispatcher`] stands between the interfaces, which speak HTTP, and a
//! [`Store`], which speaks SQL; it knows neither. It keeps the rules of every
//! noun, plans what an [`Event`](tenterhook_sdk::Event) owes, runs it in the
//! engine and settles the outcome.

mod clock;
mod disk;
mod dispatcher;
mod error;
mod id;
mod page;
mod readiness;
mod registry;
mod runs;
mod settings;
mod store;
mod tenancy;
mod unavailable;

pub use crate::clock::{now, parse_time};
pub use crate::dispatcher::{Dispatcher, carry_out, holding};
pub use crate::error::{Cause, Error, Noun};
pub use crate::id::{
    AccountId, AppId, ExecutionId, HookId, Key, NodeId, NotAKey, NotAnId, Number, OverrideId,
    PrincipalId, RecipeId, ServerId, SourceId, TaskId, TokenId,
};
pub use crate::page::{
    ACCOUNT_MAX, ExecutionFilter, ExecutionPage, OUTPUTS_MAX_BYTES, Outputs, PAGE_MAX, Page,
    TaskFilter, TaskPage,
};
pub use crate::readiness::NotReady;
pub use crate::registry::app::{App, AppChange, Container, NewApp};
pub use crate::registry::criterion::{Criterion, Subject};
pub use crate::registry::damaged::{DamagedHook, Unreadable};
pub use crate::registry::hook::{FailurePolicy, Hook, HookChange, NewHook, Targets};
pub use crate::registry::hook_override::{HookOverride, NewOverride, OverrideChange};
pub use crate::registry::hook_point::{
    Face, HookPoint, HookPointName, Parameter, ParameterType, near_miss,
};
pub use crate::registry::label::Label;
pub use crate::registry::lookup::Lookup;
pub use crate::registry::recipe::{Recipe, RecipeContent};
pub use crate::registry::server::{NewServer, Server, ServerChange};
pub use crate::registry::source::{NewSource, Source, SourceChange, Visibility, checksum};
pub use crate::registry::{
    apps::Apps, hooks::Hooks, overrides::Overrides, servers::Servers, sources::Sources,
};
pub use crate::runs::accept::{Accepted, Events};
pub use crate::runs::attempts::EARLIER_ATTEMPTS_MAX;
pub use crate::runs::endings::Endings;
pub use crate::runs::event::{EventData, ReceivedEvent};
pub use crate::runs::execute::{NewExecute, Program};
pub use crate::runs::execution::{
    AttemptRecord, Execution, HookRef, NotAState, Output, ServerRef, State,
};
pub use crate::runs::kept_output::{KeptOutput, OUTPUT_PART_BYTES, OutputPart, OutputSizes};
pub use crate::runs::live::{Chunk, LiveOutput};
pub use crate::runs::recording::Recording;
pub use crate::runs::rehearsal::Rehearsal;
pub use crate::runs::replay::{Aspect, Case, Difference, NotACase, Place, Repeatable, Replay};
pub use crate::runs::retry::{RetryOn, RetryPolicy};
pub use crate::runs::ruling::{Reason, Ruling, result_of, result_of_verdicts};
pub use crate::runs::summary::{FailureKind, RunFailure, RunSummary};
pub use crate::runs::task::{EventKey, Progress, Task, TaskDetail, state_of};
pub use crate::runs::work::{
    Attempt, Backlog, Cancelling, Claimed, ClaimedExecution, ClaimedTask, Inserted, LateOutput,
    NewEvent, NewExecution, NewTask, Retention, SetAside, Settlement, Swept, TaskChange,
};
pub use crate::runs::{executions::Executions, stats::Stats, tasks::Tasks};
pub use crate::settings::{EVENT_MAX_BYTES, MODULE_MAX_BYTES, SCRIPT_MAX_BYTES, Settings};
pub use crate::store::{
    AccountStore, AppStore, ClaimStore, ClockStore, ControlStore, DamageStore, ExecutionStore,
    HookStore, IdentityStore, LifecycleStore, OverrideStore, Queued, RecoveryStore, ResultStore,
    RetentionStore, ServerStore, SourceStore, Store, TaskStore,
};
pub use crate::tenancy::account::{Account, Switch};
pub use crate::tenancy::audit::{AuditRecord, Origin};
pub use crate::tenancy::authority::{Authority, Lapse};
pub use crate::tenancy::disclosure::Withheld;
pub use crate::tenancy::identity::Identity;
pub use crate::tenancy::principal::{NewPrincipal, Principal, PrincipalChange};
pub use crate::tenancy::role::{NotARole, Role};
pub use crate::tenancy::token::{NewToken, Secret, SecretHash, SessionBounds, Token, TokenKind};
pub use crate::tenancy::{
    accounts::Accounts, identities::Identities, principals::Principals, tokens::Tokens,
};
pub use crate::unavailable::Unavailable;
pub use tenterhook_clock::{
    Backoff, Clock, Jump, JumpWatch, Moment, SteppedClock, SystemClock, Timepiece, is_in_range,
    new_id,
};
