//! The dispatcher: keeps the nouns' rules, and carries events to their hooks.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tenterhook_engine::{AskedLimits, Engine};
use tenterhook_sdk::Event;

use crate::account::Account;
use crate::audit::{AuditRecord, Origin};
use crate::error::Error;
use crate::execution::Execution;
use crate::hook::{Hook, HookChange, NewHook};
use crate::id::{AccountId, ExecutionId, HookId, Key, Number, ServerId, SourceId, TaskId, TokenId};
use crate::live::LiveOutput;
use crate::page::{ExecutionFilter, ExecutionPage, Outputs, TaskFilter, TaskPage};
use crate::role::Principal;
use crate::server::{NewServer, Server, ServerChange};
use crate::settings::Settings;
use crate::source::{NewSource, Source, SourceChange};
use crate::store::Store;
use crate::task::{EventKey, Task, TaskDetail};
use crate::token::{NewToken, Secret, Token};

/// Keeps the nouns' rules and carries events to their hooks.
///
/// Cheap to clone; all clones are one dispatcher. Needs a tokio runtime.
#[derive(Clone)]
pub struct Dispatcher {}

/// An event that is stored and will not be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What makes the event unique.
    pub event: EventKey,
    /// The task that it caused.
    pub task: Task,
    /// Whether the event had been accepted before; nothing runs again then.
    pub repeated: bool,
}

/// A program to run at once, without hook or event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExecute {
    /// What to run.
    pub program: Program,
    /// Its arguments; the rules are those of [`NewHook::args`].
    pub args: Vec<String>,
    /// For which servers, by number; empty runs it once, for none.
    pub servers: Vec<Number>,
    /// The limits that it asks for.
    pub limits: AskedLimits,
    /// The principal that asks.
    pub started_by: String,
}

/// The program of a [`NewExecute`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A source of the account.
    Source(Key<SourceId>),
    /// These bytes, most often a script; they are kept with the task only.
    Inline(Bytes),
}

/// How busy a dispatcher is, for metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Executions that are running.
    pub running: u64,
    /// Executions in memory that wait for their turn.
    pub waiting: u64,
    /// Tasks in memory.
    pub loaded_tasks: u64,
    /// Accounts that have tasks waiting in the store.
    pub accounts_with_backlog: u64,
    /// Age of the oldest execution in memory that waits for its turn.
    pub oldest_waiting: Duration,
    /// Events accepted since the start, repeated ones aside.
    pub events_accepted: u64,
    /// Executions ended since the start, by state and by what ended them.
    pub executions_ended: Vec<(&'static str, u64)>,
    /// Attempts that were followed by another.
    pub retries: u64,
    /// Fuel used since the start.
    pub fuel: u64,
}

#[expect(clippy::todo, clippy::unused_async, missing_docs, clippy::missing_errors_doc, reason = "being built")]
impl Dispatcher {
    pub async fn start(store: Arc<dyn Store>, engine: Engine, settings: Settings) -> Result<Self, Error> { todo!() }
    pub async fn drain(&self, grace: Duration) { todo!() }
    pub fn settings(&self) -> &Settings { todo!() }
    pub fn stats(&self) -> Stats { todo!() }
    pub async fn ready(&self) -> Result<(), Error> { todo!() }

    pub async fn create_account(&self, name: &str) -> Result<Account, Error> { todo!() }
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> { todo!() }
    pub async fn issue_token(&self, account: AccountId, new: NewToken) -> Result<(Token, Secret), Error> { todo!() }
    pub async fn tokens(&self, account: AccountId) -> Result<Vec<Token>, Error> { todo!() }
    pub async fn revoke_token(&self, account: AccountId, id: TokenId) -> Result<(), Error> { todo!() }
    pub async fn authenticate(&self, secret: &str) -> Result<Option<Principal>, Error> { todo!() }
    pub async fn log_in(&self, name: &str, secret: &str, lasting: Duration) -> Result<Option<(Principal, Secret)>, Error> { todo!() }

    pub async fn create_server(&self, account: AccountId, new: NewServer) -> Result<Server, Error> { todo!() }
    pub async fn change_server(&self, account: AccountId, key: Key<ServerId>, change: ServerChange) -> Result<Server, Error> { todo!() }
    pub async fn delete_server(&self, account: AccountId, key: Key<ServerId>) -> Result<(), Error> { todo!() }
    pub async fn servers(&self, account: AccountId) -> Result<Vec<Server>, Error> { todo!() }
    pub async fn server(&self, account: AccountId, key: Key<ServerId>) -> Result<Server, Error> { todo!() }

    pub async fn create_source(&self, account: AccountId, new: NewSource, hooks: Vec<NewHook>) -> Result<(Source, Vec<Hook>), Error> { todo!() }
    pub async fn change_source(&self, account: AccountId, key: Key<SourceId>, change: SourceChange, hooks: Option<Vec<NewHook>>) -> Result<Source, Error> { todo!() }
    pub async fn delete_source(&self, account: AccountId, key: Key<SourceId>) -> Result<(), Error> { todo!() }
    pub async fn sources(&self, account: AccountId) -> Result<Vec<Source>, Error> { todo!() }
    pub async fn source(&self, account: AccountId, key: Key<SourceId>) -> Result<Source, Error> { todo!() }
    pub async fn source_bytes(&self, account: AccountId, key: Key<SourceId>) -> Result<(Source, Bytes), Error> { todo!() }

    pub async fn create_hook(&self, account: AccountId, new: NewHook) -> Result<Hook, Error> { todo!() }
    pub async fn change_hook(&self, account: AccountId, key: Key<HookId>, change: HookChange) -> Result<Hook, Error> { todo!() }
    pub async fn delete_hook(&self, account: AccountId, key: Key<HookId>) -> Result<(), Error> { todo!() }
    pub async fn hooks(&self, account: AccountId) -> Result<Vec<Hook>, Error> { todo!() }
    pub async fn hook(&self, account: AccountId, key: Key<HookId>) -> Result<Hook, Error> { todo!() }

    pub async fn accept(&self, account: AccountId, started_by: &str, events: Vec<Event>) -> Result<Vec<Accepted>, Error> { todo!() }
    pub async fn accept_and_wait(&self, account: AccountId, started_by: &str, event: Event, lasting: Duration) -> Result<(Accepted, TaskDetail), Error> { todo!() }
    pub async fn execute(&self, account: AccountId, new: NewExecute) -> Result<TaskDetail, Error> { todo!() }
    pub async fn audit(&self, account: AccountId, record: AuditRecord, origin: Origin) -> Result<(), Error> { todo!() }

    pub async fn wait(&self, account: AccountId, key: Key<TaskId>, lasting: Duration) -> Result<TaskDetail, Error> { todo!() }
    pub async fn cancel_task(&self, account: AccountId, key: Key<TaskId>) -> Result<Task, Error> { todo!() }
    pub async fn cancel_execution(&self, account: AccountId, id: ExecutionId) -> Result<Execution, Error> { todo!() }
    pub async fn redrive(&self, account: AccountId, id: ExecutionId) -> Result<Execution, Error> { todo!() }
    pub async fn follow(&self, account: AccountId, id: ExecutionId) -> Result<LiveOutput, Error> { todo!() }

    pub async fn task(&self, account: AccountId, key: Key<TaskId>) -> Result<TaskDetail, Error> { todo!() }
    pub async fn tasks(&self, account: AccountId, filter: &TaskFilter, page: TaskPage) -> Result<Vec<Task>, Error> { todo!() }
    pub async fn execution(&self, account: AccountId, id: ExecutionId) -> Result<Execution, Error> { todo!() }
    pub async fn executions(&self, account: AccountId, filter: &ExecutionFilter, page: ExecutionPage, outputs: Outputs) -> Result<Vec<Execution>, Error> { todo!() }
}
