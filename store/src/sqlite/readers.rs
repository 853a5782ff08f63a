//! The connections that read, and how accounts share them.
//!
//! An account reads with two at a time at most, and a read that takes too long is ended;
//! so is one whose caller has gone away. Some connections are for what requests need
//! before their account is known. What is read is the concern of the file that knows the
//! rows.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePoolOptions};
use sqlx::{Sqlite, SqlitePool};
use tenterhook_dispatch::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::convert::cannot;

/// Connections that read for accounts, and what the server reads to keep going. More than
/// there are cores only wait for each other.
const SHARED: u32 = 3;

/// How many of them one account has at a time: one is left whatever it asks for.
const EACH: usize = 2;

/// Connections for tokens and accounts, whose reads are short.
const KEPT: u32 = 2;

/// How long one connection reads for an account at a time. A page of the longest list
/// takes a tenth of it on a slow disk.
const LONGEST: Duration = Duration::from_secs(5);

/// Instructions of the database between two looks at the time; some 100 µs.
const OPS: i32 = 5_000;

/// In place of an account's number: the server itself.
const SERVER: i64 = i64::MIN;

/// The connections that read. Cheap to clone; all clones share them.
#[derive(Clone)]
pub(super) struct Readers {
    shared: SqlitePool,
    kept: SqlitePool,
    /// As many turns as there are shared connections. No account has more than [`EACH`]
    /// in this line, whatever waits behind, so it is in turns that they come.
    turns: Arc<Semaphore>,
    each: Arc<Mutex<HashMap<i64, Arc<Semaphore>>>>,
}

/// A connection to read with. What it still reads when it is dropped is ended.
pub(super) struct Reader {
    conn: PoolConnection<Sqlite>,
    is_over: Arc<AtomicBool>,
    _turn: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl Readers {
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let pool = |connections| {
            let pool = SqlitePoolOptions::new().max_connections(connections);
            pool.connect_with(options.clone())
        };
        Ok(Self {
            shared: pool(SHARED).await?,
            kept: pool(KEPT).await?,
            turns: Arc::new(Semaphore::new(SHARED as usize)),
            each: Arc::default(),
        })
    }

    /// One for an account, when it is its turn.
    pub(super) async fn of(&self, account: i64) -> Result<Reader, Error> {
        let until = |begun: Instant| begun + LONGEST;
        self.in_turn(account, until).await
    }

    /// One for the server itself, when it is its turn. It takes the time that it takes.
    pub(super) async fn of_server(&self) -> Result<Reader, Error> {
        let until = |begun: Instant| begun + Duration::from_secs(24 * 60 * 60);
        self.in_turn(SERVER, until).await
    }

    /// One for what is asked before an account is known, which no account has to share.
    pub(super) async fn kept(&self) -> Result<Reader, Error> {
        Reader::take(&self.kept, None, |begun| begun + LONGEST).await
    }

    async fn in_turn(
        &self,
        account: i64,
        until: impl FnOnce(Instant) -> Instant,
    ) -> Result<Reader, Error> {
        const OPEN: &str = "the turns are never closed";
        let own = {
            let mut each = self.each.lock();
            let own = each.entry(account).or_insert_with(|| {
                // Accounts are never removed, so there are as many of these.
                Arc::new(Semaphore::new(EACH))
            });
            Arc::clone(own)
        };
        let own = own.acquire_owned().await.expect(OPEN);
        let turn = Arc::clone(&self.turns).acquire_owned().await.expect(OPEN);
        Reader::take(&self.shared, Some((own, turn)), until).await
    }

    pub(super) async fn close(&self) {
        self.shared.close().await;
        self.kept.close().await;
    }
}

impl Reader {
    async fn take(
        pool: &SqlitePool,
        turn: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
        until: impl FnOnce(Instant) -> Instant,
    ) -> Result<Self, Error> {
        const DOING: &str = "read the database";
        let mut conn = pool.acquire().await.map_err(cannot(DOING))?;
        let is_over = Arc::new(AtomicBool::new(false));
        let until = until(Instant::now());
        let goes_on = {
            let is_over = Arc::clone(&is_over);
            move || !is_over.load(Ordering::Relaxed) && Instant::now() < until
        };
        let mut handle = conn.lock_handle().await.map_err(cannot(DOING))?;
        handle.set_progress_handler(OPS, goes_on);
        drop(handle);
        Ok(Self {
            conn,
            is_over,
            _turn: turn,
        })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

impl Deref for Reader {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.conn
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.conn
    }
}

#[cfg(test)]
mod tests;
