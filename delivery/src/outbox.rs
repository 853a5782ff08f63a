//! The store that deliveries need: a trait, which a database implements.

use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::delivery::Delivery;
use crate::error::Error;
use crate::subscription::{Subscription, SubscriptionId};

/// A delivery to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its identifier, derived from the subscription and the event: the same event
    /// offered twice is one delivery.
    pub id: Uuid,
    /// The subscription that it goes to.
    pub subscription: SubscriptionId,
    /// The type of its event.
    pub kind: String,
    /// The body that is sent.
    pub body: Vec<u8>,
    /// When the event was offered.
    pub created_at: OffsetDateTime,
    /// The same on the clock of stored waits: it is due at once.
    pub due_at: OffsetDateTime,
    /// Why it is not sent, if it is not: it is stored as failed, without its body.
    pub refused: Option<String>,
}

/// A wait: its end, on the clock of stored waits, and its duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// When it ends.
    pub until: OffsetDateTime,
    /// How long it is, at most a day.
    pub duration: Duration,
}

/// How many deliveries may wait for one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueLimit {
    /// The most that may wait.
    pub max_waiting: u32,
    /// What is stored as [`Delivery::response`] of those that are evicted.
    pub reason: &'static str,
}

/// Which deliveries are retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Deliveries created before this are pruned, whatever their status.
    pub since: OffsetDateTime,
    /// The most per subscription that do not wait; the newest are kept.
    pub per_subscription: u32,
}

/// A durable store of subscriptions and deliveries. What has returned `Ok` survives
/// `kill -9`.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Stores a new subscription.
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

    /// Enables or disables a subscription.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    async fn switch_subscription(&self, id: SubscriptionId, enabled: bool) -> Result<(), Error>;

    /// Deletes a subscription with its deliveries.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    async fn delete_subscription(&self, id: SubscriptionId) -> Result<(), Error>;

    /// Stores new deliveries, all or none. Existing ones stay as they are, and those of a
    /// subscription that was deleted meanwhile are not stored.
    ///
    /// Where more than `limit` allows then wait for one of these endpoints, the oldest of
    /// them are evicted: they fail. Returns the subscriptions concerned, each with how many.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn insert_deliveries(
        &self,
        new: Vec<NewDelivery>,
        limit: QueueLimit,
    ) -> Result<Vec<(SubscriptionId, u64)>, Error>;

    /// Returns up to `limit` due deliveries of a subscription with their bodies, ordered by
    /// when they are due and then by when they were offered. None is due while the
    /// subscription is paused.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn due(
        &self,
        of: SubscriptionId,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<(Delivery, Vec<u8>)>, Error>;

    /// Returns when the next delivery of a subscription is due, if any waits; no earlier than
    /// its pause ends.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn next_due(&self, of: SubscriptionId) -> Result<Option<OffsetDateTime>, Error>;

    /// Records the result of an attempt: `attempts`, `status`, `response` and `due_at`, with
    /// how long it waits until then; the body is kept only while it waits. A delivery that
    /// no longer waits is left as it is. In the same transaction, and even then, stores the
    /// end of the subscription's pause, if the endpoint has asked for one.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn record_attempt(
        &self,
        delivery: Delivery,
        wait: Option<Duration>,
        pause: Option<Wait>,
    ) -> Result<(), Error>;

    /// Lists up to `limit` deliveries of a subscription, newest first; only those
    /// before the place `after`, if it is given: the time and the id of a delivery, which
    /// may have been pruned since.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn deliveries(
        &self,
        of: SubscriptionId,
        after: Option<(OffsetDateTime, Uuid)>,
        limit: u32,
    ) -> Result<Vec<Delivery>, Error>;

    /// Shortens waits of deliveries and of subscriptions that end further in the future than
    /// their duration allows: the clock was set back after they were stored. What was never
    /// attempted is due at once. Where the duration is unknown, it is an hour for a
    /// delivery, or as long as its subscription is paused, and a day for a pause.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn shorten_delivery_waits(&self, now: OffsetDateTime) -> Result<(), Error>;

    /// Counts the waiting deliveries of all subscriptions.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn waiting(&self) -> Result<u64, Error>;

    /// Deletes up to `limit` deliveries that are not to be retained. Returns how many it has
    /// deleted.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    async fn prune_deliveries(&self, retention: Retention, limit: u32) -> Result<u64, Error>;
}
