//! The webhook dispatcher: opens and closes queues, and holds what they share (the store,
//! the subscriptions in memory, the counters). Hooks have a dispatcher of their own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tenterhook_ledger::{Guard, Holder, Resource};
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::error::Error;
use crate::outbox::Outbox;
use crate::queue::Queue;
use crate::sender::Sender;
use crate::settings::Settings;
use crate::stats::Stats;
use crate::subscription::{Subscription, SubscriptionId};
use crate::surroundings::Surroundings;

/// Opens and closes the queues, and holds what they share.
pub(crate) struct Dispatcher {
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) settings: Settings,
    pub(crate) surroundings: Surroundings,
    pub(crate) sender: Sender,
    pub(crate) stats: Stats,
    /// Held while subscriptions change, so that the store and the memory agree.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// All of them; the oldest have the lowest identifiers.
    pub(crate) subscriptions: RwLock<BTreeMap<SubscriptionId, Subscription>>,
    queues: Mutex<HashMap<SubscriptionId, OpenQueue>>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// A handle to a queue that was opened.
struct OpenQueue {
    wake: Arc<Notify>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Dispatcher {
    pub(crate) fn new(
        outbox: Arc<dyn Outbox>,
        settings: Settings,
        surroundings: Surroundings,
        subscriptions: Vec<Subscription>,
    ) -> Self {
        Self {
            surroundings,
            sender: Sender::new(&settings),
            outbox,
            settings,
            stats: Stats::default(),
            changing: tokio::sync::Mutex::default(),
            subscriptions: RwLock::new(
                subscriptions.into_iter().map(|own| (own.id, own)).collect(),
            ),
            queues: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// Opens the queue of an enabled subscription. If a former queue is still ending, the
    /// new one waits for it, so that nothing is sent twice.
    pub(crate) fn open_queue(self: &Arc<Self>, to: Subscription) {
        let id = to.id;
        let queue = Queue {
            dispatcher: Arc::clone(self),
            to,
            wake: Arc::default(),
            stop: self.stop.child_token(),
        };
        let mut queues = self.queues.lock();
        let former = queues.remove(&id);
        let (wake, stop) = (Arc::clone(&queue.wake), queue.stop.clone());
        let task = self.tasks.spawn(async move {
            if let Some(former) = former {
                former.stop.cancel();
                let _ = former.task.await;
            }
            queue.run().await;
        });
        queues.insert(id, OpenQueue { wake, stop, task });
    }

    /// Closes the queue of a subscription. An attempt in progress is completed.
    pub(crate) fn close_queue(&self, id: SubscriptionId) {
        if let Some(open) = self.queues.lock().get(&id) {
            open.stop.cancel();
        }
    }

    /// Removes the queue of a deleted subscription.
    pub(crate) fn remove_queue(&self, id: SubscriptionId) {
        if let Some(open) = self.queues.lock().remove(&id) {
            open.stop.cancel();
        }
    }

    /// Wakes a queue because there are new deliveries.
    pub(crate) fn wake(&self, id: SubscriptionId) {
        if let Some(open) = self.queues.lock().get(&id) {
            open.wake.notify_one();
        }
    }

    /// Waits until an account may make one more attempt, so that one with slow endpoints
    /// does not hold up the others.
    ///
    /// # Errors
    ///
    /// [`Error::NoRoom`].
    pub(crate) async fn permit(&self, account: Uuid) -> Result<Guard, Error> {
        let account = Holder::Account(account.as_u128());
        let permit = self
            .surroundings
            .ledger
            .wait_for(account, Resource::Deliveries, 1);
        permit.await.map_err(|source| Error::NoRoom { source })
    }

    /// Updates the pause of a subscription in memory; the store already has it.
    pub(crate) fn pause(&self, id: SubscriptionId, until: OffsetDateTime) {
        if let Some(own) = self.subscriptions.write().get_mut(&id) {
            own.paused_until = Some(until);
        }
    }

    /// Disables a subscription because its endpoint is gone.
    pub(crate) async fn disable(&self, id: SubscriptionId) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        match self.outbox.switch_subscription(id, false).await {
            // It was deleted in the meantime.
            Err(Error::NotFound(_)) => return Ok(()),
            switched => switched?,
        }
        if let Some(own) = self.subscriptions.write().get_mut(&id) {
            own.enabled = false;
        }
        self.close_queue(id);
        tracing::warn!(webhook.id = %id, "a webhook was disabled: its endpoint is gone");
        Ok(())
    }
}
