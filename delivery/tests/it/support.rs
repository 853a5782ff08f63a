//! Webhooks with short retries, events, and waiting for results.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tenterhook_delivery::{
    Delivery, Destinations, NewSubscription, Settings, Status, Subscription, Webhooks,
};
use tenterhook_ledger::Ledger;
use tenterhook_sdk::Event;
use uuid::Uuid;

use crate::memory::Memory;

pub(crate) const ACCOUNT: Uuid = Uuid::from_u128(1);
pub(crate) const OTHER: Uuid = Uuid::from_u128(2);

/// Settings under which a test neither waits nor gives up too soon.
pub(crate) fn quick() -> Settings {
    Settings {
        destinations: Destinations::All,
        pause: Duration::from_millis(5),
        ..Settings::default()
    }
}

pub(crate) async fn start(settings: Settings) -> (Webhooks, Arc<Memory>) {
    let memory = Arc::new(Memory::default());
    let webhooks = start_on(memory.clone(), settings).await;
    (webhooks, memory)
}

pub(crate) async fn start_on(memory: Arc<Memory>, settings: Settings) -> Webhooks {
    let ledger = Ledger::default();
    Webhooks::start(memory, settings, ledger).await.unwrap()
}

/// Subscribes to everything.
pub(crate) async fn subscribe(webhooks: &Webhooks, url: impl Into<String>) -> Subscription {
    let new = NewSubscription {
        url: url.into(),
        ..NewSubscription::default()
    };
    webhooks.subscribe(ACCOUNT, new).await.unwrap()
}

pub(crate) fn event(id: &str) -> Event {
    let data = json!({"state": "MAINTENANCE", "session_id": "s1"});
    Event::new(id, "/maintenance/s1", "maintenance.scheduled", Some(data))
}

/// Offers an event about no project.
pub(crate) async fn offer(webhooks: &Webhooks, id: &str) {
    webhooks.offer(ACCOUNT, &event(id), None).await.unwrap();
}

/// Polls, a bounded number of times, until `look` finds something.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..3_000 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to this: {what}");
}

/// Waits until the only delivery of a subscription has this status.
pub(crate) async fn until_status(
    webhooks: &Webhooks,
    to: &Subscription,
    status: Status,
) -> Delivery {
    until("a delivery with this status", async || {
        let deliveries = webhooks.deliveries(ACCOUNT, to.id, None, 10).await.unwrap();
        deliveries
            .into_iter()
            .find(|delivery| delivery.status == status)
    })
    .await
}

/// Waits until the newest delivery has had at least this many attempts.
pub(crate) async fn until_tried(webhooks: &Webhooks, to: &Subscription, attempts: u32) -> Delivery {
    until("so many attempts", async || {
        let deliveries = webhooks.deliveries(ACCOUNT, to.id, None, 1).await.unwrap();
        deliveries
            .into_iter()
            .find(|delivery| delivery.attempts >= attempts)
    })
    .await
}
