//! What all lanes share: the store, the subscriptions in memory, whose turn it is.

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
use crate::lane::Lane;
use crate::outbox::Outbox;
use crate::post::Post;
use crate::settings::Settings;
use crate::subscription::{Subscription, SubscriptionId};
use crate::surroundings::Surroundings;
use crate::tally::Tally;

/// What all lanes share.
pub(crate) struct Office {
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) settings: Settings,
    pub(crate) surroundings: Surroundings,
    pub(crate) post: Post,
    pub(crate) tally: Tally,
    /// Held while subscriptions change, so that the store and the memory agree.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// All of them; the oldest have the lowest identifiers.
    pub(crate) subscriptions: RwLock<BTreeMap<SubscriptionId, Subscription>>,
    lanes: Mutex<HashMap<SubscriptionId, Open>>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// A lane that was opened.
struct Open {
    nudge: Arc<Notify>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Office {
    pub(crate) fn new(
        outbox: Arc<dyn Outbox>,
        settings: Settings,
        surroundings: Surroundings,
        subscriptions: Vec<Subscription>,
    ) -> Self {
        Self {
            surroundings,
            post: Post::new(&settings),
            outbox,
            settings,
            tally: Tally::default(),
            changing: tokio::sync::Mutex::default(),
            subscriptions: RwLock::new(
                subscriptions.into_iter().map(|own| (own.id, own)).collect(),
            ),
            lanes: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// Opens the lane of a subscription that is turned on. A former lane that is still
    /// ending goes first, so that nothing is sent twice.
    pub(crate) fn open_lane(self: &Arc<Self>, to: Subscription) {
        let id = to.id;
        let lane = Lane {
            office: Arc::clone(self),
            to,
            nudge: Arc::default(),
            stop: self.stop.child_token(),
        };
        let mut lanes = self.lanes.lock();
        let former = lanes.remove(&id);
        let (nudge, stop) = (Arc::clone(&lane.nudge), lane.stop.clone());
        let task = self.tasks.spawn(async move {
            if let Some(former) = former {
                former.stop.cancel();
                let _ = former.task.await;
            }
            lane.run().await;
        });
        lanes.insert(id, Open { nudge, stop, task });
    }

    /// Lets the lane of a subscription end. An attempt in progress goes on to its end.
    pub(crate) fn close_lane(&self, id: SubscriptionId) {
        if let Some(open) = self.lanes.lock().get(&id) {
            open.stop.cancel();
        }
    }

    /// Forgets the lane of a subscription that is no more.
    pub(crate) fn remove_lane(&self, id: SubscriptionId) {
        if let Some(open) = self.lanes.lock().remove(&id) {
            open.stop.cancel();
        }
    }

    /// Tells a lane that there are new letters.
    pub(crate) fn nudge(&self, id: SubscriptionId) {
        if let Some(open) = self.lanes.lock().get(&id) {
            open.nudge.notify_one();
        }
    }

    /// Waits until an account may make one more attempt, so that one whose addresses are
    /// slow does not hold up the others.
    ///
    /// # Errors
    ///
    /// [`Error::NoRoom`].
    pub(crate) async fn turn(&self, account: Uuid) -> Result<Guard, Error> {
        let account = Holder::Account(account.as_u128());
        let turn = self
            .surroundings
            .ledger
            .wait_for(account, Resource::Deliveries, 1);
        turn.await.map_err(|source| Error::NoRoom { source })
    }

    /// Updates the pause of a subscription in memory; the store already has it.
    pub(crate) fn pause(&self, id: SubscriptionId, until: OffsetDateTime) {
        if let Some(own) = self.subscriptions.write().get_mut(&id) {
            own.paused_until = Some(until);
        }
    }

    /// Turns a subscription off because its address is gone.
    pub(crate) async fn turn_off(&self, id: SubscriptionId) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        match self.outbox.switch_subscription(id, false).await {
            // It was removed in the meantime.
            Err(Error::NotFound(_)) => return Ok(()),
            switched => switched?,
        }
        if let Some(own) = self.subscriptions.write().get_mut(&id) {
            own.enabled = false;
        }
        self.close_lane(id);
        tracing::warn!(webhook.id = %id, "a webhook was turned off: its address is gone");
        Ok(())
    }
}
