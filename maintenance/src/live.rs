//! A session in memory: one lock, one driver, and never ahead of the store.
//!
//! A change is made to a copy, stored, and only then becomes the session.

use parking_lot::Mutex;
use tenterhook_dispatch::{AccountId, TaskId};
use tenterhook_session::Session;
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::Error;
use crate::request::Stored;
use crate::store::SessionStore;

/// A session in memory.
pub(crate) struct LiveSession {
    /// The session's identifier.
    pub(crate) id: Uuid,
    /// The account that it belongs to.
    pub(crate) account: AccountId,
    /// The principal that created it.
    pub(crate) created_by: String,
    /// Where projects reach this server.
    pub(crate) base_url: String,
    /// When it was created.
    pub(crate) created_at: OffsetDateTime,
    /// Wakes the driver: the session was changed by a call.
    pub(crate) changed: Notify,
    /// The task that currently runs for the session, to be cancelled with it.
    pub(crate) running: Mutex<Option<TaskId>>,
    /// Its driver; `None` while it is being removed.
    pub(crate) driver: tokio::sync::Mutex<Option<Driver>>,
    session: tokio::sync::Mutex<Session>,
}

/// The task that drives a session.
pub(crate) struct Driver {
    /// Stops it at the next clean point.
    pub(crate) stop: CancellationToken,
    /// Finishes when it has ended.
    pub(crate) ended: JoinHandle<()>,
}

impl LiveSession {
    pub(crate) fn new(stored: Stored) -> Self {
        Self {
            id: stored.session.id(),
            account: stored.account,
            created_by: stored.created_by,
            base_url: stored.base_url,
            created_at: stored.created_at,
            changed: Notify::new(),
            running: Mutex::new(None),
            driver: tokio::sync::Mutex::new(None),
            session: tokio::sync::Mutex::new(stored.session),
        }
    }

    /// Returns the session as it is stored.
    pub(crate) async fn stored(&self) -> Stored {
        Stored {
            account: self.account,
            session: self.session.lock().await.clone(),
            created_by: self.created_by.clone(),
            base_url: self.base_url.clone(),
            created_at: self.created_at,
        }
    }

    /// Reads something of the session.
    pub(crate) async fn read<T>(&self, read: impl FnOnce(&Session) -> T) -> T {
        read(&*self.session.lock().await)
    }

    /// Changes the session. It is stored when this returns; if `change` or the store
    /// fails, it is as it was.
    ///
    /// Must not be dropped before it ends: the store might have the change alone.
    pub(crate) async fn change<T>(
        &self,
        store: &dyn SessionStore,
        change: impl FnOnce(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut session = self.session.lock().await;
        let mut next = session.clone();
        let result = change(&mut next)?;
        let steps = next.take_steps();
        if !steps.is_empty() || next != *session {
            store
                .update_session(self.account, next.clone(), steps)
                .await?;
            *session = next;
        }
        Ok(result)
    }
}
