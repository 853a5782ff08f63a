//! What faces can ask of maintenance.

use std::sync::Arc;

use tenterhook_delivery::Delivery;
use tenterhook_dispatch::{AccountId, Dispatcher};
use tenterhook_workflow::{GroupConstraint, InstanceConstraint, Reply, State, Step};
use uuid::Uuid;

use crate::error::Error;
use crate::request::{NewSession, Stored};
use crate::settings::Settings;
use crate::store::SessionStore;

/// All maintenance sessions of a server. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Maintenance {
    dispatcher: Dispatcher,
    delivery: Delivery,
    store: Arc<dyn SessionStore>,
    settings: Settings,
}

impl Maintenance {
    /// Reads the sessions, and goes on with each where it was.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn start(
        dispatcher: Dispatcher,
        delivery: Delivery,
        store: Arc<dyn SessionStore>,
        settings: Settings,
    ) -> Result<Self, Error> {
        Ok(Self {
            dispatcher,
            delivery,
            store,
            settings,
        })
    }

    /// The webhooks through which projects are told.
    #[must_use]
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// Creates a session and begins it. It is stored when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] also for a workflow or plug-in that is no source of the
    /// account and a host that is not in its inventory; [`Error::TooMany`];
    /// [`Error::Store`].
    pub async fn create(&self, account: AccountId, new: NewSession) -> Result<Stored, Error> {
        let _ = (account, new, &self.dispatcher, &self.store, &self.settings);
        todo!()
    }

    /// Lists the sessions of an account, oldest first.
    #[must_use]
    pub fn sessions(&self, account: AccountId) -> Vec<Uuid> {
        let _ = account;
        todo!()
    }

    /// Finds a session of an account.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`].
    pub async fn session(&self, account: AccountId, id: Uuid) -> Result<Stored, Error> {
        let _ = (account, id);
        todo!()
    }

    /// Lists what a session has done, oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::Store`].
    pub async fn steps(&self, account: AccountId, id: Uuid) -> Result<Vec<Step>, Error> {
        let _ = (account, id);
        todo!()
    }

    /// Resumes a failed session at the step that failed, or at the beginning of `at`.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::NotFailed`], [`Error::Store`].
    pub async fn resume(
        &self,
        account: AccountId,
        id: Uuid,
        at: Option<State>,
    ) -> Result<Stored, Error> {
        let _ = (account, id, at);
        todo!()
    }

    /// Removes a session; one that runs is stopped first, its plug-in cancelled.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::Store`].
    pub async fn delete(&self, account: AccountId, id: Uuid) -> Result<(), Error> {
        let _ = (account, id);
        todo!()
    }

    /// The instances of a project that a session is about at present.
    ///
    /// `caller` is the session's account, or, where the session is the operator's, the
    /// account whose id is `project`.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::NoProject`].
    pub async fn instances(
        &self,
        caller: AccountId,
        id: Uuid,
        project: &str,
    ) -> Result<Vec<String>, Error> {
        let _ = (caller, id, project);
        todo!()
    }

    /// Takes a project's reply. It is stored when this returns. For `caller` see
    /// [`instances`](Self::instances).
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::NoProject`], [`Error::NotTaken`], [`Error::Store`].
    pub async fn reply(
        &self,
        caller: AccountId,
        id: Uuid,
        project: &str,
        reply: Reply,
    ) -> Result<Stored, Error> {
        let _ = (caller, id, project, reply);
        todo!()
    }

    /// Keeps what is demanded for an instance.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn put_instance_constraint(
        &self,
        account: AccountId,
        constraint: InstanceConstraint,
    ) -> Result<(), Error> {
        self.store
            .put_instance_constraint(account, constraint)
            .await
    }

    /// Keeps what is demanded for a group.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn put_group_constraint(
        &self,
        account: AccountId,
        constraint: GroupConstraint,
    ) -> Result<(), Error> {
        self.store.put_group_constraint(account, constraint).await
    }

    /// Forgets what is demanded for an instance.
    ///
    /// # Errors
    ///
    /// [`Error::NoConstraint`], [`Error::Store`].
    pub async fn delete_instance_constraint(
        &self,
        account: AccountId,
        id: String,
    ) -> Result<(), Error> {
        self.store.delete_instance_constraint(account, id).await
    }

    /// Forgets what is demanded for a group.
    ///
    /// # Errors
    ///
    /// [`Error::NoConstraint`], [`Error::Store`].
    pub async fn delete_group_constraint(
        &self,
        account: AccountId,
        id: String,
    ) -> Result<(), Error> {
        self.store.delete_group_constraint(account, id).await
    }

    /// Drives no session any further; the next start goes on with them.
    pub async fn drain(&self) {}
}
