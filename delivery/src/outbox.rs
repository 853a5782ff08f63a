//! What delivery asks of a database.

use std::time::Duration;

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
    /// The same, as stored waits have the time: it is due at once.
    pub due_at: OffsetDateTime,
    /// Why it is not to be sent, if it is not: it is kept as given up, without its body.
    pub refused: Option<String>,
}

/// A wait: until when, as stored waits have the time, and how long that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Until when.
    pub until: OffsetDateTime,
    /// How long it is; at most a day.
    pub lasting: Duration,
}

/// How many letters may wait for one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The most.
    pub most: u32,
    /// What is kept as [`Letter::said`] of those that give way.
    pub said: &'static str,
}

/// Which letters are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Letters that were offered before this are forgotten, whatever became of them.
    pub since: OffsetDateTime,
    /// The most per subscription of those that do not wait; the newest stay.
    pub per_subscription: u32,
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

    /// Keeps new letters, all or none. Those that are there already stay as they are,
    /// and those of a subscription that was removed meanwhile are not kept.
    ///
    /// Where more than `room` allows then wait for one of these addresses, the oldest
    /// of them are given up. Tells which addresses those are, and of how many.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn insert_letters(
        &self,
        new: Vec<NewLetter>,
        room: Room,
    ) -> Result<Vec<(SubscriptionId, u64)>, Error>;

    /// Finds up to `limit` letters of a subscription that are due, with their bodies,
    /// those due first first, and of those due at one time the one offered first. None
    /// is due while the subscription is paused.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn due(
        &self,
        of: SubscriptionId,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<(Letter, Vec<u8>)>, Error>;

    /// Tells when the next letter of a subscription is due, if one waits; no earlier
    /// than its pause ends.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn next_due(&self, of: SubscriptionId) -> Result<Option<OffsetDateTime>, Error>;

    /// Keeps what became of a letter: `attempts`, `fate`, `said` and `due_at`, with how long
    /// it waits until then; the body only as long as it waits. Nothing happens to one that
    /// does not wait any more. In the same transaction, and even then, stores until when
    /// the subscription is paused, if the address has asked for a pause.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn settle_letter(
        &self,
        letter: Letter,
        wait: Option<Duration>,
        pause: Option<Wait>,
    ) -> Result<(), Error>;

    /// Lists up to `limit` letters of a subscription, newest first; only those that were
    /// offered before the letter `after`, if one is named.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn letters(
        &self,
        of: SubscriptionId,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Letter>, Error>;

    /// Shortens the waits of letters and of subscriptions that end further in the future
    /// than they were to last: the clock was set back after they were stored. What was
    /// never tried waits for nothing. Where it is not known how long a wait was to last,
    /// that is an hour for a letter, or as long as its address is paused, and a day for a
    /// pause.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn shorten_delivery_waits(&self, now: OffsetDateTime) -> Result<(), Error>;

    /// Counts the letters that wait, of all subscriptions together.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn waiting(&self) -> Result<u64, Error>;

    /// Forgets up to `limit` letters that are not to be kept. Tells how many there were.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn forget_letters(&self, keep: Keep, limit: u32) -> Result<u64, Error>;
}
