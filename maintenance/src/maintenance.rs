//! The operations of maintenance that APIs call.

mod create;
mod projects;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use tenterhook_delivery::Webhooks;
use tenterhook_dispatch::{AccountId, Dispatcher, Key, Timepiece, carry_out};
use tenterhook_session::{State, Step};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::driver;
use crate::error::Error;
use crate::live::LiveSession;
use crate::request::Stored;
use crate::settings::Settings;
use crate::store::SessionStore;

/// All maintenance sessions of a server. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Maintenance {
    inner: Arc<MaintenanceInner>,
}

/// What all clones share.
pub(crate) struct MaintenanceInner {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) delivery: Webhooks,
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) settings: Settings,
    /// The dispatcher's.
    pub(crate) timepiece: Timepiece,
    /// Cancelled when no session is to be driven any further.
    pub(crate) stopping: CancellationToken,
    /// The drivers, and changes that must come to their end.
    pub(crate) work: TaskTracker,
    sessions: RwLock<HashMap<Uuid, Arc<LiveSession>>>,
}

impl Maintenance {
    /// Reads the sessions, and resumes each where it was.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn start(
        dispatcher: Dispatcher,
        delivery: Webhooks,
        store: Arc<dyn SessionStore>,
        settings: Settings,
    ) -> Result<Self, Error> {
        let stored = store.sessions().await?;
        let inner = Arc::new(MaintenanceInner {
            timepiece: dispatcher.timepiece(),
            dispatcher,
            delivery,
            store,
            settings,
            stopping: CancellationToken::new(),
            work: TaskTracker::new(),
            sessions: RwLock::default(),
        });
        let now = inner.timepiece.now().wall;
        for mut stored in stored {
            stored.session.wake(&inner.settings.timeouts, now);
            inner.load(stored).await;
        }
        Ok(Self { inner })
    }

    /// The webhooks through which projects are notified.
    #[must_use]
    pub fn delivery(&self) -> &Webhooks {
        &self.inner.delivery
    }

    /// Lists the sessions of an account, oldest first.
    #[must_use]
    pub fn sessions(&self, account: AccountId) -> Vec<Uuid> {
        let sessions = self.inner.sessions.read();
        let mut found: Vec<_> = sessions
            .values()
            .filter(|live| live.account == account)
            .map(|live| (live.created_at, live.id))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// Finds a session of an account.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`].
    pub async fn session(&self, account: AccountId, id: Uuid) -> Result<Stored, Error> {
        Ok(self.inner.of(account, id)?.stored().await)
    }

    /// Lists what a session has done, oldest first: the last 5,000 steps.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::Store`].
    pub async fn steps(&self, account: AccountId, id: Uuid) -> Result<Vec<Step>, Error> {
        self.inner.of(account, id)?;
        self.inner.store.steps(account, id).await
    }

    /// Resumes a failed session at the step that failed, or at the beginning of `at`.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::NotFailed`], [`Error::HostTaken`], [`Error::Store`].
    pub async fn resume(
        &self,
        account: AccountId,
        id: Uuid,
        at: Option<State>,
    ) -> Result<Stored, Error> {
        let live = self.inner.of(account, id)?;
        self.carry_out(async move |inner: Arc<MaintenanceInner>| {
            live.change(&*inner.store, |session| {
                session
                    .resume(at, inner.timepiece.now().wall)
                    .map_err(Error::from)
            })
            .await?;
            live.changed.notify_one();
            Ok(live.stored().await)
        })
        .await
    }

    /// Removes a session; one that runs is stopped first, its plug-in cancelled.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::Dispatch`], [`Error::Store`]. The session goes on
    /// then.
    pub async fn delete(&self, account: AccountId, id: Uuid) -> Result<(), Error> {
        let live = self.inner.of(account, id)?;
        self.carry_out(async move |inner: Arc<MaintenanceInner>| {
            let mut driver = live.driver.lock().await;
            // Another call may have removed it while this one waited.
            inner.of(account, id)?;
            if let Some(driver) = driver.take() {
                driver.stop.cancel();
                let _panicked = driver.ended.await;
            }
            let removed = inner.remove(&live).await;
            if removed.is_err() {
                *driver = Some(driver::start(&inner, &live));
            }
            removed
        })
        .await
    }

    /// Stops driving sessions; the next start resumes them.
    pub async fn drain(&self) {
        self.inner.stopping.cancel();
        self.inner.work.close();
        self.inner.work.wait().await;
    }

    /// Carries out a change to its end, even if the caller goes away meanwhile.
    async fn carry_out<T, W, F>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
        W: FnOnce(Arc<MaintenanceInner>) -> F,
    {
        carry_out(&self.inner.work, work(Arc::clone(&self.inner))).await
    }
}

impl MaintenanceInner {
    /// Loads a session into memory and starts to drive it.
    async fn load(self: &Arc<Self>, stored: Stored) {
        let live = Arc::new(LiveSession::new(stored));
        // A call that removes it waits until it is driven.
        let mut driver = live.driver.lock().await;
        self.sessions.write().insert(live.id, Arc::clone(&live));
        *driver = Some(driver::start(self, &live));
    }

    /// Finds a session of an account.
    fn of(&self, account: AccountId, id: Uuid) -> Result<Arc<LiveSession>, Error> {
        let live = self.sessions.read().get(&id).map(Arc::clone);
        live.filter(|live| live.account == account)
            .ok_or(Error::NoSession(id))
    }

    /// Removes a session without a driver, and cancels what it is running.
    async fn remove(&self, live: &LiveSession) -> Result<(), Error> {
        let running = *live.running.lock();
        if let Some(task) = running {
            match self
                .dispatcher
                .tasks()
                .cancel(live.account, Key::Id(task))
                .await
            {
                Ok(_) | Err(tenterhook_dispatch::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match self.store.delete_session(live.account, live.id).await {
            Ok(()) | Err(Error::NoSession(_)) => {
                self.sessions.write().remove(&live.id);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
