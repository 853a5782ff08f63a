//! A delivery that is quick to try again, events, and waiting for what is to come.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tenterhook_delivery::{
    Delivery, Destinations, Fate, Letter, NewSubscription, Settings, Subscription,
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

pub(crate) async fn start(settings: Settings) -> (Delivery, Arc<Memory>) {
    let memory = Arc::new(Memory::default());
    let delivery = start_on(memory.clone(), settings).await;
    (delivery, memory)
}

pub(crate) async fn start_on(memory: Arc<Memory>, settings: Settings) -> Delivery {
    let ledger = Ledger::default();
    Delivery::start(memory, settings, ledger).await.unwrap()
}

/// Subscribes to everything.
pub(crate) async fn subscribe(delivery: &Delivery, url: impl Into<String>) -> Subscription {
    let new = NewSubscription {
        url: url.into(),
        ..NewSubscription::default()
    };
    delivery.subscribe(ACCOUNT, new).await.unwrap()
}

pub(crate) fn event(id: &str) -> Event {
    let data = json!({"state": "MAINTENANCE", "session_id": "s1"});
    Event::new(id, "/maintenance/s1", "maintenance.scheduled", Some(data))
}

/// Offers an event about no project.
pub(crate) async fn offer(delivery: &Delivery, id: &str) {
    delivery.offer(ACCOUNT, &event(id), None).await.unwrap();
}

/// Waits, for a bounded number of looks, until `look` finds something.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..3_000 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to this: {what}");
}

/// Waits until the only letter of a subscription has this fate.
pub(crate) async fn until_fate(delivery: &Delivery, to: &Subscription, fate: Fate) -> Letter {
    until("a letter with this fate", async || {
        let letters = delivery.letters(ACCOUNT, to.id, None, 10).await.unwrap();
        letters.into_iter().find(|letter| letter.fate == fate)
    })
    .await
}

/// Waits until the newest letter has been tried at least so often.
pub(crate) async fn until_tried(delivery: &Delivery, to: &Subscription, attempts: u32) -> Letter {
    until("so many attempts", async || {
        let letters = delivery.letters(ACCOUNT, to.id, None, 1).await.unwrap();
        letters
            .into_iter()
            .find(|letter| letter.attempts >= attempts)
    })
    .await
}
