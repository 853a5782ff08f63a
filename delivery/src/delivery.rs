//! Taking notifications over, and sending them.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_sdk::Event;
use uuid::Uuid;

use crate::destination::Destinations;
use crate::error::Error;
use crate::letter::Letter;
use crate::outbox::Outbox;
use crate::subscription::{NewSubscription, Subscription, SubscriptionId};

/// How notifications are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which addresses may be sent to. Default: public ones.
    pub destinations: Destinations,
    /// How long one attempt may take in all. Default: 15 s.
    pub timeout: Duration,
    /// The pause after the first failure; it doubles with each, up to an hour, less a
    /// random part. Default: 5 s.
    pub pause: Duration,
    /// Attempts before a letter is given up. Default: 16, about ten hours.
    pub attempts: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            destinations: Destinations::Public,
            timeout: Duration::from_secs(15),
            pause: Duration::from_secs(5),
            attempts: 16,
        }
    }
}

/// Takes notifications over and sends them. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Delivery {
    outbox: Arc<dyn Outbox>,
    settings: Settings,
}

impl Delivery {
    /// Reads the subscriptions and begins to send what is due.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn start(outbox: Arc<dyn Outbox>, settings: Settings) -> Result<Self, Error> {
        Ok(Self { outbox, settings })
    }

    /// Makes a subscription.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], [`Error::TooMany`], [`Error::Store`].
    pub async fn subscribe(
        &self,
        account: Uuid,
        new: NewSubscription,
    ) -> Result<Subscription, Error> {
        let _ = (account, new, &self.settings);
        todo!()
    }

    /// Lists the subscriptions of an account, oldest first.
    #[must_use]
    pub fn subscriptions(&self, account: Uuid) -> Vec<Subscription> {
        let _ = account;
        todo!()
    }

    /// Finds a subscription of an account.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub fn subscription(&self, account: Uuid, id: SubscriptionId) -> Result<Subscription, Error> {
        let _ = (account, id);
        todo!()
    }

    /// Turns a subscription on or off.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn switch(
        &self,
        account: Uuid,
        id: SubscriptionId,
        enabled: bool,
    ) -> Result<Subscription, Error> {
        let _ = (account, id, enabled);
        todo!()
    }

    /// Removes a subscription; what it was owed is owed no more.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn unsubscribe(&self, account: Uuid, id: SubscriptionId) -> Result<(), Error> {
        let _ = (account, id);
        todo!()
    }

    /// Lists up to `limit` letters of a subscription, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn letters(
        &self,
        account: Uuid,
        id: SubscriptionId,
        limit: u32,
    ) -> Result<Vec<Letter>, Error> {
        let _ = (account, id, limit);
        todo!()
    }

    /// Owes an event to all of the account's subscriptions that want it. It is stored
    /// when this returns; the same event (by source and id) once more owes nothing.
    /// `project` is the one that it is about.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn offer(
        &self,
        account: Uuid,
        event: &Event,
        project: Option<&str>,
    ) -> Result<(), Error> {
        let _ = (account, event, project, &self.outbox);
        todo!()
    }

    /// Sends nothing more; waits until attempts in progress have ended.
    pub async fn drain(&self) {}
}
