//! The store in one `SQLite` file.
//!
//! One connection writes, and groups commits; a pool of others reads. A commit
//! is on the disk before it is answered (`synchronous = FULL`).

mod accounts;
mod cancel;
mod claim;
mod convert;
mod executions;
mod hooks;
mod insert;
mod migrations;
mod rows;
mod servers;
mod settle;
mod sources;
mod sweep;
mod tasks;
mod tokens;
mod writer;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::RwLock;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, SqlitePool};
use tenterhook_dispatch::{
    Account, AccountId, Backlog, Cancelling, Claimed, Error, Execution, ExecutionFilter,
    ExecutionId, ExecutionPage, Hook, HookId, Inserted, Key, NewTask, NodeId, Noun, Outputs,
    Queued, Retention, SecretHash, Server, ServerId, Settlement, Source, SourceId, Store, Swept,
    Task, TaskFilter, TaskId, TaskPage, Token, TokenId,
};
use tenterhook_engine::Digest;
use time::OffsetDateTime;

use self::convert::cannot;
use self::writer::Writer;

/// Connections that read. More than there are cores only wait for each other.
const READERS: u32 = 4;

/// How long a connection waits for another process that holds the file's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The store in one `SQLite` file. Cheap to clone; all clones are one store.
///
/// One process only may have the file open at a time.
#[derive(Clone)]
pub struct Sqlite {
    writer: Writer,
    readers: SqlitePool,
    /// Accounts are never renumbered nor removed.
    accounts: Arc<RwLock<HashMap<AccountId, i64>>>,
}

impl Sqlite {
    /// Opens the file, makes it if there is none, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`Open`](crate::Error::Open) or [`Migrate`](crate::Error::Migrate).
    pub async fn open(path: &Path) -> Result<Self, crate::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            // 16 MiB of log between checkpoints: each costs two syncs of its own.
            .pragma("wal_autocheckpoint", "4000")
            .pragma("cache_size", "-16000")
            .disable_statement_logging();
        let opened = |source| crate::Error::Open {
            path: path.into(),
            source,
        };
        let mut conn = options
            .clone()
            .create_if_missing(true)
            .connect()
            .await
            .map_err(opened)?;
        migrations::migrator()
            .run(&mut conn)
            .await
            .map_err(|source| crate::Error::Migrate {
                path: path.into(),
                source,
            })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true).pragma("cache_size", "-4000"))
            .await
            .map_err(opened)?;
        Ok(Self {
            writer: Writer::start(conn),
            readers,
            accounts: Arc::default(),
        })
    }

    /// The integer by which rows refer to an account.
    async fn account(&self, id: AccountId) -> Result<i64, Error> {
        let known = self.accounts.read().get(&id).copied();
        if let Some(number) = known {
            return Ok(number);
        }
        let number = accounts::number(&self.readers, id)
            .await?
            .ok_or_else(|| Error::not_found(Noun::Account, id))?;
        self.accounts.write().insert(id, number);
        Ok(number)
    }

    /// Runs a change of an account's rows on the writer.
    async fn write<T, F>(&self, account: AccountId, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(
                &'c mut SqliteConnection,
                i64,
            )
                -> std::pin::Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'c>>
            + Send
            + 'static,
    {
        let account = self.account(account).await?;
        self.writer
            .run(move |writing| job(&mut writing.conn, account))
            .await
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn insert_account(&self, account: Account) -> Result<Account, Error> {
        self.writer
            .run(|writing| Box::pin(accounts::insert(&mut writing.conn, account)))
            .await
    }

    async fn accounts(&self) -> Result<Vec<Account>, Error> {
        accounts::list(&self.readers).await
    }

    async fn insert_token(&self, token: Token, hash: SecretHash) -> Result<(), Error> {
        self.write(token.account, move |conn, account| {
            Box::pin(async move { tokens::insert(conn, account, &token, hash).await })
        })
        .await
    }

    async fn token(&self, hash: SecretHash) -> Result<Option<Token>, Error> {
        tokens::by_hash(&self.readers, hash).await
    }

    async fn tokens(&self, account: AccountId) -> Result<Vec<Token>, Error> {
        tokens::list(&self.readers, self.account(account).await?).await
    }

    async fn delete_token(&self, account: AccountId, id: TokenId) -> Result<bool, Error> {
        self.write(account, move |conn, account| {
            Box::pin(tokens::delete(conn, account, id))
        })
        .await
    }

    async fn touch_tokens(&self, uses: Vec<(TokenId, OffsetDateTime)>) -> Result<(), Error> {
        self.writer
            .run(move |writing| {
                Box::pin(async move { tokens::touch(&mut writing.conn, &uses).await })
            })
            .await
    }

    async fn insert_server(&self, account: AccountId, server: Server) -> Result<Server, Error> {
        self.write(account, move |conn, account| {
            Box::pin(servers::insert(conn, account, server))
        })
        .await
    }

    async fn update_server(&self, account: AccountId, server: Server) -> Result<(), Error> {
        self.write(account, move |conn, account| {
            Box::pin(async move { servers::update(conn, account, &server).await })
        })
        .await
    }

    async fn delete_server(&self, account: AccountId, id: ServerId) -> Result<(), Error> {
        self.write(account, move |conn, account| {
            Box::pin(servers::delete(conn, account, id))
        })
        .await
    }

    async fn servers(&self, account: AccountId) -> Result<Vec<Server>, Error> {
        servers::list(&self.readers, self.account(account).await?).await
    }

    async fn insert_source(
        &self,
        account: AccountId,
        source: Source,
        bytes: Bytes,
        hooks: Vec<Hook>,
    ) -> Result<(Source, Vec<Hook>), Error> {
        self.write(account, move |conn, account| {
            Box::pin(async move { sources::insert(conn, account, source, &bytes, hooks).await })
        })
        .await
    }

    async fn update_source(
        &self,
        account: AccountId,
        source: Source,
        bytes: Option<Bytes>,
        hooks: Option<Vec<Hook>>,
    ) -> Result<Vec<Hook>, Error> {
        self.write(account, move |conn, account| {
            Box::pin(async move {
                sources::update(conn, account, &source, bytes.as_deref(), hooks).await
            })
        })
        .await
    }

    async fn delete_source(&self, account: AccountId, id: SourceId) -> Result<(), Error> {
        self.write(account, move |conn, account| {
            Box::pin(sources::delete(conn, account, id))
        })
        .await
    }

    async fn sources(&self, account: AccountId) -> Result<Vec<Source>, Error> {
        sources::list(&self.readers, self.account(account).await?).await
    }

    async fn program(&self, digest: Digest) -> Result<Option<Bytes>, Error> {
        sources::program(&self.readers, digest).await
    }

    async fn insert_hook(&self, account: AccountId, hook: Hook) -> Result<Hook, Error> {
        self.write(account, move |conn, account| {
            Box::pin(hooks::insert(conn, account, hook))
        })
        .await
    }

    async fn update_hook(&self, account: AccountId, hook: Hook) -> Result<(), Error> {
        self.write(account, move |conn, account| {
            Box::pin(async move { hooks::update(conn, account, &hook).await })
        })
        .await
    }

    async fn delete_hook(&self, account: AccountId, id: HookId) -> Result<bool, Error> {
        self.write(account, move |conn, account| {
            Box::pin(hooks::delete(conn, account, id))
        })
        .await
    }

    async fn hooks(&self, account: AccountId) -> Result<Vec<Hook>, Error> {
        hooks::list(&self.readers, self.account(account).await?).await
    }

    async fn insert_tasks(&self, tasks: Vec<NewTask>) -> Result<Vec<Inserted>, Error> {
        let mut rows = Vec::with_capacity(tasks.len());
        for task in tasks {
            rows.push((self.account(task.account).await?, task));
        }
        self.writer.insert(rows).await
    }

    fn settle(&self, settlement: Settlement) -> Queued<()> {
        let known = self.accounts.read().get(&settlement.account).copied();
        match known {
            Some(account) => self.writer.settle(account, settlement),
            // Whoever settles has claimed or inserted the task here, which made it known.
            None => {
                Box::pin(async move { Err(Error::not_found(Noun::Account, settlement.account)) })
            }
        }
    }

    async fn take_over(&self, node: NodeId) -> Result<u64, Error> {
        self.writer
            .run(move |writing| Box::pin(claim::take_over(&mut writing.conn, node)))
            .await
    }

    async fn release(&self, account: AccountId, task: TaskId) -> Result<(), Error> {
        self.write(account, move |conn, account| {
            Box::pin(claim::release(conn, account, task))
        })
        .await
    }

    async fn claim(
        &self,
        account: AccountId,
        node: NodeId,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Claimed, Error> {
        self.write(account, move |conn, number| {
            Box::pin(claim::claim(conn, (number, account), node, now, limit))
        })
        .await
    }

    async fn backlog(&self) -> Result<Vec<Backlog>, Error> {
        claim::backlog(&self.readers).await
    }

    async fn cancel_task(
        &self,
        account: AccountId,
        id: TaskId,
        now: OffsetDateTime,
    ) -> Result<Cancelling, Error> {
        self.write(account, move |conn, account| {
            Box::pin(cancel::task(conn, account, id, now))
        })
        .await
    }

    async fn cancel_execution(
        &self,
        account: AccountId,
        id: ExecutionId,
        now: OffsetDateTime,
    ) -> Result<Cancelling, Error> {
        self.write(account, move |conn, account| {
            Box::pin(cancel::execution(conn, account, id, now))
        })
        .await
    }

    async fn redrive(
        &self,
        account: AccountId,
        id: ExecutionId,
        now: OffsetDateTime,
    ) -> Result<bool, Error> {
        self.write(account, move |conn, account| {
            Box::pin(cancel::redrive(conn, account, id, now))
        })
        .await
    }

    async fn task(&self, account: AccountId, key: Key<TaskId>) -> Result<Option<Task>, Error> {
        tasks::get(&self.readers, self.account(account).await?, key).await
    }

    async fn tasks(
        &self,
        account: AccountId,
        filter: &TaskFilter,
        page: TaskPage,
    ) -> Result<Vec<Task>, Error> {
        tasks::list(&self.readers, self.account(account).await?, filter, page).await
    }

    async fn execution(
        &self,
        account: AccountId,
        id: ExecutionId,
    ) -> Result<Option<Execution>, Error> {
        executions::get(&self.readers, self.account(account).await?, id).await
    }

    async fn executions(
        &self,
        account: AccountId,
        filter: &ExecutionFilter,
        page: ExecutionPage,
        outputs: Outputs,
    ) -> Result<Vec<Execution>, Error> {
        executions::list(
            &self.readers,
            self.account(account).await?,
            filter,
            page,
            outputs,
        )
        .await
    }

    async fn event(&self, account: AccountId, task: TaskId) -> Result<Option<Bytes>, Error> {
        tasks::event(&self.readers, self.account(account).await?, task).await
    }

    async fn sweep(&self, retention: &Retention, now: OffsetDateTime) -> Result<Swept, Error> {
        let retention = retention.clone();
        self.writer
            .run(move |writing| {
                Box::pin(async move { sweep::sweep(writing, &retention, now).await })
            })
            .await
    }

    async fn ready(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1")
            .fetch_one(&self.readers)
            .await
            .map(|_| ())
            .map_err(cannot("read the database"))
    }
}
