//! The dispatcher: keeps the nouns' rules, and carries events to their hooks.
//!
//! What it promises lies in the store; what it holds in memory is a copy to be
//! fast with. Whatever it has begun to write down it finishes, even if the
//! caller goes away meanwhile.

mod carry_out;
mod core;
mod holding;
mod parts;
mod timekeeper;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tenterhook_clock::{Clock, SystemClock, Timepiece};
use tenterhook_engine::Engine;
use tenterhook_ledger::{Guard, Ledger};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::carry_out::carry_out;
pub(crate) use self::core::{Core, spawn_blocking};
pub use self::holding::holding;
use self::timekeeper::Timekeeper;
use crate::disk::Disk;
use crate::error::Error;
use crate::id::{AccountId, NodeId};
use crate::readiness::NotReady;
use crate::registry::directory::Directories;
use crate::registry::programs::Programs;
use crate::runs::scheduler::Scheduler;
use crate::runs::stats::Counters;
use crate::settings::Settings;
use crate::store::Store;
use crate::tenancy::authority::Authorities;
use crate::tenancy::identities::IdentityCache;

/// Keeps the nouns' rules and carries events to their hooks.
///
/// Cheap to clone; all clones are one dispatcher. Needs a tokio runtime.
#[derive(Clone)]
pub struct Dispatcher {
    pub(crate) core: Arc<Core>,
}

impl Dispatcher {
    /// Starts a dispatcher, and adopts what an earlier run of the server
    /// has left: what was waiting or running then is run again.
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
            tracing::info!(tasks = taken_over, "adopting the tasks of an earlier run");
        }
        // The clock may have been set back since they were stored.
        store.shorten_waits(timepiece.now_for_waits().wall).await?;
        let core = Arc::new(Core {
            timekeeper: Mutex::new(timekeeper),
            scheduler: Mutex::new(Scheduler::new(
                &settings,
                engine.ledger().clone(),
                timepiece.clone(),
            )),
            timepiece,
            directories: Directories::default(),
            disk: Disk::new(engine.ledger().clone()),
            programs: Programs::new(settings.programs),
            identity_cache: IdentityCache::default(),
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
        core.disk.count(&*core.store).await?;
        for backlog in core.store.backlog().await? {
            core.scheduler
                .lock()
                .note_backlog(backlog.account, backlog.due_at);
        }
        core.collect_code().await;
        tokio::spawn(crate::runs::claim::keep_claiming(
            Arc::downgrade(&core),
            Arc::clone(&core.wake),
        ));
        tokio::spawn(crate::runs::room::keep_asking(
            Arc::downgrade(&core),
            core.engine.ledger().clone(),
            Arc::clone(&core.starved),
        ));
        tokio::spawn(upkeep::keep_up(Arc::downgrade(&core)));
        Ok(Self { core })
    }

    /// The owner of what tenants share: that of the engine.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        self.core.engine.ledger()
    }

    /// Takes room on the disk for what is kept for an account beside the dispatcher's own,
    /// such as what its webhooks are owed.
    ///
    /// # Errors
    ///
    /// [`Error::DiskFull`].
    pub fn reserve_disk(&self, account: AccountId, bytes: u64) -> Result<Guard, Error> {
        self.core.disk.reserve(account, bytes)
    }

    /// Counts what was reserved as written, until the store counts it itself.
    pub fn disk_written(&self, account: AccountId, reserved: Guard) {
        self.core.disk.written(account, reserved);
    }

    /// The clocks that the dispatcher lives by, for what has to agree with it.
    #[must_use]
    pub fn timepiece(&self) -> Timepiece {
        self.core.timepiece.clone()
    }

    /// How the dispatcher was set up.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.core.settings
    }

    /// Shuts down: accepts nothing more, lets what runs come to its end for at most
    /// `grace`, then ends it; it will be run again at the next start.
    pub async fn drain(&self, grace: Duration) {
        let core = &self.core;
        let end = core.clock.sleep(grace);
        core.store.note_leaving();
        let idle = core.scheduler.lock().stop();
        core.wake.notify_one();
        core.work.close();
        let ended = async {
            // What stays owned is taken up by the next start all the same.
            if let Err(error) = core.store.release(idle).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot release the loaded tasks"
                );
            }
            core.work.wait().await;
        };
        tokio::select! {
            () = ended => {}
            () = end => {
                core.scheduler.lock().abandon();
                core.leaving.cancel();
                core.work.wait().await;
            }
        }
        core.flush_token_uses().await;
    }

    /// Notes that the process is about to end because it was asked to, with whatever
    /// runs: none of that is taken for the cause.
    pub fn note_leaving(&self) {
        self.core.store.note_leaving();
    }

    /// Writes what was accepted to its place and closes the store, after
    /// [`drain`](Self::drain).
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn close(&self) -> Result<(), Error> {
        self.core.store.close().await
    }

    /// Waits until the store can never write again, and returns the reason. Nothing can be
    /// accepted then, nor its outcome stored: a process that goes on is of no use.
    pub async fn store_gone(&self) -> String {
        self.core.store.gone().await
    }

    /// Reports whether events can be accepted, for a readiness check.
    ///
    /// # Errors
    ///
    /// Why not.
    pub async fn ready(&self) -> Result<(), NotReady> {
        if self.core.scheduler.lock().is_stopping() {
            return Err(NotReady::Stopping);
        }
        self.core.store.ready().await
    }
}
