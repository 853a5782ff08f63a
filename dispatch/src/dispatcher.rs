//! The dispatcher: keeps the nouns' rules, and carries events to their hooks.
//!
//! What it promises lies in the store; what it holds in memory is a copy to be
//! fast with. Whatever it has begun to write down it finishes, even if the
//! caller goes away meanwhile.

mod accept;
mod accounts;
mod apps;
mod audit;
mod cancel;
mod claim;
mod code;
mod execute;
mod find;
mod holding;
mod hooks;
mod identities;
mod overrides;
mod principals;
mod read;
mod room;
mod run;
mod servers;
mod sources;
mod stats;
mod timekeeper;
mod tokens;
mod upkeep;
mod wait;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tenterhook_clock::{Clock, SystemClock, Timepiece};
use tenterhook_engine::Engine;
use tenterhook_ledger::{Guard, Ledger};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::accept::Accepted;
pub use self::execute::{NewExecute, Program};
pub use self::holding::holding;
use self::identities::Believed;
use self::stats::Counters;
pub use self::stats::Stats;
use self::timekeeper::Timekeeper;
use crate::authority::Authorities;
use crate::directory::{Directories, Entry};
use crate::disk::Disk;
use crate::error::Error;
use crate::floor::Floor;
use crate::id::{AccountId, NodeId};
use crate::programs::Programs;
use crate::readiness::NotReady;
use crate::settings::Settings;
use crate::store::Store;

/// Keeps the nouns' rules and carries events to their hooks.
///
/// Cheap to clone; all clones are one dispatcher. Needs a tokio runtime.
#[derive(Clone)]
pub struct Dispatcher {
    inner: Arc<Inner>,
}

/// What all clones of a dispatcher share.
struct Inner {
    store: Arc<dyn Store>,
    engine: Engine,
    settings: Settings,
    node: NodeId,
    clock: Arc<dyn Clock>,
    timekeeper: Mutex<Timekeeper>,
    timepiece: Timepiece,
    floor: Mutex<Floor>,
    directories: Directories,
    disk: Disk,
    programs: Programs,
    believed: Believed,
    authorities: Authorities,
    counters: Counters,
    /// Wakes the claimer: there may be something due, or room for it.
    wake: Arc<Notify>,
    /// Says that something waits for room.
    starved: Arc<Notify>,
    /// Everything that must be over before the process ends.
    work: TaskTracker,
    /// Cancelled when there is no more time for what has not begun to be stored.
    leaving: CancellationToken,
}

impl Dispatcher {
    /// Starts a dispatcher, and takes over what an earlier run of the server
    /// has left: whatever was waiting or running then is run again.
    ///
    /// The store must not be in use by another dispatcher.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn start(
        store: Arc<dyn Store>,
        engine: Engine,
        settings: Settings,
    ) -> Result<Self, Error> {
        Self::start_with(store, engine, settings, Arc::new(SystemClock)).await
    }

    /// Starts a dispatcher that lives by `clock`.
    ///
    /// # Errors
    ///
    /// See [`start`](Self::start).
    pub async fn start_with(
        store: Arc<dyn Store>,
        engine: Engine,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let node = NodeId::generate();
        let seen = store.clock_seen().await?;
        let timepiece = Timepiece::start(Arc::clone(&clock), seen);
        let timekeeper = Timekeeper::start(timepiece.clone(), seen, settings.trust_clock);
        let taken_over = store.take_over(node).await?;
        if taken_over > 0 {
            tracing::info!(
                tasks = taken_over,
                "taking over what an earlier run has left"
            );
        }
        // The clock may have been set back since they were stored.
        store.shorten_waits(timepiece.now_for_waits().wall).await?;
        let inner = Arc::new(Inner {
            timekeeper: Mutex::new(timekeeper),
            floor: Mutex::new(Floor::new(
                &settings,
                engine.ledger().clone(),
                timepiece.clone(),
            )),
            timepiece,
            directories: Directories::default(),
            disk: Disk::new(engine.ledger().clone()),
            programs: Programs::new(settings.programs),
            believed: Believed::default(),
            authorities: Authorities::default(),
            counters: Counters::default(),
            wake: Arc::new(Notify::new()),
            starved: Arc::new(Notify::new()),
            work: TaskTracker::new(),
            leaving: CancellationToken::new(),
            store,
            engine,
            settings,
            node,
            clock,
        });
        inner.disk.count(&*inner.store).await?;
        for backlog in inner.store.backlog().await? {
            inner
                .floor
                .lock()
                .note_backlog(backlog.account, backlog.due_at);
        }
        inner.collect_code().await;
        tokio::spawn(claim::keep_claiming(
            Arc::downgrade(&inner),
            Arc::clone(&inner.wake),
        ));
        tokio::spawn(room::keep_asking(
            Arc::downgrade(&inner),
            inner.engine.ledger().clone(),
            Arc::clone(&inner.starved),
        ));
        tokio::spawn(upkeep::keep_up(Arc::downgrade(&inner)));
        Ok(Self { inner })
    }

    /// The owner of what tenants share: that of the engine.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        self.inner.engine.ledger()
    }

    /// Takes room on the disk for what is kept for an account beside the dispatcher's own,
    /// such as what its webhooks are owed.
    ///
    /// # Errors
    ///
    /// [`Error::DiskFull`].
    pub fn reserve_disk(&self, account: AccountId, bytes: u64) -> Result<Guard, Error> {
        self.inner.disk.reserve(account, bytes)
    }

    /// Counts what was reserved as written, until the store counts it itself.
    pub fn disk_written(&self, account: AccountId, reserved: Guard) {
        self.inner.disk.written(account, reserved);
    }

    /// The clocks that the dispatcher lives by, for what has to agree with it.
    #[must_use]
    pub fn timepiece(&self) -> Timepiece {
        self.inner.timepiece.clone()
    }

    /// How the dispatcher was set up.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Shuts down: accepts nothing more, lets what runs come to its end for at most
    /// `grace`, then ends it; it will be run again at the next start.
    pub async fn drain(&self, grace: Duration) {
        let inner = &self.inner;
        let end = inner.clock.sleep(grace);
        inner.store.note_leaving();
        let idle = inner.floor.lock().stop();
        inner.wake.notify_one();
        inner.work.close();
        let ended = async {
            // What stays owned is taken up by the next start all the same.
            if let Err(error) = inner.store.release(idle).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot release what was loaded"
                );
            }
            inner.work.wait().await;
        };
        tokio::select! {
            () = ended => {}
            () = end => {
                inner.floor.lock().abandon();
                inner.leaving.cancel();
                inner.work.wait().await;
            }
        }
        inner.flush_token_uses().await;
    }

    /// Notes that the process is about to end because it was asked to, with whatever
    /// runs: none of that is taken for the cause.
    pub fn note_leaving(&self) {
        self.inner.store.note_leaving();
    }

    /// Writes what was accepted to its place and closes the store, after
    /// [`drain`](Self::drain).
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn close(&self) -> Result<(), Error> {
        self.inner.store.close().await
    }

    /// Waits until the store can never write again, and says why. Nothing can be
    /// accepted then, nor its outcome stored: a process that goes on is of no use.
    pub async fn store_gone(&self) -> String {
        self.inner.store.gone().await
    }

    /// Reports whether events can be accepted, for a readiness check.
    ///
    /// # Errors
    ///
    /// Why not.
    pub async fn ready(&self) -> Result<(), NotReady> {
        if self.inner.floor.lock().is_stopping() {
            return Err(NotReady::Stopping);
        }
        self.inner.store.ready().await
    }

    /// Carries out a change to its end, even if the caller goes away meanwhile. What the
    /// caller holds for it is held as long.
    async fn carry_out<T, W, F>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
        W: FnOnce(Arc<Inner>) -> F,
    {
        self.inner.check_going()?;
        let work = holding::keep_held(work(Arc::clone(&self.inner)));
        match self.inner.work.spawn(work).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Error::Stopping),
            },
        }
    }
}

/// Does work that takes a while where nobody waits for the thread.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::Stopping),
        },
    }
}

impl Inner {
    /// Finds what is known of an account, or reads it.
    async fn entry(&self, account: AccountId) -> Result<Arc<Entry>, Error> {
        self.directories.of(&*self.store, account).await
    }

    fn check_going(&self) -> Result<(), Error> {
        if self.floor.lock().is_stopping() {
            return Err(Error::Stopping);
        }
        Ok(())
    }
}
