//! The JSON of the native API: what its server reads and writes, what the OpenAPI document
//! describes, and what a client sends and receives.
//!
//! The shapes know no rule and no store; times are RFC 3339 text. A member of a request that
//! is left out has its default. A response keeps JSON that a hook or a producer has written
//! as it was written.

mod account;
mod app;
mod container;
mod event;
mod execution;
mod hook;
mod limits;
mod list;
mod present;
mod principal;
mod problem;
mod reference;
mod replay;
mod server;
mod source;
mod stream;
mod task;
mod token;
mod upload;
mod verdict;
mod webhook;

pub use crate::account::{Account, ChangedAccount, NewAccount};
pub use crate::app::{App, ChangedApp, NewApp};
pub use crate::container::{Container, Criterion, Label, Subject};
pub use crate::event::{Event, PostedEvent};
pub use crate::execution::{Attempt, Execution, ExecutionHead, Outcome, ServerReference, Usage};
pub use crate::hook::{
    All, ChangedHook, FailurePolicy, Hook, Limits, NewHook, Retry, RetryOn, Servers,
};
pub use crate::limits::{AllLimits, HookPoint, Parameter, RunLimits};
pub use crate::list::List;
pub use crate::principal::{ChangedPrincipal, NewPrincipal, Principal, Role, UnknownRole};
pub use crate::problem::Problem;
pub use crate::reference::{IdOrNumber, Reference};
pub use crate::replay::{Difference, Replay};
pub use crate::server::{ChangedServer, NewServer, Server};
pub use crate::source::{Kind, Source, UploadedSource, Warning};
pub use crate::stream::{AttemptEnd, AttemptStart, OutputPart};
pub use crate::task::{FailedExecution, HookFailure, Progress, Reason, State, Task};
pub use crate::token::{IssuedToken, NewToken, Token, TokenKind};
pub use crate::upload::{Upload, UploadState};
pub use crate::verdict::Verdict;
pub use crate::webhook::{
    ChangedWebhook, CreatedWebhook, Delivery, DeliveryStatus, NewWebhook, Webhook,
};
