//! What delivery asks of a database.

use async_trait::async_trait;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::Error;
use crate::letter::Letter;
use crate::subscription::{Subscription, SubscriptionId};

/// A letter to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLetter {
    /// Its identifier, made from the subscription and the event: the same event
    /// offered twice is one letter.
    pub id: Uuid,
    /// To whom.
    pub subscription: SubscriptionId,
    /// The type of its event.
    pub kind: String,
    /// What is sent.
    pub body: Vec<u8>,
    /// When it was offered.
    pub created_at: OffsetDateTime,
}

/// A durable store of subscriptions and letters. What was answered with `Ok`
/// survives `kill -9`.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Keeps a new subscription.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn insert_subscription(&self, new: Subscription) -> Result<(), Error>;

    /// Lists all subscriptions of all accounts, oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn subscriptions(&self) -> Result<Vec<Subscription>, Error>;

    /// Turns a subscription on or off.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    async fn switch_subscription(&self, id: SubscriptionId, enabled: bool) -> Result<(), Error>;

    /// Removes a subscription with its letters.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    async fn delete_subscription(&self, id: SubscriptionId) -> Result<(), Error>;

    /// Keeps new letters, all or none; those that are there already stay as they are.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn insert_letters(&self, new: Vec<NewLetter>) -> Result<(), Error>;

    /// Finds up to `limit` letters that are due, with their bodies, those due first
    /// first. Those of a subscription that is turned off are not due.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn due(&self, now: OffsetDateTime, limit: u32) -> Result<Vec<(Letter, Vec<u8>)>, Error>;

    /// Tells when the next letter will be due, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn next_due(&self) -> Result<Option<OffsetDateTime>, Error>;

    /// Keeps what became of a letter: `attempts`, `fate`, `said` and `due_at`.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn settle_letter(&self, letter: Letter) -> Result<(), Error>;

    /// Lists up to `limit` letters of a subscription, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn letters(&self, of: SubscriptionId, limit: u32) -> Result<Vec<Letter>, Error>;

    /// Forgets up to `limit` letters that were delivered or given up before `before`.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn forget_letters(&self, before: OffsetDateTime, limit: u32) -> Result<u64, Error>;
}
