//! What all parts of a dispatcher share, and who may still begin a change.

use std::future::Future;
use std::sync::Arc;

use parking_lot::Mutex;
use tenterhook_clock::{Clock, Timepiece};
use tenterhook_engine::Engine;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::carry_out::{carry_out, join};
use super::timekeeper::Timekeeper;
use crate::disk::Disk;
use crate::error::Error;
use crate::id::{AccountId, NodeId};
use crate::registry::directory::{Directories, Entry};
use crate::registry::programs::Programs;
use crate::runs::scheduler::Scheduler;
use crate::runs::stats::Counters;
use crate::settings::Settings;
use crate::store::Store;
use crate::tenancy::authority::Authorities;
use crate::tenancy::identities::IdentityCache;

/// What all clones of a dispatcher share.
pub(crate) struct Core {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) engine: Engine,
    pub(crate) settings: Settings,
    pub(crate) node: NodeId,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timekeeper: Mutex<Timekeeper>,
    pub(crate) timepiece: Timepiece,
    pub(crate) scheduler: Mutex<Scheduler>,
    pub(crate) directories: Directories,
    pub(crate) disk: Disk,
    pub(crate) programs: Programs,
    pub(crate) identity_cache: IdentityCache,
    pub(crate) authorities: Authorities,
    pub(crate) counters: Counters,
    /// Wakes the claimer: there may be something due, or room for it.
    pub(crate) wake: Arc<Notify>,
    /// Says that something waits for room.
    pub(crate) starved: Arc<Notify>,
    /// Everything that must be over before the process ends.
    pub(crate) work: TaskTracker,
    /// Cancelled when there is no more time for what has not begun to be stored.
    pub(crate) leaving: CancellationToken,
}

impl Core {
    /// Finds what is known of an account, or reads it.
    pub(crate) async fn entry(&self, account: AccountId) -> Result<Arc<Entry>, Error> {
        self.directories.of(&*self.store, account).await
    }

    pub(crate) fn check_going(&self) -> Result<(), Error> {
        if self.scheduler.lock().is_stopping() {
            return Err(Error::Stopping);
        }
        Ok(())
    }

    /// Carries out a change to its end, even if the caller goes away meanwhile, unless the
    /// dispatcher is stopping.
    pub(crate) async fn carry_out<T, W, F>(self: &Arc<Self>, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
        W: FnOnce(Arc<Core>) -> F,
    {
        self.check_going()?;
        carry_out(&self.work, work(Arc::clone(self))).await
    }
}

/// Runs work that takes a while where no other work waits for the thread.
pub(crate) async fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    join(tokio::task::spawn_blocking(work)).await
}
