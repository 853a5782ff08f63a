//! What arrives, in which order, and what is tried again.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tenterhook_delivery::{Settings, Status, Subscription, Webhooks};
use tenterhook_ledger::{Capacities, Capacity, Holder, Ledger, Resource};
use time::OffsetDateTime;

use crate::memory::Memory;
use crate::receiver::{Received, Receiver};
use crate::support::{
    ACCOUNT, event, offer, quick, start, start_on, subscribe, until, until_status, until_tried,
};

/// Checks a signature as a receiver does, from the text of the secret alone.
fn is_signed(received: &Received, secret: &str) -> bool {
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, timestamp) = (
        received.header("webhook-id"),
        received.header("webhook-timestamp"),
    );
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(&received.body);
    let signature = received
        .header("webhook-signature")
        .strip_prefix("v1,")
        .unwrap();
    mac.verify_slice(&STANDARD.decode(signature).unwrap())
        .is_ok()
}

async fn until_received(receiver: &Receiver, count: usize) -> Vec<Received> {
    until("so many requests", async || {
        Some(receiver.received()).filter(|received| received.len() >= count)
    })
    .await
}

#[tokio::test]
async fn a_delivery_is_a_signed_cloud_event() {
    let (webhooks, _) = start(quick()).await;
    let receiver = Receiver::start().await;
    let to = subscribe(&webhooks, receiver.url()).await;
    offer(&webhooks, "1").await;
    let delivery = until_status(&webhooks, &to, Status::Delivered).await;
    let [received] = &receiver.received()[..] else {
        panic!("one request");
    };
    assert_eq!(
        received.header("content-type"),
        "application/cloudevents+json"
    );
    assert_eq!(received.header("webhook-id"), delivery.id.to_string());
    assert!(received.header("user-agent").starts_with("tenterhook/"));
    assert!(is_signed(received, &to.secret.reveal()));
    assert_eq!(received.body, serde_json::to_vec(&event("1")).unwrap());
    let timestamp: i64 = received.header("webhook-timestamp").parse().unwrap();
    assert!((OffsetDateTime::now_utc().unix_timestamp() - timestamp).abs() < 300);
    assert_eq!(delivery.response.as_deref(), Some("answered 200 OK"));
    assert_eq!((delivery.attempts, delivery.due_at), (1, None));
    assert_eq!(webhooks.counts().delivered, 1);
    let mut names: Vec<_> = received.headers.keys().map(ToString::to_string).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "accept",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "webhook-id",
            "webhook-signature",
            "webhook-timestamp"
        ]
    );
}

#[tokio::test]
async fn deliveries_arrive_in_the_order_of_their_events() {
    let (webhooks, _) = start(quick()).await;
    let receiver = Receiver::start().await;
    subscribe(&webhooks, receiver.url()).await;
    let ids: Vec<_> = (0..50).map(|id| id.to_string()).collect();
    for id in &ids {
        offer(&webhooks, id).await;
    }
    let received = until_received(&receiver, ids.len()).await;
    let arrived: Vec<_> = received.iter().map(Received::event).collect();
    assert_eq!(arrived, ids);
}

#[tokio::test]
async fn the_same_event_again_is_not_another_delivery() {
    let (webhooks, _) = start(quick()).await;
    let receiver = Receiver::start().await;
    let to = subscribe(&webhooks, receiver.url()).await;
    offer(&webhooks, "1").await;
    until_status(&webhooks, &to, Status::Delivered).await;
    offer(&webhooks, "1").await;
    offer(&webhooks, "2").await;
    let received = until_received(&receiver, 2).await;
    assert_eq!(received[1].event(), "2");
    assert_eq!(
        webhooks
            .deliveries(ACCOUNT, to.id, None, 10)
            .await
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_failed_delivery_is_retried_with_the_same_id_and_a_new_signature() {
    let (webhooks, _) = start(quick()).await;
    let receiver = Receiver::start().await;
    receiver.will_answer([500, 404, 301, 204]);
    let to = subscribe(&webhooks, receiver.url()).await;
    offer(&webhooks, "1").await;
    let delivery = until_status(&webhooks, &to, Status::Delivered).await;
    assert_eq!(delivery.attempts, 4);
    let received = receiver.received();
    assert_eq!(received.len(), 4);
    for one in &received {
        assert_eq!(one.header("webhook-id"), delivery.id.to_string());
        assert!(is_signed(one, &to.secret.reveal()));
    }
    assert_eq!(webhooks.counts().retried, 3);
}

#[tokio::test]
async fn a_delivery_that_fails_does_not_hold_up_those_behind_it() {
    let settings = Settings {
        pause: Duration::from_secs(3_600),
        ..quick()
    };
    let (webhooks, _) = start(settings).await;
    let receiver = Receiver::start().await;
    receiver.will_answer([500]);
    let to = subscribe(&webhooks, receiver.url()).await;
    offer(&webhooks, "1").await;
    until_tried(&webhooks, &to, 1).await;
    offer(&webhooks, "2").await;
    until_status(&webhooks, &to, Status::Delivered).await;
    let deliveries = webhooks.deliveries(ACCOUNT, to.id, None, 10).await.unwrap();
    let statuses: Vec<_> = deliveries.iter().map(|delivery| delivery.status).collect();
    assert_eq!(
        statuses,
        [Status::Delivered, Status::Waiting],
        "newest first"
    );
}

#[tokio::test]
async fn a_delivery_is_given_up_after_its_attempts() {
    let settings = Settings {
        attempts: 3,
        ..quick()
    };
    let (webhooks, _) = start(settings).await;
    let receiver = Receiver::start().await;
    receiver.will_answer([500; 3]);
    let to = subscribe(&webhooks, receiver.url()).await;
    offer(&webhooks, "1").await;
    let delivery = until_status(&webhooks, &to, Status::Failed).await;
    assert_eq!((delivery.attempts, delivery.due_at), (3, None));
    assert_eq!(
        delivery.response.as_deref(),
        Some("answered 500 Internal Server Error")
    );
    assert_eq!(receiver.received().len(), 3);
    assert_eq!(webhooks.counts().failed, 1);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_sent_nothing_more() {
    let (webhooks, _) = start(quick()).await;
    let receiver = Receiver::start().await;
    receiver.will_answer([410]);
    let to = subscribe(&webhooks, receiver.url()).await;
    offer(&webhooks, "1").await;
    let delivery = until_status(&webhooks, &to, Status::Failed).await;
    assert_eq!(
        delivery.response.as_deref(),
        Some("answered 410 Gone; the webhook was turned off")
    );
    let is_off = async || (!webhooks.subscription(ACCOUNT, to.id).unwrap().enabled).then_some(());
    until("the subscription is off", is_off).await;
    offer(&webhooks, "2").await;
    let on = webhooks.switch(ACCOUNT, to.id, true).await.unwrap();
    assert!(on.enabled);
    offer(&webhooks, "3").await;
    let received = until_received(&receiver, 2).await;
    assert_eq!(
        received[1].event(),
        "3",
        "events while it is off create no deliveries"
    );
}

#[tokio::test]
async fn one_slow_address_does_not_hold_up_another() {
    let (webhooks, _) = start(quick()).await;
    let (slow, fast) = (Receiver::start().await, Receiver::start().await);
    slow.hold();
    let to_slow = subscribe(&webhooks, slow.url()).await;
    let to_fast = subscribe(&webhooks, fast.url()).await;
    offer(&webhooks, "1").await;
    offer(&webhooks, "2").await;
    until_received(&fast, 2).await;
    until_status(&webhooks, &to_fast, Status::Delivered).await;
    assert_eq!(until_received(&slow, 1).await.len(), 1, "one at a time");
    slow.release();
    until_received(&slow, 2).await;
    until_status(&webhooks, &to_slow, Status::Delivered).await;
}

#[tokio::test]
async fn an_account_makes_no_more_concurrent_attempts_than_it_may() {
    let attempts = Capacity::of(4).with_each(2);
    let ledger = Ledger::new(Capacities::default().with(Resource::Deliveries, attempts));
    let memory = Arc::new(Memory::default());
    let webhooks = Webhooks::start(memory, quick(), ledger.clone())
        .await
        .unwrap();
    let slow = Receiver::start().await;
    slow.hold();
    for _ in 0..5 {
        subscribe(&webhooks, slow.url()).await;
    }
    offer(&webhooks, "1").await;
    until_received(&slow, 2).await;
    let fast = Receiver::start().await;
    let new = tenterhook_delivery::NewSubscription {
        url: fast.url(),
        ..Default::default()
    };
    webhooks
        .subscribe(crate::support::OTHER, new)
        .await
        .unwrap();
    webhooks
        .offer(crate::support::OTHER, &event("1"), None)
        .await
        .unwrap();
    until_received(&fast, 1).await;
    assert_eq!(slow.received().len(), 2);
    let account = Holder::Account(ACCOUNT.as_u128());
    assert_eq!(ledger.held(account, Resource::Deliveries), 2);
    slow.release();
    until_received(&slow, 5).await;
}

#[tokio::test]
async fn a_restart_continues_with_waiting_deliveries() {
    let receiver = Receiver::start().await;
    let settings = Settings {
        pause: Duration::from_millis(100),
        ..quick()
    };
    let (webhooks, memory) = start(settings.clone()).await;
    receiver.will_answer([503]);
    let to = subscribe(&webhooks, receiver.url()).await;
    offer(&webhooks, "1").await;
    until_tried(&webhooks, &to, 1).await;
    webhooks.drain().await;
    offer(&webhooks, "2").await;
    let before = receiver.received().len();
    let webhooks = start_on(memory, settings).await;
    until("both are delivered", async || {
        let deliveries = webhooks.deliveries(ACCOUNT, to.id, None, 10).await.unwrap();
        let delivered = deliveries
            .iter()
            .filter(|delivery| delivery.status == Status::Delivered);
        (delivered.count() == 2).then_some(())
    })
    .await;
    assert!(receiver.received().len() > before);
    assert_eq!(webhooks.waiting().await.unwrap(), 0);
}

#[tokio::test]
async fn draining_waits_for_the_attempt_in_progress() {
    let (webhooks, _) = start(quick()).await;
    let receiver = Receiver::start().await;
    receiver.hold();
    let to = subscribe(&webhooks, receiver.url()).await;
    offer(&webhooks, "1").await;
    offer(&webhooks, "2").await;
    until_received(&receiver, 1).await;
    let drained = tokio::spawn({
        let webhooks = webhooks.clone();
        async move { webhooks.drain().await }
    });
    // Whatever else is ready runs before this goes on.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!drained.is_finished());
    receiver.release();
    drained.await.unwrap();
    let statuses: Vec<_> = statuses(&webhooks, &to).await;
    assert_eq!(statuses, [Status::Waiting, Status::Delivered]);
}

async fn statuses(webhooks: &Webhooks, to: &Subscription) -> Vec<Status> {
    let deliveries = webhooks.deliveries(ACCOUNT, to.id, None, 10).await.unwrap();
    deliveries.iter().map(|delivery| delivery.status).collect()
}

#[tokio::test]
async fn the_oldest_are_evicted_when_too_many_wait() {
    let settings = Settings {
        waiting: 3,
        pause: Duration::from_secs(3_600),
        ..quick()
    };
    let (webhooks, _) = start(settings).await;
    let receiver = Receiver::start().await;
    receiver.hold();
    let to = subscribe(&webhooks, receiver.url()).await;
    for id in ["1", "2", "3", "4", "5"] {
        offer(&webhooks, id).await;
    }
    let deliveries = webhooks.deliveries(ACCOUNT, to.id, None, 10).await.unwrap();
    let statuses: Vec<_> = deliveries.iter().map(|delivery| delivery.status).collect();
    let (waiting, failed) = (Status::Waiting, Status::Failed);
    assert_eq!(statuses, [waiting, waiting, waiting, failed, failed]);
    assert_eq!(
        deliveries[4].response.as_deref(),
        Some("evicted: too many deliveries were waiting")
    );
    assert_eq!(webhooks.counts().failed, 2);
    receiver.release();
}

#[tokio::test]
async fn deliveries_are_deleted_with_their_subscription() {
    let (webhooks, memory) = start(quick()).await;
    let receiver = Receiver::start().await;
    receiver.hold();
    let to = subscribe(&webhooks, receiver.url()).await;
    offer(&webhooks, "1").await;
    offer(&webhooks, "2").await;
    until_received(&receiver, 1).await;
    webhooks.unsubscribe(ACCOUNT, to.id).await.unwrap();
    receiver.release();
    webhooks.drain().await;
    assert_eq!(receiver.received().len(), 1);
    drop(webhooks);
    let again = start_on(memory, quick()).await;
    assert!(again.subscriptions(ACCOUNT).is_empty());
    assert_eq!(again.waiting().await.unwrap(), 0);
}

#[tokio::test]
async fn deliveries_wait_while_their_subscription_is_disabled() {
    let (webhooks, memory) = start(quick()).await;
    let receiver = Receiver::start().await;
    let to = subscribe(&webhooks, receiver.url()).await;
    receiver.hold();
    offer(&webhooks, "1").await;
    offer(&webhooks, "2").await;
    until_received(&receiver, 1).await;
    let off = webhooks.switch(ACCOUNT, to.id, false).await.unwrap();
    assert!(!off.enabled);
    receiver.release();
    until_status(&webhooks, &to, Status::Delivered).await;
    offer(&webhooks, "3").await;
    webhooks.drain().await;
    let webhooks = start_on(memory, quick()).await;
    webhooks.switch(ACCOUNT, to.id, true).await.unwrap();
    let received = until_received(&receiver, 2).await;
    assert_eq!(received[1].event(), "2");
    assert_eq!(
        statuses(&webhooks, &to).await.len(),
        2,
        "there is no third delivery"
    );
}

#[tokio::test]
async fn deliveries_are_pruned_after_their_time() {
    let (webhooks, memory) = start(quick()).await;
    let receiver = Receiver::start().await;
    let to = subscribe(&webhooks, receiver.url()).await;
    offer(&webhooks, "1").await;
    until_status(&webhooks, &to, Status::Delivered).await;
    webhooks.drain().await;
    let settings = Settings {
        keep: Duration::ZERO,
        ..quick()
    };
    let webhooks = start_on(memory, settings).await;
    until("nothing is remembered", async || {
        statuses(&webhooks, &to).await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_queue_continues_after_its_store_has_failed() {
    let (webhooks, memory) = start(quick()).await;
    let receiver = Receiver::start().await;
    let to = subscribe(&webhooks, receiver.url()).await;
    receiver.hold();
    offer(&webhooks, "1").await;
    until_received(&receiver, 1).await;
    memory.set_broken(true);
    assert!(webhooks.offer(ACCOUNT, &event("2"), None).await.is_err());
    receiver.release();
    until("the store fails the queue too", async || {
        (memory.failures() > 1).then_some(())
    })
    .await;
    memory.set_broken(false);
    until_status(&webhooks, &to, Status::Delivered).await;
    assert_eq!(
        receiver.received().len(),
        2,
        "what is not known to have arrived is sent again"
    );
}
