//! The public interface: managing subscriptions and offering events to them.
//!
//! Nothing is sent here: that is what the [`Dispatcher`] and its queues do.

use std::sync::Arc;

use tenterhook_ledger::Ledger;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::delivery::{self, Delivery};
use crate::dispatcher::Dispatcher;
use crate::error::Error;
use crate::kind;
use crate::notification::Notification;
use crate::outbox::{NewDelivery, Outbox, QueueLimit};
use crate::settings::Settings;
use crate::stats::Counts;
use crate::subscription::{NewSubscription, Subscription, SubscriptionId};
use crate::surroundings::Surroundings;
use crate::sweep;

/// Most subscriptions of an account: each may cause an attempt for every event.
pub const SUBSCRIPTIONS_MAX: usize = 100;

/// Disk space of a delivery besides its contents: what stores charge, and some more.
const DELIVERY_BYTES: u64 = 640;

/// Accepts events and delivers them to the subscriptions that want them. Cheap to clone;
/// all clones share one state.
#[derive(Clone)]
pub struct Webhooks {
    dispatcher: Arc<Dispatcher>,
}

impl Webhooks {
    /// Loads the subscriptions and starts to send what is due, at most as many at once as
    /// the ledger has of [`Resource::Deliveries`](tenterhook_ledger::Resource::Deliveries).
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn start(
        outbox: Arc<dyn Outbox>,
        settings: Settings,
        ledger: Ledger,
    ) -> Result<Self, Error> {
        Self::start_with(outbox, settings, Surroundings::alone(ledger)).await
    }

    /// Like [`start`](Self::start), as part of a server whose clock and disk it shares.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn start_with(
        outbox: Arc<dyn Outbox>,
        settings: Settings,
        surroundings: Surroundings,
    ) -> Result<Self, Error> {
        // The clock may have been set back since they were stored.
        let now = surroundings.timepiece.now_for_waits().wall;
        outbox.shorten_delivery_waits(now).await?;
        let subscriptions = outbox.subscriptions().await?;
        let dispatcher = Dispatcher::new(outbox, settings, surroundings, subscriptions.clone());
        let dispatcher = Arc::new(dispatcher);
        for own in subscriptions.into_iter().filter(|own| own.enabled) {
            dispatcher.open_queue(own);
        }
        dispatcher.tasks.spawn(sweep::run(Arc::clone(&dispatcher)));
        Ok(Self { dispatcher })
    }

    /// Creates a subscription.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], [`Error::TooMany`], [`Error::Store`].
    pub async fn subscribe(
        &self,
        account: Uuid,
        new: NewSubscription,
    ) -> Result<Subscription, Error> {
        let checked = new.check()?;
        let dispatcher = &self.dispatcher;
        let _changing = dispatcher.changing.lock().await;
        if self.subscriptions(account).len() >= SUBSCRIPTIONS_MAX {
            return Err(Error::TooMany(SUBSCRIPTIONS_MAX));
        }
        let own = Subscription {
            id: SubscriptionId(tenterhook_clock::new_id()),
            account,
            url: checked.url,
            events: checked.events,
            project: checked.project,
            secret: checked.secret,
            enabled: true,
            paused_until: None,
            created_at: dispatcher.surroundings.timepiece.now().wall,
        };
        dispatcher.outbox.insert_subscription(own.clone()).await?;
        dispatcher.subscriptions.write().insert(own.id, own.clone());
        dispatcher.open_queue(own.clone());
        Ok(own)
    }

    /// Lists the subscriptions of an account, oldest first.
    #[must_use]
    pub fn subscriptions(&self, account: Uuid) -> Vec<Subscription> {
        let all = self.dispatcher.subscriptions.read();
        let own = all.values().filter(|own| own.account == account);
        own.map(|own| self.with_wall_pause(own)).collect()
    }

    /// Returns a subscription of an account.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub fn subscription(&self, account: Uuid, id: SubscriptionId) -> Result<Subscription, Error> {
        let all = self.dispatcher.subscriptions.read();
        all.get(&id)
            .filter(|own| own.account == account)
            .map(|own| self.with_wall_pause(own))
            .ok_or_else(|| Error::NotFound(id.to_string()))
    }

    /// Enables or disables a subscription. Deliveries that wait when it is disabled are
    /// sent once it is enabled again, unless they have been pruned by then. Its pause
    /// stays: the endpoint has asked for it.
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
        let dispatcher = &self.dispatcher;
        let _changing = dispatcher.changing.lock().await;
        let mut own = self.subscription(account, id)?;
        if own.enabled == enabled {
            return Ok(own);
        }
        dispatcher.outbox.switch_subscription(id, enabled).await?;
        own.enabled = enabled;
        if let Some(kept) = dispatcher.subscriptions.write().get_mut(&id) {
            kept.enabled = enabled;
        }
        if enabled {
            dispatcher.open_queue(own.clone());
        } else {
            dispatcher.close_queue(id);
        }
        Ok(own)
    }

    /// Deletes a subscription with all its deliveries.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn unsubscribe(&self, account: Uuid, id: SubscriptionId) -> Result<(), Error> {
        let dispatcher = &self.dispatcher;
        let _changing = dispatcher.changing.lock().await;
        self.subscription(account, id)?;
        dispatcher.outbox.delete_subscription(id).await?;
        dispatcher.subscriptions.write().remove(&id);
        dispatcher.remove_queue(id);
        Ok(())
    }

    /// Lists up to `limit` deliveries of a subscription, newest first; only those
    /// before the place `after`, if it is given: the time and the id of a delivery, which
    /// may have been pruned since.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn deliveries(
        &self,
        account: Uuid,
        id: SubscriptionId,
        after: Option<(OffsetDateTime, Uuid)>,
        limit: u32,
    ) -> Result<Vec<Delivery>, Error> {
        self.subscription(account, id)?;
        let mut deliveries = self.dispatcher.outbox.deliveries(id, after, limit).await?;
        let timepiece = &self.dispatcher.surroundings.timepiece;
        for delivery in &mut deliveries {
            delivery.due_at = delivery.due_at.map(|due| timepiece.shown(due));
        }
        Ok(deliveries)
    }

    /// Creates a delivery of the event for each of the account's subscriptions that want
    /// it. They are stored when this returns. The same event (by source and id) creates no
    /// second delivery, and one whose type is not among [`KINDS`](crate::KINDS) creates
    /// none. `project` is the one that the event is about.
    ///
    /// If the account's share of the disk is used up, the delivery is stored as failed,
    /// without a body. A tenant that has filled its disk does not block the others.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn offer(
        &self,
        account: Uuid,
        notification: &impl Notification,
        project: Option<&str>,
    ) -> Result<(), Error> {
        let event = notification.attributes();
        if !kind::is_delivered(&event.kind) {
            return Ok(());
        }
        let wanting = self.wanting(account, &event.kind, project);
        if wanting.is_empty() {
            return Ok(());
        }
        let body = notification.to_json();
        let dispatcher = &self.dispatcher;
        let now = dispatcher.surroundings.timepiece.now();
        let due_at = dispatcher.surroundings.timepiece.for_waits(now).wall;
        let size = DELIVERY_BYTES + (event.kind.len() + body.len()) as u64;
        let new = |subscription: &SubscriptionId| NewDelivery {
            id: delivery::id_of(*subscription, event),
            subscription: *subscription,
            kind: event.kind.clone(),
            body: body.clone(),
            created_at: now.wall,
            due_at,
            refused: dispatcher
                .surroundings
                .disk
                .take(account, size)
                .err()
                .map(|why| delivery::one_line(&format!("not stored: {why}"))),
        };
        let limit = QueueLimit {
            max_waiting: dispatcher.settings.waiting,
            reason: "evicted: too many deliveries were waiting",
        };
        let deliveries: Vec<_> = wanting.iter().map(new).collect();
        let refused = deliveries
            .iter()
            .filter(|new| new.refused.is_some())
            .count();
        if refused > 0 {
            dispatcher.stats.count_failed(refused as u64);
            tracing::warn!(account.id = %account, deliveries = refused, "webhook deliveries were not stored: the account's disk is full");
        }
        for (id, deliveries) in dispatcher
            .outbox
            .insert_deliveries(deliveries, limit)
            .await?
        {
            dispatcher.stats.count_failed(deliveries);
            tracing::warn!(webhook.id = %id, deliveries, "webhook deliveries were evicted: too many were waiting");
        }
        for id in wanting {
            dispatcher.wake(id);
        }
        Ok(())
    }

    /// Returns the subscription with the end of its pause in wall-clock time.
    fn with_wall_pause(&self, own: &Subscription) -> Subscription {
        let timepiece = &self.dispatcher.surroundings.timepiece;
        Subscription {
            paused_until: own.paused_until.map(|until| timepiece.shown(until)),
            ..own.clone()
        }
    }

    fn wanting(&self, account: Uuid, kind: &str, project: Option<&str>) -> Vec<SubscriptionId> {
        let all = self.dispatcher.subscriptions.read();
        all.values()
            .filter(|own| own.account == account && own.wants(kind, project))
            .map(|own| own.id)
            .collect()
    }

    /// Returns what has been counted since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.dispatcher.stats.read()
    }

    /// Counts the waiting deliveries.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn waiting(&self) -> Result<u64, Error> {
        self.dispatcher.outbox.waiting().await
    }

    /// Stops sending, and waits until the attempts in progress have ended. What is offered
    /// afterwards is stored for the next start.
    pub async fn drain(&self) {
        self.dispatcher.stop.cancel();
        self.dispatcher.tasks.close();
        self.dispatcher.tasks.wait().await;
    }
}
