//! The store in one `SQLite` file.
//!
//! One connection writes, and groups commits; a pool of others reads. A commit
//! is on the disk before it is answered (`synchronous = FULL`).

mod accounts;
mod apps;
mod attempts;
mod cancel;
mod checksums;
mod claim;
mod columns;
mod constraints;
mod convert;
mod damaged;
mod disk;
pub(crate) mod every_row;
mod executions;
mod health;
mod hooks;
mod identity;
mod insert;
mod log;
mod migrations;
mod outbox;
mod overrides;
mod readers;
mod reserve;
mod results;
mod rows;
mod running;
mod salvage;
pub(crate) mod schema;
mod seen;
mod servers;
mod sessions;
mod set_aside;
mod sources;
mod strays;
mod sweep;
mod take_over;
mod tasks;
mod trial;
mod vacuum;
mod wall_clock;
mod writer;

use std::collections::HashMap;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::RwLock;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous,
};
use tenterhook_dispatch::{AccountId, Error, LifecycleStore, NotReady, Noun};
use tokio::time::timeout;

use self::damaged::Damaged;
use self::disk::Recounts;
pub(crate) use self::disk::found;
use self::log::Log;
pub(crate) use self::migrations::LATEST;
use self::readers::Readers;
use self::reserve::Reserve;
use self::running::Running;
use self::schema::Version;
use self::strays::Strays;
use self::trial::End;
use self::writer::{Purpose, Writer};

/// How long a connection waits for another process that holds the file's lock.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const ACCOUNTS_LOST: &str = "its accounts are gone, and what belongs to them is there: it was damaged; restore a \
    backup (`tenterhook restore`), or, to begin with an empty one, move it away and say `--new-database`";

/// The store in one `SQLite` file. Cheap to clone; all clones are one store.
///
/// One process only may have the file open at a time.
#[derive(Clone)]
pub struct Sqlite {
    writer: Writer,
    readers: Readers,
    log: Log,
    damaged: Damaged,
    strays: Strays,
    recounts: Recounts,
    /// What runs, for the next run of the server.
    running: Arc<Running>,
    /// Accounts are never renumbered nor removed.
    accounts: Arc<RwLock<HashMap<AccountId, i64>>>,
}

impl Sqlite {
    /// Opens the file, makes it if there is none, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`Open`](crate::Error::Open), [`Unusable`](crate::Error::Unusable),
    /// [`Migrate`](crate::Error::Migrate), [`Checksums`](crate::Error::Checksums) or
    /// [`Look`](crate::Error::Look).
    pub async fn open(path: &Path) -> Result<Self, crate::Error> {
        Reserve::make_room(path);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            // 16 MiB of log between checkpoints: each costs two syncs of its own.
            .pragma("wal_autocheckpoint", "4000")
            // What a log had to grow to beside a long read, it gives back afterwards.
            .pragma("journal_size_limit", log::MOST.to_string())
            // A server that is locked down has no folder for temporary files.
            .pragma("temp_store", "memory")
            .pragma("cache_size", "-16000")
            .disable_statement_logging();
        let opened = |source| crate::Error::Open {
            path: path.into(),
            source,
        };
        let mut conn = options
            .clone()
            .create_if_missing(true)
            // For new files; those that are there already are rewritten below.
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .connect()
            .await
            .map_err(opened)?;
        migrate(&mut conn, path).await?;
        if accounts::are_lost(&mut conn).await.map_err(opened)? {
            return Err(crate::Error::unusable(path, ACCOUNTS_LOST));
        }
        match checksums::fill(&mut conn).await {
            // Sources that lack one are damaged then, as their hooks are.
            Err(error) if convert::is_corrupt(&error) => {
                let _none_begun = sqlx::query("ROLLBACK").execute(&mut conn).await;
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "cannot fill in the checksums of sources; `tenterhook check-data` has the details"
                );
            }
            filled => filled.map_err(|source| crate::Error::Checksums {
                path: path.into(),
                source,
            })?,
        }
        let mut conn = vacuum::enable(conn, path, &options).await.map_err(opened)?;
        match disk::repair(&mut conn).await {
            // They are charged what they were charged before.
            Err(error) if convert::is_corrupt(&error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "cannot count the disk usage of accounts; `tenterhook check-data` has the details"
            ),
            repaired => repaired.map_err(opened)?,
        }
        let damaged = Damaged::default();
        let strays =
            Strays::find(&mut conn, &damaged)
                .await
                .map_err(|source| crate::Error::Look {
                    path: path.into(),
                    source,
                })?;
        let log = Log::of(path, &options);
        let options = options.read_only(true).pragma("cache_size", "-4000");
        let readers = Readers::new(&options);
        Ok(Self {
            writer: Writer::start(conn, Reserve::beside(path), damaged.clone()),
            readers,
            log,
            damaged,
            strays,
            recounts: Recounts::default(),
            running: Arc::new(Running::beside(path)),
            accounts: Arc::default(),
        })
    }

    /// Makes sure that what every call and every event needs can be read.
    async fn can_read(&self) -> Result<(), Error> {
        let mut reader = self.readers.kept().await?;
        match trial::read(&mut reader, End::First).await {
            Err(_) => trial::read(&mut reader, End::Last).await,
            read => read,
        }
    }

    /// The integer by which rows refer to an account.
    async fn number_of(&self, id: AccountId) -> Result<i64, Error> {
        let known = self.accounts.read().get(&id).copied();
        if let Some(number) = known {
            return Ok(number);
        }
        let mut reader = self.readers.kept().await?;
        let number = accounts::number(&mut reader, id)
            .await?
            .ok_or_else(|| Error::not_found(Noun::Account, id))?;
        self.accounts.write().insert(id, number);
        Ok(number)
    }

    /// Runs a change of an account's rows on the writer.
    async fn write<T, F>(&self, account: AccountId, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Change<T>,
    {
        self.write_large(account, 0, job).await
    }

    /// The same for a change that frees some of the disk, or takes away an authority: it has
    /// room where the disk is full.
    async fn write_to_free<T, F>(&self, account: AccountId, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(
                &'c mut SqliteConnection,
                i64,
            )
                -> Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'c>>
            + Send
            + 'static,
    {
        self.write_for(Purpose::ToFree, account, 0, job).await
    }

    /// A change of about so many bytes.
    async fn write_large<T, F>(&self, account: AccountId, bytes: usize, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Change<T>,
    {
        self.write_for(Purpose::Any, account, bytes, job).await
    }

    async fn write_for<T, F>(
        &self,
        purpose: Purpose,
        account: AccountId,
        bytes: usize,
        job: F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(
                &'c mut SqliteConnection,
                i64,
            )
                -> Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'c>>
            + Send
            + 'static,
    {
        let account = self.number_of(account).await?;
        self.writer
            .run_for(purpose, account, bytes, move |writing| {
                job(&mut writing.conn, account)
            })
            .await
    }
}

#[async_trait]
impl LifecycleStore for Sqlite {
    async fn ready(&self) -> Result<(), NotReady> {
        self.writer.probe().await?;
        match timeout(writer::PROBE, self.can_read()).await {
            Ok(Err(error)) => Err(health::reason(&error).unwrap_or(NotReady::Other)),
            // A read that takes too long says nothing of the store.
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }

    async fn gone(&self) -> String {
        self.writer.gone().await
    }

    /// Closes the readers, moves the log into the database and closes that. What is written is
    /// in one file then, which can be copied.
    async fn close(&self) -> Result<(), Error> {
        self.readers.close().await;
        self.writer.close().await
    }
}

/// A change of the rows of an account with this number.
trait Change<T>:
    for<'c> FnOnce(&'c mut SqliteConnection, i64) -> Changing<'c, T> + Send + 'static
{
}

impl<T, F> Change<T> for F where
    F: for<'c> FnOnce(&'c mut SqliteConnection, i64) -> Changing<'c, T> + Send + 'static
{
}

type Changing<'c, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'c>>;

/// Brings the schema up to date. Where only the notes of what was done are damaged, they are
/// written again.
async fn migrate(conn: &mut SqliteConnection, path: &Path) -> Result<(), crate::Error> {
    let migrating = |source| crate::Error::Migrate {
        path: path.into(),
        source,
    };
    let version = schema::version(conn)
        .await
        .map_err(|source| crate::Error::Open {
            path: path.into(),
            source,
        })?;
    match version {
        Version::Is(_) => {}
        Version::Damaged(version) => schema::note_again(conn, version).await.map_err(migrating)?,
        Version::Newer => return Err(crate::Error::newer(path)),
        Version::Unknown => return Err(crate::Error::no_schema(path)),
    }
    migrations::migrator().run(conn).await.map_err(migrating)
}
