//! A store whose calls fail, or which stops answering as the store of a killed
//! process does, at a call that was chosen before. What it passes on goes to a real one.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tenterhook_dispatch::{
    Account, AccountId, AccountStore, App, AppId, AppStore, AttemptRecord, Backlog, Cancelling,
    ClaimStore, Claimed, ClockStore, ControlStore, DamageStore, Endings, Error, EventKey,
    Execution, ExecutionFilter, ExecutionId, ExecutionPage, ExecutionStore, Hook, HookId,
    HookOverride, HookStore, IdentityStore, Inserted, Key, LateOutput, LifecycleStore, NewTask,
    NodeId, NotReady, OutputPart, OutputSizes, Outputs, OverrideId, OverrideStore, Principal,
    PrincipalId, Queued, RecoveryStore, Repeatable, ResultStore, Retention, RetentionStore,
    SecretHash, Server, ServerId, ServerStore, SessionBounds, Settlement, Source, SourceId,
    SourceStore, Store, Swept, Task, TaskFilter, TaskId, TaskPage, TaskStore, Token, TokenId,
};
use tenterhook_engine::{Digest, Verdict};
use time::OffsetDateTime;
use tokio::sync::Notify;

/// What happens at the chosen call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It and so many after it fail, and change nothing.
    Fail(usize, &'static str),
    /// The process is killed before the call changes anything.
    KillBefore,
    /// The process is killed when the call has changed what it was to, and before
    /// its caller gets the reply.
    KillAfter,
}

/// What the database says when a write fails.
pub(crate) const FAILURES: [&str; 4] = [
    "database or disk is full",
    "disk I/O error",
    "database is locked",
    "disk I/O error: short write",
];

/// A store that fails at a call that was chosen before. All clones are one.
#[derive(Clone)]
pub(crate) struct FaultyStore(Arc<Shared>);

/// What all clones share.
pub(crate) struct Shared {
    inner: Arc<dyn Store>,
    fault: Fault,
    at: usize,
    calls: AtomicUsize,
    killed: AtomicBool,
    /// Calls that the real store is carrying out.
    inside: AtomicUsize,
    /// Rings when that changes, and when the process is killed.
    left: Notify,
    /// How often each execution's end was stored.
    pub(crate) ends: Arc<Ends>,
    /// How often tasks were released.
    pub(crate) releases: AtomicUsize,
    /// No output of a cancelled run is stored while this is locked for writing.
    pub(crate) outputs: tokio::sync::RwLock<()>,
}

/// How often each execution's end was stored, over all starts of a server.
pub(crate) type Ends = Mutex<HashMap<ExecutionId, usize>>;

enum Do {
    Pass,
    Fail(&'static str),
    Die,
    PassAndDie,
}

impl Deref for FaultyStore {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl FaultyStore {
    pub(crate) fn new(inner: Arc<dyn Store>, ends: Arc<Ends>, at: usize, fault: Fault) -> Self {
        Self(Arc::new(Shared {
            inner,
            fault,
            at,
            calls: AtomicUsize::new(0),
            killed: AtomicBool::new(false),
            inside: AtomicUsize::new(0),
            left: Notify::new(),
            ends,
            releases: AtomicUsize::new(0),
            outputs: tokio::sync::RwLock::default(),
        }))
    }

    /// One that passes everything on.
    pub(crate) fn sound(inner: Arc<dyn Store>, ends: Arc<Ends>) -> Self {
        Self::new(inner, ends, usize::MAX, Fault::KillBefore)
    }
}

impl Shared {
    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::SeqCst)
    }

    /// Waits until the process is killed.
    pub(crate) async fn killed(&self) {
        loop {
            let left = self.left.notified();
            if self.is_killed() {
                return;
            }
            left.await;
        }
    }

    fn kill(&self) {
        self.killed.store(true, Ordering::SeqCst);
        self.left.notify_waiters();
    }

    /// Waits until the real store has carried out what it had taken when the process was
    /// killed: a dead process changes nothing any more.
    pub(crate) async fn is_quiet(&self) {
        loop {
            let left = self.left.notified();
            if self.inside.load(Ordering::SeqCst) == 0 {
                return;
            }
            left.await;
        }
    }

    fn next(&self) -> Do {
        if self.is_killed() {
            return Do::Die;
        }
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::Fail(count, why) if (self.at..self.at.saturating_add(count)).contains(&call) => {
                Do::Fail(why)
            }
            Fault::KillBefore if call == self.at => Do::Die,
            Fault::KillAfter if call == self.at => Do::PassAndDie,
            _ => Do::Pass,
        }
    }

    async fn call<T>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        match self.next() {
            Do::Pass => self.pass(work).await,
            Do::Fail(why) => Err(Error::store("write to the database", why)),
            Do::Die => self.die().await,
            Do::PassAndDie => {
                let _nobody_hears = self.pass(work).await;
                self.die().await
            }
        }
    }

    async fn pass<T>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let inside = Inside::enter(self);
        let done = work.await;
        drop(inside);
        if self.is_killed() {
            return self.die().await;
        }
        done
    }

    async fn die<T>(&self) -> T {
        self.kill();
        std::future::pending().await
    }

    fn note_end(&self, settlement: &Settlement) {
        if let Some(attempt) = &settlement.execution
            && attempt.state.is_over()
        {
            *self.ends.lock().entry(attempt.id).or_insert(0) += 1;
        }
    }
}

struct Inside<'s>(&'s Shared);

impl<'s> Inside<'s> {
    fn enter(store: &'s Shared) -> Self {
        store.inside.fetch_add(1, Ordering::SeqCst);
        Self(store)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
        self.0.left.notify_waiters();
    }
}

/// Every call that is not special goes through [`Shared::call`]; the special ones of a trait
/// come after a `+`.
macro_rules! pass_on {
    ($(
        $trait:ident { $($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)* }
        $(+ { $($special:tt)* })?
    )*) => {
        $(
            #[async_trait]
            impl $trait for FaultyStore {
                $(
                    async fn $name(&self, $($argument: $type),*) -> Result<$answer, Error> {
                        self.call(self.inner.$name($($argument),*)).await
                    }
                )*

                $($($special)*)?
            }
        )*
    };
}

pass_on! {
    AccountStore {
        insert_account(account: Account) -> Account;
        update_account(account: Account) -> ();
        account(id: AccountId) -> Option<Account>;
        accounts() -> Vec<Account>;
    }

    IdentityStore {
        insert_principal(principal: Principal) -> ();
        update_principal(principal: Principal) -> ();
        delete_principal(account: AccountId, id: PrincipalId) -> bool;
        principals(account: AccountId) -> Vec<Principal>;
        insert_token(token: Token, hash: SecretHash) -> ();
        insert_login(session: Token, hash: SecretHash, bounds: SessionBounds) -> Vec<TokenId>;
        token(hash: SecretHash) -> Option<(Token, Principal)>;
        tokens(account: AccountId) -> Vec<Token>;
        delete_token(account: AccountId, id: TokenId) -> bool;
        touch_tokens(uses: Vec<(TokenId, OffsetDateTime)>) -> ();
    }

    AppStore {
        insert_app(account: AccountId, app: App) -> App;
        update_app(account: AccountId, app: App) -> ();
        delete_app(account: AccountId, id: AppId) -> bool;
        apps(account: AccountId) -> Vec<App>;
    }

    OverrideStore {
        insert_override(account: AccountId, hook_override: HookOverride) -> ();
        update_override(account: AccountId, hook_override: HookOverride) -> ();
        delete_override(account: AccountId, id: OverrideId) -> bool;
        overrides(account: AccountId) -> Vec<HookOverride>;
    }

    ServerStore {
        insert_server(account: AccountId, server: Server) -> Server;
        update_server(account: AccountId, server: Server) -> ();
        delete_server(account: AccountId, id: ServerId) -> ();
        servers(account: AccountId) -> Vec<Server>;
    }

    SourceStore {
        insert_source(account: AccountId, source: Source, bytes: Bytes, hooks: Vec<Hook>) -> (Source, Vec<Hook>);
        update_source(account: AccountId, source: Source, bytes: Option<Bytes>, hooks: Option<Vec<Hook>>) -> Vec<Hook>;
        delete_source(account: AccountId, id: SourceId) -> ();
        sources(account: AccountId) -> Vec<Source>;
        program(digest: Digest) -> Option<Bytes>;
        has_program(digest: Digest) -> bool;
        wants_program(digest: Digest) -> bool;
    }

    HookStore {
        insert_hook(account: AccountId, hook: Hook) -> Hook;
        update_hook(account: AccountId, hook: Hook) -> ();
        delete_hook(account: AccountId, id: HookId) -> bool;
        hooks(account: AccountId) -> Vec<Hook>;
    }

    TaskStore {
        insert_tasks(tasks: Vec<NewTask>) -> Vec<Inserted>;
        known_events(account: AccountId, events: Vec<(EventKey, Option<Digest>)>) -> Vec<Option<Inserted>>;
        task(account: AccountId, key: Key<TaskId>) -> Option<Task>;
        tasks(account: AccountId, filter: &TaskFilter, page: TaskPage) -> Vec<Task>;
        event(account: AccountId, task: TaskId) -> Option<Bytes>;
    }

    ExecutionStore {
        execution(account: AccountId, id: ExecutionId) -> Option<Execution>;
        execution_within(account: AccountId, id: ExecutionId, most: u64) -> Option<(Execution, OutputSizes)>;
        outputs_bytes(account: AccountId, key: Key<TaskId>) -> u64;
        repeatable(account: AccountId, id: ExecutionId) -> Option<Repeatable>;
        attempts(account: AccountId, id: ExecutionId) -> Vec<(AttemptRecord, OutputSizes)>;
        attempt_within(account: AccountId, id: ExecutionId, attempt: u32, most: u64) -> Option<(AttemptRecord, OutputSizes)>;
        output_part(account: AccountId, part: OutputPart) -> Option<Bytes>;
        executions(account: AccountId, filter: &ExecutionFilter, page: ExecutionPage, outputs: Outputs) -> Vec<Execution>;
    }

    ResultStore {
        endings(account: AccountId, tasks: Vec<TaskId>) -> HashMap<TaskId, Endings>;
        verdicts(account: AccountId, tasks: Vec<TaskId>) -> HashMap<TaskId, Vec<Verdict>>;
    } + {
        fn record_result(&self, settlement: Settlement) -> Queued<()> {
            let store = self.clone();
            let next = self.next();
            // Queued before this returns, as the store promises.
            let queued = match next {
                Do::Pass | Do::PassAndDie => Some(self.inner.record_result(settlement.clone())),
                Do::Fail(_) | Do::Die => None,
            };
            // Counted from here on: the caller may never read the reply.
            store.inside.fetch_add(usize::from(queued.is_some()), Ordering::SeqCst);
            let (answer, reply) = tokio::sync::oneshot::channel();
            tokio::spawn(async move {
                let done = match (next, queued) {
                    (Do::Fail(why), _) => Err(Error::store("write to the database", why)),
                    (_, None) => store.die().await,
                    (next, Some(queued)) => {
                        let done = queued.await;
                        if done.is_ok() {
                            store.note_end(&settlement);
                        }
                        drop(Inside(&store));
                        if matches!(next, Do::PassAndDie) || store.is_killed() {
                            store.die().await
                        } else {
                            done
                        }
                    }
                };
                let _gone = answer.send(done);
            });
            Box::pin(async move {
                match reply.await {
                    Ok(done) => done,
                    Err(_) => std::future::pending().await,
                }
            })
        }

        async fn keep_output(&self, late: LateOutput) -> Result<(), Error> {
            let _open = self.outputs.read().await;
            self.call(self.inner.keep_output(late)).await
        }
    }

    ControlStore {
        cancel_task(account: AccountId, id: TaskId, now: OffsetDateTime) -> Cancelling;
        cancel_execution(account: AccountId, id: ExecutionId, now: OffsetDateTime) -> Cancelling;
        cancel_of_hook(account: AccountId, hook: HookId, reason: &'static str, now: OffsetDateTime) -> Vec<TaskId>;
        redrive(account: AccountId, id: ExecutionId) -> bool;
    }

    ClaimStore {
        claim(account: AccountId, node: NodeId, now: OffsetDateTime, limit: u32) -> Claimed;
        backlog() -> Vec<Backlog>;
    } + {
        async fn release(&self, tasks: Vec<(AccountId, TaskId)>) -> Result<(), Error> {
            self.releases.fetch_add(1, Ordering::SeqCst);
            self.call(self.inner.release(tasks)).await
        }
    }

    RecoveryStore {
        take_over(node: NodeId) -> u64;
    } + {
        fn note_begun(&self, account: AccountId, execution: ExecutionId, attempt: u32) {
            if !self.is_killed() {
                self.inner.note_begun(account, execution, attempt);
            }
        }

        fn note_ended(&self, execution: ExecutionId, attempt: u32) {
            if !self.is_killed() {
                self.inner.note_ended(execution, attempt);
            }
        }

        fn note_settled(&self, execution: ExecutionId, attempt: u32) {
            if !self.is_killed() {
                self.inner.note_settled(execution, attempt);
            }
        }

        fn note_leaving(&self) {
            if !self.is_killed() {
                self.inner.note_leaving();
            }
        }
    }

    ClockStore {
        shorten_waits(now: OffsetDateTime) -> ();
        clock_seen() -> Option<OffsetDateTime>;
        see_clock(at: OffsetDateTime) -> ();
    }

    RetentionStore {
        disk_usage() -> Vec<(AccountId, u64)>;
        sweep(retention: &Retention, now: OffsetDateTime) -> Swept;
    }

    LifecycleStore {
        close() -> ();
    } + {
        async fn ready(&self) -> Result<(), NotReady> {
            self.inner.ready().await
        }

        async fn gone(&self) -> String {
            self.inner.gone().await
        }
    }
}

#[async_trait]
impl DamageStore for FaultyStore {}
