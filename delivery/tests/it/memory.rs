//! An outbox in memory, as plain as can be.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tenterhook_delivery::{
    Delivery, Error, NewDelivery, Outbox, QueueLimit, Retention, Status, Subscription,
    SubscriptionId, Wait,
};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Default)]
pub(crate) struct Memory(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    /// In the order of their events.
    deliveries: Vec<(Delivery, Vec<u8>)>,
    /// Durations of the waits of deliveries and of pauses, by their identifiers.
    waits: HashMap<Uuid, Duration>,
    /// Whether every call fails, and how many have failed.
    broken: bool,
    failures: usize,
    /// How often a queue has found nothing due, and has read when something will be.
    polls: usize,
    sweeps: usize,
}

impl Kept {
    fn paused_until(&self, of: SubscriptionId) -> Option<OffsetDateTime> {
        self.subscriptions.get(&of)?.paused_until
    }
}

impl Memory {
    /// Makes every call fail from now on, or work again.
    pub(crate) fn set_broken(&self, broken: bool) {
        self.0.lock().broken = broken;
    }

    /// How many calls have failed.
    pub(crate) fn failures(&self) -> usize {
        self.0.lock().failures
    }

    /// How often a queue has found nothing that is due.
    pub(crate) fn polls(&self) -> usize {
        self.0.lock().polls
    }

    /// How often deliveries were pruned.
    pub(crate) fn sweeps(&self) -> usize {
        self.0.lock().sweeps
    }

    fn with<T>(&self, job: impl FnOnce(&mut Kept) -> T) -> Result<T, Error> {
        let mut kept = self.0.lock();
        if kept.broken {
            kept.failures += 1;
            return Err(Error::Store {
                doing: "use the memory",
                source: "it is broken".into(),
            });
        }
        Ok(job(&mut kept))
    }
}

#[async_trait]
impl Outbox for Memory {
    async fn insert_subscription(&self, new: Subscription) -> Result<(), Error> {
        self.with(|kept| kept.subscriptions.insert(new.id, new))
            .map(|_| ())
    }

    async fn subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        self.with(|kept| kept.subscriptions.values().cloned().collect())
    }

    async fn switch_subscription(&self, id: SubscriptionId, enabled: bool) -> Result<(), Error> {
        self.with(|kept| match kept.subscriptions.get_mut(&id) {
            Some(own) => {
                own.enabled = enabled;
                Ok(())
            }
            None => Err(Error::NotFound(id.to_string())),
        })?
    }

    async fn delete_subscription(&self, id: SubscriptionId) -> Result<(), Error> {
        self.with(|kept| {
            kept.deliveries
                .retain(|(delivery, _)| delivery.subscription != id);
            kept.subscriptions.remove(&id)
        })?
        .map(|_| ())
        .ok_or_else(|| Error::NotFound(id.to_string()))
    }

    async fn insert_deliveries(
        &self,
        new: Vec<NewDelivery>,
        limit: QueueLimit,
    ) -> Result<Vec<(SubscriptionId, u64)>, Error> {
        self.with(|kept| {
            let to: BTreeSet<_> = new.iter().map(|new| new.subscription).collect();
            for new in new {
                let known = kept
                    .deliveries
                    .iter()
                    .any(|(delivery, _)| delivery.id == new.id);
                if !known && kept.subscriptions.contains_key(&new.subscription) {
                    kept.deliveries.push((fresh(&new), new.body));
                }
            }
            to.into_iter()
                .map(|id| (id, evict(&mut kept.deliveries, id, &limit)))
                .filter(|(_, count)| *count > 0)
                .collect()
        })
    }

    async fn due(
        &self,
        of: SubscriptionId,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<(Delivery, Vec<u8>)>, Error> {
        self.with(|kept| {
            let paused = kept.paused_until(of).is_some_and(|until| until > now);
            let is_due =
                |delivery: &Delivery| delivery.due_at.is_some_and(|due| due <= now && !paused);
            let mut due: Vec<_> = kept
                .deliveries
                .iter()
                .filter(|(delivery, _)| delivery.subscription == of && is_due(delivery))
                .cloned()
                .collect();
            due.sort_by_key(|(delivery, _)| delivery.due_at);
            due.truncate(limit as usize);
            due
        })
    }

    async fn next_due(&self, of: SubscriptionId) -> Result<Option<OffsetDateTime>, Error> {
        self.with(|kept| {
            kept.polls += 1;
            let own = kept
                .deliveries
                .iter()
                .filter(|(own, _)| own.subscription == of);
            let first = own.filter_map(|(delivery, _)| delivery.due_at).min();
            first.map(|due| kept.paused_until(of).map_or(due, |until| due.max(until)))
        })
    }

    async fn record_attempt(
        &self,
        recorded: Delivery,
        wait: Option<Duration>,
        pause: Option<Wait>,
    ) -> Result<(), Error> {
        self.with(|kept| {
            let to = kept.subscriptions.get_mut(&recorded.subscription);
            if let (Some(to), Some(pause)) = (to, pause) {
                to.paused_until = Some(pause.until);
                kept.waits.insert(to.id.0, pause.duration);
            }
            kept.waits.insert(recorded.id, wait.unwrap_or_default());
            let found = kept
                .deliveries
                .iter_mut()
                .find(|(own, _)| own.id == recorded.id && own.status == Status::Waiting);
            if let Some((own, _)) = found {
                *own = recorded;
            }
        })
    }

    async fn deliveries(
        &self,
        of: SubscriptionId,
        after: Option<(OffsetDateTime, Uuid)>,
        limit: u32,
    ) -> Result<Vec<Delivery>, Error> {
        self.with(|kept| {
            let deliveries = kept.deliveries.iter().rev().map(|(delivery, _)| delivery);
            let own = deliveries.filter(|delivery| delivery.subscription == of);
            let own: Vec<_> = own.collect();
            let start = after.map_or(0, |(created_at, id)| {
                let is_it = |delivery: &&Delivery| delivery.id == id;
                let is_older = |delivery: &&Delivery| delivery.created_at <= created_at;
                let behind_it = own.iter().position(is_it).map(|place| place + 1);
                behind_it
                    .or_else(|| own.iter().position(is_older))
                    .unwrap_or(own.len())
            });
            let rest = own[start..].iter().take(limit as usize);
            rest.map(|delivery| (*delivery).clone()).collect()
        })
    }

    async fn shorten_delivery_waits(&self, now: OffsetDateTime) -> Result<(), Error> {
        self.with(|kept| {
            let Kept {
                subscriptions,
                deliveries,
                waits,
                ..
            } = kept;
            let wait = |id: &Uuid| now + waits.get(id).copied().unwrap_or_default();
            for own in subscriptions.values_mut() {
                own.paused_until = own.paused_until.map(|until| until.min(wait(&own.id.0)));
            }
            for (delivery, _) in deliveries {
                delivery.due_at = delivery.due_at.map(|due| due.min(wait(&delivery.id)));
            }
        })
    }

    async fn waiting(&self) -> Result<u64, Error> {
        self.with(|kept| {
            let waiting = kept
                .deliveries
                .iter()
                .filter(|(own, _)| own.due_at.is_some());
            waiting.count() as u64
        })
    }

    async fn prune_deliveries(&self, retention: Retention, _limit: u32) -> Result<u64, Error> {
        self.with(|kept| {
            kept.sweeps += 1;
            let before = kept.deliveries.len();
            kept.deliveries
                .retain(|(own, _)| own.created_at >= retention.since);
            (before - kept.deliveries.len()) as u64
        })
    }
}

fn fresh(new: &NewDelivery) -> Delivery {
    if new.refused.is_some() {
        return Delivery {
            status: Status::Failed,
            response: new.refused.clone(),
            due_at: None,
            ..waiting(new)
        };
    }
    waiting(new)
}

fn waiting(new: &NewDelivery) -> Delivery {
    Delivery {
        id: new.id,
        subscription: new.subscription,
        kind: new.kind.clone(),
        attempts: 0,
        status: Status::Waiting,
        response: None,
        created_at: new.created_at,
        due_at: Some(new.due_at),
    }
}

fn evict(deliveries: &mut [(Delivery, Vec<u8>)], of: SubscriptionId, limit: &QueueLimit) -> u64 {
    let waits = |own: &Delivery| own.subscription == of && own.status == Status::Waiting;
    let count = deliveries.iter().filter(|(own, _)| waits(own)).count();
    let over = count.saturating_sub(limit.max_waiting as usize);
    for (own, _) in deliveries
        .iter_mut()
        .filter(|(own, _)| waits(own))
        .take(over)
    {
        own.status = Status::Failed;
        own.due_at = None;
        own.response = Some(limit.reason.into());
    }
    over as u64
}
