//! What the dispatcher asks of a database.
//!
//! Two stores implement it, and one conformance suite holds both to what is said
//! here. Rules about names, sizes and defaults are kept by the dispatcher; a
//! store keeps uniqueness, references and durability.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use tenterhook_engine::Digest;
use tenterhook_sdk::Verdict;
use time::OffsetDateTime;

use crate::error::Error;
use crate::id::{
    AccountId, AppId, ExecutionId, HookId, Key, NodeId, OverrideId, PrincipalId, ServerId,
    SourceId, TaskId, TokenId,
};
use crate::page::{ExecutionFilter, ExecutionPage, Outputs, TaskFilter, TaskPage};
use crate::readiness::NotReady;
use crate::registry::app::App;
use crate::registry::damaged::Unreadable;
use crate::registry::hook::Hook;
use crate::registry::hook_override::HookOverride;
use crate::registry::server::Server;
use crate::registry::source::Source;
use crate::runs::endings::Endings;
use crate::runs::execution::Execution;
use crate::runs::kept_output::{OutputPart, OutputSizes};
use crate::runs::task::{EventKey, Task};
use crate::runs::work::{
    Backlog, Cancelling, Claimed, Inserted, LateOutput, NewTask, Retention, Settlement, Swept,
};
use crate::tenancy::account::Account;
use crate::tenancy::principal::Principal;
use crate::tenancy::token::{SecretHash, SessionBounds, Token};

/// The answer to a call that has been queued already when it returns.
pub type Queued<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// A durable store of all nouns.
///
/// A change that was answered with `Ok` survives `kill -9` and power failure.
/// Nouns to insert carry [`Number::UNASSIGNED`](crate::Number::UNASSIGNED); they come back with the number
/// that the store has given them. Identifiers that callers may choose are unique
/// within an account only: one account cannot learn of another's.
#[async_trait]
pub trait Store: Send + Sync {
    /// Keeps a new account.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`].
    async fn insert_account(&self, account: Account) -> Result<Account, Error>;

    /// Replaces an account's name and switches. Its id and number stay.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NameTaken`].
    async fn update_account(&self, account: Account) -> Result<(), Error>;

    /// Finds an account.
    async fn account(&self, id: AccountId) -> Result<Option<Account>, Error>;

    /// Lists all accounts by number.
    async fn accounts(&self) -> Result<Vec<Account>, Error>;

    /// Keeps a new principal.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`], [`Error::NotFound`] for the account.
    async fn insert_principal(&self, principal: Principal) -> Result<(), Error>;

    /// Replaces a principal's name and role.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NameTaken`].
    async fn update_principal(&self, principal: Principal) -> Result<(), Error>;

    /// Removes a principal and all its tokens. Tells whether there was one.
    async fn delete_principal(&self, account: AccountId, id: PrincipalId) -> Result<bool, Error>;

    /// Lists the principals of an account, oldest first.
    async fn principals(&self, account: AccountId) -> Result<Vec<Principal>, Error>;

    /// Keeps a new issued token under the hash of its secret.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`] among the issued tokens of the account,
    /// [`Error::NotFound`] for its principal.
    async fn insert_token(&self, token: Token, hash: SecretHash) -> Result<(), Error>;

    /// Stores a new session under the hash of its secret. Removes the oldest where there
    /// would be more than `bounds` allow, and returns those that it has removed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for its parent, the token that logged in.
    async fn insert_login(
        &self,
        session: Token,
        hash: SecretHash,
        bounds: SessionBounds,
    ) -> Result<Vec<TokenId>, Error>;

    /// Finds a token, and whose it is, by the hash of its secret, whether or not it
    /// has expired.
    async fn token(&self, hash: SecretHash) -> Result<Option<(Token, Principal)>, Error>;

    /// Lists the tokens of an account, oldest first.
    async fn tokens(&self, account: AccountId) -> Result<Vec<Token>, Error>;

    /// Removes a token with its sessions. Tells whether there was one.
    async fn delete_token(&self, account: AccountId, id: TokenId) -> Result<bool, Error>;

    /// Notes when tokens were last used.
    async fn touch_tokens(&self, uses: Vec<(TokenId, OffsetDateTime)>) -> Result<(), Error>;

    /// Keeps a new application.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`] for its name or id.
    async fn insert_app(&self, account: AccountId, app: App) -> Result<App, Error>;

    /// Replaces an application. Its id and number stay.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NameTaken`].
    async fn update_app(&self, account: AccountId, app: App) -> Result<(), Error>;

    /// Removes an application with its overrides. Tells whether there was one. The
    /// dispatcher has made sure that no hook is bound to it.
    async fn delete_app(&self, account: AccountId, id: AppId) -> Result<bool, Error>;

    /// Lists the applications of an account by number.
    async fn apps(&self, account: AccountId) -> Result<Vec<App>, Error>;

    /// Keeps a new override.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`] if the hook has one for that application already,
    /// [`Error::NotFound`] for the hook or the application.
    async fn insert_override(
        &self,
        account: AccountId,
        hook_override: HookOverride,
    ) -> Result<(), Error>;

    /// Replaces an override's switch and labels.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    async fn update_override(
        &self,
        account: AccountId,
        hook_override: HookOverride,
    ) -> Result<(), Error>;

    /// Removes an override. Tells whether there was one.
    async fn delete_override(&self, account: AccountId, id: OverrideId) -> Result<bool, Error>;

    /// Lists the overrides of an account, oldest first.
    async fn overrides(&self, account: AccountId) -> Result<Vec<HookOverride>, Error>;

    /// Keeps a new server.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`] for its name or id.
    async fn insert_server(&self, account: AccountId, server: Server) -> Result<Server, Error>;

    /// Replaces a server. Its id and number stay.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NameTaken`].
    async fn update_server(&self, account: AccountId, server: Server) -> Result<(), Error>;

    /// Removes a server.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::InUse`] by hooks that name it.
    async fn delete_server(&self, account: AccountId, id: ServerId) -> Result<(), Error>;

    /// Lists the servers of an account by number.
    async fn servers(&self, account: AccountId) -> Result<Vec<Server>, Error>;

    /// Keeps a new source with its bytes, and hooks of it, all or nothing. A source
    /// that has a number already, as preloaded ones do, keeps it, and the numbers
    /// given to others do not go on from there.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`].
    async fn insert_source(
        &self,
        account: AccountId,
        source: Source,
        bytes: Bytes,
        hooks: Vec<Hook>,
    ) -> Result<(Source, Vec<Hook>), Error>;

    /// Replaces a source, its bytes if they are given, and the whole set of its
    /// hooks if that is given; all or nothing. Answers with the hooks given.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NameTaken`].
    async fn update_source(
        &self,
        account: AccountId,
        source: Source,
        bytes: Option<Bytes>,
        hooks: Option<Vec<Hook>>,
    ) -> Result<Vec<Hook>, Error>;

    /// Removes a source. Its bytes stay while an execution refers to them.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::InUse`] by hooks.
    async fn delete_source(&self, account: AccountId, id: SourceId) -> Result<(), Error>;

    /// Lists the sources of an account by number. The store has filled in the
    /// checksums of those kept before there were any.
    async fn sources(&self, account: AccountId) -> Result<Vec<Source>, Error>;

    /// Reads the bytes of a program.
    async fn program(&self, digest: Digest) -> Result<Option<Bytes>, Error>;

    /// Whether there are the bytes of a program, for a source or for an execution,
    /// whether or not it is over.
    async fn has_program(&self, digest: Digest) -> Result<bool, Error>;

    /// Whether a program may be run again: it is that of a source, or of an execution
    /// that is not over.
    async fn wants_program(&self, digest: Digest) -> Result<bool, Error>;

    /// Keeps a new hook.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for its source, [`Error::NameTaken`].
    async fn insert_hook(&self, account: AccountId, hook: Hook) -> Result<Hook, Error>;

    /// Replaces a hook. Its id and number stay.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the hook or its source, [`Error::NameTaken`].
    async fn update_hook(&self, account: AccountId, hook: Hook) -> Result<(), Error>;

    /// Removes a hook with its overrides. Tells whether there was one.
    async fn delete_hook(&self, account: AccountId, id: HookId) -> Result<bool, Error>;

    /// Lists the hooks of an account by number.
    async fn hooks(&self, account: AccountId) -> Result<Vec<Hook>, Error>;

    /// Reports what lists of this account's hooks, servers and overrides have left out since
    /// it cannot be read. It is asked after them.
    async fn unreadable(&self, _account: AccountId) -> Result<Unreadable, Error> {
        Ok(Unreadable::default())
    }

    /// Counts the rows that could not be read since the store was opened, by table. Each was
    /// left out of what it belongs to, and told in the log.
    fn unreadable_rows(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// Keeps new tasks, all or nothing; a task whose event was accepted before
    /// is left out and the first one named, also within
    /// [`Retention::event_horizon`] after that was removed. A task without executions
    /// is over at once.
    async fn insert_tasks(&self, tasks: Vec<NewTask>) -> Result<Vec<Inserted>, Error>;

    /// Tells which events of an account were accepted before, each as
    /// [`insert_tasks`](Self::insert_tasks) would, and `None` for one that was not.
    /// Writes nothing.
    async fn known_events(
        &self,
        account: AccountId,
        keys: Vec<EventKey>,
    ) -> Result<Vec<Option<Inserted>>, Error>;

    /// Keeps what became of an attempt. It is queued when the call returns;
    /// settlements take effect in the order of the calls.
    ///
    /// A task neither ends nor rests before the outcomes of its executions are kept:
    /// where one of them could not be, the settlement that would have ended the task
    /// fails too, and both are to be tried again. What comes late for an execution that
    /// has ended, or begun another attempt, changes nothing.
    fn settle(&self, settlement: Settlement) -> Queued<()>;

    /// Writes what a cancelled attempt has printed, after its end. Nothing happens if there
    /// is no such end any more.
    async fn keep_output(&self, late: LateOutput) -> Result<(), Error>;

    /// Frees all tasks that another run of the server owned. Returns how many.
    ///
    /// Raises the attempt of their executions that had begun, as far as that run has
    /// noted them, and counts a crash for each that was running when it ended. Where
    /// its notes are lost, as they are when the machine went down, every execution
    /// that is not over may have begun, and nothing is known of crashes.
    async fn take_over(&self, node: NodeId) -> Result<u64, Error>;

    /// Notes that an attempt begins.
    ///
    /// The notes outlive the process and not the machine, so they cost no commit;
    /// what cannot be noted is lost to the next run and fails nothing.
    fn note_begun(&self, account: AccountId, execution: ExecutionId, attempt: u32);

    /// Notes that an attempt has ended, whether or not its outcome is stored yet.
    fn note_ended(&self, execution: ExecutionId, attempt: u32);

    /// Forgets an attempt: its outcome is stored.
    fn note_settled(&self, execution: ExecutionId, attempt: u32);

    /// Notes that the process ends because it was asked to, so that nothing that runs
    /// is taken for the cause.
    fn note_leaving(&self);

    /// Brings nearer what is to be tried again further in the future than it was to wait,
    /// or than the policy of its hook allows where that is not known: the clock was set
    /// back after it was stored. For the start, when no task is owned.
    async fn shorten_waits(&self, now: OffsetDateTime) -> Result<(), Error>;

    /// Reads the latest time that was believed to be right; `None` if none was kept.
    async fn clock_seen(&self) -> Result<Option<OffsetDateTime>, Error>;

    /// Keeps a time that is believed to be right.
    async fn see_clock(&self, at: OffsetDateTime) -> Result<(), Error>;

    /// Frees tasks which this run of the server owns but does not run, all at once.
    async fn release(&self, tasks: Vec<(AccountId, TaskId)>) -> Result<(), Error>;

    /// Makes up to `limit` tasks of an account `node`'s own, oldest first: those whose
    /// time to be tried again has come, and those that nothing was tried of, which are
    /// due whatever the clock says. Neither keeps the other from its half.
    async fn claim(
        &self,
        account: AccountId,
        node: NodeId,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Claimed, Error>;

    /// Lists the accounts that have tasks which nobody owns.
    async fn backlog(&self) -> Result<Vec<Backlog>, Error>;

    /// Notes that a task is to be cancelled, and ends it if nobody owns it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    async fn cancel_task(
        &self,
        account: AccountId,
        id: TaskId,
        now: OffsetDateTime,
    ) -> Result<Cancelling, Error>;

    /// Cancels one execution of a task that nobody owns; if a node owns it, that
    /// node must act.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    async fn cancel_execution(
        &self,
        account: AccountId,
        id: ExecutionId,
        now: OffsetDateTime,
    ) -> Result<Cancelling, Error>;

    /// Makes an execution that failed or was cancelled wait anew, and its task
    /// one that can be claimed. Tells whether it could: the whole task must be over.
    async fn redrive(&self, account: AccountId, id: ExecutionId) -> Result<bool, Error>;

    /// Reads a task.
    async fn task(&self, account: AccountId, key: Key<TaskId>) -> Result<Option<Task>, Error>;

    /// Lists tasks, newest first.
    async fn tasks(
        &self,
        account: AccountId,
        filter: &TaskFilter,
        page: TaskPage,
    ) -> Result<Vec<Task>, Error>;

    /// Reads an execution with its output.
    async fn execution(
        &self,
        account: AccountId,
        id: ExecutionId,
    ) -> Result<Option<Execution>, Error>;

    /// Reads an execution with its output if that is no more than `most` bytes, and
    /// without it else; and how much there is.
    async fn execution_within(
        &self,
        account: AccountId,
        id: ExecutionId,
        most: u64,
    ) -> Result<Option<(Execution, OutputSizes)>, Error>;

    /// How much a task's executions have printed that is kept; 0 for an unknown task.
    async fn outputs_bytes(&self, account: AccountId, key: Key<TaskId>) -> Result<u64, Error>;

    /// Reads a part of an output. `None` if there is no such attempt of it (any more).
    async fn output_part(
        &self,
        account: AccountId,
        part: OutputPart,
    ) -> Result<Option<Bytes>, Error>;

    /// Lists executions, newest first; those of one task in the order in which
    /// they run, whatever the page's limit is.
    async fn executions(
        &self,
        account: AccountId,
        filter: &ExecutionFilter,
        page: ExecutionPage,
        outputs: Outputs,
    ) -> Result<Vec<Execution>, Error>;

    /// Tells how the executions of tasks have ended, in one query. A task of which there
    /// is nothing to tell is left out.
    async fn endings(
        &self,
        account: AccountId,
        tasks: Vec<TaskId>,
    ) -> Result<HashMap<TaskId, Endings>, Error>;

    /// Reads the verdicts of those executions of tasks that are over, in one query, in
    /// the order in which they run.
    async fn verdicts(
        &self,
        account: AccountId,
        tasks: Vec<TaskId>,
    ) -> Result<HashMap<TaskId, Vec<Verdict>>, Error>;

    /// Reads the event of a task as JSON; `None` if it had none.
    async fn event(&self, account: AccountId, task: TaskId) -> Result<Option<Bytes>, Error>;

    /// Tells what each account has on the disk: its tasks with their events and outputs,
    /// and its programs. It is kept in the transactions that change it, and asking for
    /// it costs no walk over those.
    async fn disk_usage(&self) -> Result<Vec<(AccountId, u64)>, Error>;

    /// Removes what is no longer to be kept, a bounded part at a time. Accounts take
    /// turns, and nothing that is not over keeps others from being removed.
    async fn sweep(&self, retention: &Retention, now: OffsetDateTime) -> Result<Swept, Error>;

    /// Writes something, unless that has just succeeded, for a readiness check. Ends
    /// within a few seconds.
    async fn ready(&self) -> Result<(), NotReady>;

    /// Waits until the store can never write again, and says why.
    async fn gone(&self) -> String;

    /// Writes everything to its place and closes. No call after this one succeeds.
    async fn close(&self) -> Result<(), Error>;
}
