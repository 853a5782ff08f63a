//! What sessions need from a database.

use async_trait::async_trait;
use tenterhook_dispatch::AccountId;
use tenterhook_session::{GroupConstraint, InstanceConstraint, Session, Step};
use uuid::Uuid;

use crate::error::Error;
use crate::request::Stored;

/// A durable store of sessions, their steps, and constraints. What returned
/// `Ok` survives `kill -9`.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Inserts a session with its first steps, unless its account has `most` already or
    /// one of its hosts belongs to another session of the account. A session has its
    /// hosts until [`State::is_over`](tenterhook_session::State::is_over).
    ///
    /// # Errors
    ///
    /// [`Error::TooMany`], [`Error::HostTaken`], [`Error::Store`].
    async fn insert_session(
        &self,
        stored: Stored,
        steps: Vec<Step>,
        most: usize,
    ) -> Result<(), Error>;

    /// Updates a session, and adds steps, in one transaction. One that was over and is
    /// resumed has to get its hosts back.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`] if it was removed meanwhile, [`Error::HostTaken`] if a host of
    /// the resumed session now belongs to another, [`Error::Store`].
    async fn update_session(
        &self,
        account: AccountId,
        session: Session,
        steps: Vec<Step>,
    ) -> Result<(), Error>;

    /// Lists all sessions of all accounts, oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn sessions(&self) -> Result<Vec<Stored>, Error>;

    /// Lists the steps of a session, oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn steps(&self, account: AccountId, session: Uuid) -> Result<Vec<Step>, Error>;

    /// Removes a session with its steps.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::Store`].
    async fn delete_session(&self, account: AccountId, session: Uuid) -> Result<(), Error>;

    /// Sets the constraint of an instance, replacing any previous one.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn put_instance_constraint(
        &self,
        account: AccountId,
        constraint: InstanceConstraint,
    ) -> Result<(), Error>;

    /// Sets the constraint of a group, replacing any previous one.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn put_group_constraint(
        &self,
        account: AccountId,
        constraint: GroupConstraint,
    ) -> Result<(), Error>;

    /// Deletes the constraint of an instance.
    ///
    /// # Errors
    ///
    /// [`Error::NoConstraint`], [`Error::Store`].
    async fn delete_instance_constraint(&self, account: AccountId, id: String)
    -> Result<(), Error>;

    /// Deletes the constraint of a group.
    ///
    /// # Errors
    ///
    /// [`Error::NoConstraint`], [`Error::Store`].
    async fn delete_group_constraint(&self, account: AccountId, id: String) -> Result<(), Error>;

    /// Lists the constraints of an account's instances and groups.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn constraints(
        &self,
        account: AccountId,
    ) -> Result<(Vec<InstanceConstraint>, Vec<GroupConstraint>), Error>;
}
