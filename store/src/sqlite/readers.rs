//! The connections that read, and how accounts share them.
//!
//! An account reads with two at a time at most, and a read that takes too long is ended;
//! so is one whose caller has gone away. Some connections are for what requests need
//! before their account is known. What is read is the concern of the file that knows the
//! rows.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tenterhook_dispatch::Error;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::convert::cannot;

/// Connections that read for accounts, and what the server reads to keep going. More than
/// there are cores only wait for each other.
const SHARED: usize = 3;

/// How many of them one account has at a time: one is left whatever it asks for.
const EACH: usize = 2;

/// Connections for tokens and accounts, whose reads are short.
const KEPT: usize = 2;

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
    shared: Arc<Pool>,
    kept: Arc<Pool>,
    each: Arc<Mutex<HashMap<i64, Arc<Semaphore>>>>,
}

/// A number of connections, opened when they are first needed.
struct Pool {
    options: SqliteConnectOptions,
    idle: Mutex<Vec<Open>>,
    /// As many turns as there may be connections, in the order in which they are asked
    /// for. No account has more than [`EACH`] in the line of the shared ones, whatever
    /// waits behind, so it is in turns that accounts come.
    turns: Arc<Semaphore>,
    most: usize,
}

/// An open connection.
struct Open {
    conn: SqliteConnection,
    limit: Arc<Limit>,
}

/// Until when a connection may read.
struct Limit {
    opened_at: Instant,
    /// In microseconds since then; 0 ends what it reads.
    until: AtomicU64,
}

/// A connection to read with. What it still reads when it is dropped is ended.
pub(super) struct Reader {
    open: Option<Open>,
    pool: Arc<Pool>,
    // Given back after the connection.
    _turn: OwnedSemaphorePermit,
    _own: Option<OwnedSemaphorePermit>,
}

impl Readers {
    pub(super) fn new(options: &SqliteConnectOptions) -> Self {
        Self {
            shared: Pool::of(SHARED, options),
            kept: Pool::of(KEPT, options),
            each: Arc::default(),
        }
    }

    /// One for an account, when it is its turn.
    pub(super) async fn of(&self, account: i64) -> Result<Reader, Error> {
        self.in_turn(account, LONGEST).await
    }

    /// One for the server itself, when it is its turn. It takes the time that it takes.
    pub(super) async fn of_server(&self) -> Result<Reader, Error> {
        self.in_turn(SERVER, Duration::from_secs(24 * 60 * 60))
            .await
    }

    /// One for what is asked before an account is known, which no account has to share.
    pub(super) async fn kept(&self) -> Result<Reader, Error> {
        Pool::take(&self.kept, None, LONGEST).await
    }

    async fn in_turn(&self, account: i64, longest: Duration) -> Result<Reader, Error> {
        let own = {
            let mut each = self.each.lock();
            // Accounts are never removed, so there are as many of these.
            let own = each.entry(account);
            Arc::clone(own.or_insert_with(|| Arc::new(Semaphore::new(EACH))))
        };
        let own = own.acquire_owned().await.map_err(closed)?;
        Pool::take(&self.shared, Some(own), longest).await
    }

    /// Waits until nothing is read any more, and closes the connections.
    pub(super) async fn close(&self) {
        for pool in [&self.shared, &self.kept] {
            let all = u32::try_from(pool.most).unwrap_or(u32::MAX);
            let all = pool.turns.acquire_many(all).await;
            pool.turns.close();
            drop(all);
            let idle = std::mem::take(&mut *pool.idle.lock());
            for open in idle {
                // It has nothing to write.
                let _closed = open.conn.close().await;
            }
        }
    }
}

fn closed(closed: AcquireError) -> Error {
    Error::store("read the database", closed)
}

impl Pool {
    fn of(most: usize, options: &SqliteConnectOptions) -> Arc<Self> {
        Arc::new(Self {
            options: options.clone(),
            idle: Mutex::default(),
            turns: Arc::new(Semaphore::new(most)),
            most,
        })
    }

    async fn take(
        pool: &Arc<Self>,
        own: Option<OwnedSemaphorePermit>,
        longest: Duration,
    ) -> Result<Reader, Error> {
        let turn = Arc::clone(&pool.turns).acquire_owned().await;
        let mut reader = Reader {
            open: None,
            pool: Arc::clone(pool),
            _turn: turn.map_err(closed)?,
            _own: own,
        };
        reader.open = pool.idle.lock().pop();
        let is_sound = match &mut reader.open {
            // What it read for one who went away has ended when it answers.
            Some(open) => open.conn.ping().await.is_ok(),
            None => false,
        };
        if !is_sound {
            reader.open = Some(pool.open().await.map_err(cannot("open the database"))?);
        }
        if let Some(open) = &reader.open {
            open.limit.allow(longest);
        }
        Ok(reader)
    }

    async fn open(&self) -> Result<Open, sqlx::Error> {
        let mut conn = self.options.connect().await?;
        let limit = Arc::new(Limit {
            opened_at: Instant::now(),
            until: AtomicU64::new(0),
        });
        let goes_on = {
            let limit = Arc::clone(&limit);
            move || limit.goes_on()
        };
        conn.lock_handle().await?.set_progress_handler(OPS, goes_on);
        Ok(Open { conn, limit })
    }
}

impl Limit {
    fn passed(&self) -> u64 {
        u64::try_from(self.opened_at.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn allow(&self, longest: Duration) {
        let longest = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
        let until = self.passed().saturating_add(longest);
        self.until.store(until, Ordering::Relaxed);
    }

    fn goes_on(&self) -> bool {
        self.passed() < self.until.load(Ordering::Relaxed)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            open.limit.until.store(0, Ordering::Relaxed);
            self.pool.idle.lock().push(open);
        }
    }
}

impl Deref for Reader {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        let open = self.open.as_ref();
        &open
            .expect("a reader is given out with its connection")
            .conn
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        let open = self.open.as_mut();
        &mut open
            .expect("a reader is given out with its connection")
            .conn
    }
}

#[cfg(test)]
mod tests;
