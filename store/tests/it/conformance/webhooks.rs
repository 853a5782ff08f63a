//! Subscriptions to webhooks, and their deliveries.

use std::time::Duration;

use tenterhook_delivery::{
    Delivery, Error, NewDelivery, Outbox, QueueLimit, Retention, Secret, Status, Subscription,
    SubscriptionId, Wait,
};
use tenterhook_dispatch::Store;
use uuid::Uuid;

use crate::support::{account, at};

/// A store that has an outbox too.
pub(crate) trait OutboxStore: Store + Outbox {}

impl<S: Store + Outbox> OutboxStore for S {}

const LIMIT: QueueLimit = QueueLimit {
    max_waiting: 100,
    reason: "evicted",
};

/// Stores a subscription of a new account.
async fn webhook(store: &impl OutboxStore, id: u128) -> Subscription {
    let account = store
        .insert_account(account(&id.to_string()))
        .await
        .unwrap();
    let own = Subscription {
        id: SubscriptionId(Uuid::from_u128(id)),
        account: account.id.as_uuid(),
        url: "https://manager.example/hook?ä=%20".into(),
        events: vec!["action.instance".into(), "maintenance.host".into()],
        project: Some("ö".into()),
        secret: Secret::from_bytes((0..24).collect()).unwrap(),
        enabled: true,
        paused_until: Some(at(0)),
        created_at: at(1),
    };
    store.insert_subscription(own.clone()).await.unwrap();
    own
}

fn delivery(to: &Subscription, id: u128, seconds: i64) -> NewDelivery {
    NewDelivery {
        id: Uuid::from_u128(id),
        subscription: to.id,
        kind: "maintenance.host".into(),
        body: format!("body {id}").into(),
        created_at: at(seconds),
        due_at: at(seconds),
        refused: None,
    }
}

async fn keep(store: &impl OutboxStore, new: impl IntoIterator<Item = NewDelivery>) {
    let new = new.into_iter().collect();
    assert_eq!(store.insert_deliveries(new, LIMIT).await.unwrap(), []);
}

async fn due(store: &impl OutboxStore, of: &Subscription, seconds: i64) -> Vec<u128> {
    let due = store.due(of.id, at(seconds), 10).await.unwrap();
    due.iter()
        .map(|(delivery, _)| delivery.id.as_u128())
        .collect()
}

async fn deliveries(store: &impl OutboxStore, of: &Subscription) -> Vec<(u128, Status)> {
    let deliveries = store.deliveries(of.id, None, 10).await.unwrap();
    deliveries
        .iter()
        .map(|delivery| (delivery.id.as_u128(), delivery.status))
        .collect()
}

/// Records a result of the first delivery that is due.
async fn record_attempt(
    store: &impl OutboxStore,
    of: &Subscription,
    status: Status,
    due_at: Option<i64>,
) -> Delivery {
    let (first, _) = store.due(of.id, at(1_000), 1).await.unwrap().remove(0);
    let recorded = Delivery {
        attempts: first.attempts + 1,
        status,
        response: Some("answered 500 ü".into()),
        due_at: due_at.map(at),
        ..first
    };
    store
        .record_attempt(recorded.clone(), None, None)
        .await
        .unwrap();
    recorded
}

pub(crate) async fn a_webhook_is_kept_whole_and_switched(store: &impl OutboxStore) {
    let second = webhook(store, 2).await;
    let plain = Subscription {
        id: SubscriptionId(Uuid::from_u128(1)),
        events: Vec::new(),
        project: None,
        secret: Secret::from_bytes(vec![7; 64]).unwrap(),
        enabled: false,
        ..second.clone()
    };
    store.insert_subscription(plain.clone()).await.unwrap();
    assert_eq!(
        store.subscriptions().await.unwrap(),
        [plain.clone(), second.clone()]
    );
    store.switch_subscription(plain.id, true).await.unwrap();
    store.switch_subscription(second.id, false).await.unwrap();
    let switches: Vec<_> = store.subscriptions().await.unwrap();
    let switches: Vec<_> = switches.iter().map(|own| own.enabled).collect();
    assert_eq!(switches, [true, false]);
}

pub(crate) async fn an_unknown_webhook_is_not_found(store: &impl OutboxStore) {
    let id = SubscriptionId(Uuid::from_u128(9));
    let switched = store.switch_subscription(id, true).await;
    assert!(matches!(switched, Err(Error::NotFound(_))), "{switched:?}");
    let deleted = store.delete_subscription(id).await;
    assert!(matches!(deleted, Err(Error::NotFound(_))), "{deleted:?}");
    assert_eq!(store.next_due(id).await.unwrap(), None);
}

pub(crate) async fn a_delivery_is_kept_whole_once(store: &impl OutboxStore) {
    let own = webhook(store, 1).await;
    keep(store, [delivery(&own, 5, 10)]).await;
    let again = NewDelivery {
        body: b"another".into(),
        ..delivery(&own, 5, 20)
    };
    keep(store, [again, delivery(&own, 6, 20)]).await;
    let due = store.due(own.id, at(20), 10).await.unwrap();
    let kept = Delivery {
        id: Uuid::from_u128(5),
        subscription: own.id,
        kind: "maintenance.host".into(),
        attempts: 0,
        status: Status::Waiting,
        response: None,
        created_at: at(10),
        due_at: Some(at(10)),
    };
    assert_eq!(due[0], (kept.clone(), b"body 5".to_vec()));
    assert_eq!(due.len(), 2);
    assert_eq!(store.deliveries(own.id, None, 10).await.unwrap()[1], kept);
    let newest = store.deliveries(own.id, None, 1).await.unwrap();
    assert_eq!(newest.len(), 1);
    let rest = store
        .deliveries(own.id, Some((newest[0].created_at, newest[0].id)), 10)
        .await
        .unwrap();
    assert_eq!(rest, std::slice::from_ref(&kept));
    // A place without its delivery, which was pruned meanwhile.
    for (seconds, rest) in [(9, vec![]), (10, vec![kept])] {
        let place = Some((at(seconds), Uuid::from_u128(99)));
        assert_eq!(store.deliveries(own.id, place, 10).await.unwrap(), rest);
    }
    assert_eq!(store.waiting().await.unwrap(), 2);
}

pub(crate) async fn deliveries_are_due_in_order_and_separately_for_each_webhook(
    store: &impl OutboxStore,
) {
    let (own, other) = (webhook(store, 1).await, webhook(store, 2).await);
    keep(
        store,
        [
            delivery(&own, 5, 20),
            delivery(&own, 4, 20),
            delivery(&own, 3, 10),
        ],
    )
    .await;
    keep(store, [delivery(&other, 6, 15)]).await;
    assert_eq!(due(store, &own, 9).await, []);
    assert_eq!(due(store, &own, 10).await, [3]);
    assert_eq!(due(store, &own, 20).await, [3, 5, 4]);
    assert_eq!(due(store, &other, 20).await, [6]);
    assert_eq!(store.due(own.id, at(20), 2).await.unwrap().len(), 2);
    assert_eq!(store.next_due(own.id).await.unwrap(), Some(at(10)));
    assert_eq!(store.next_due(other.id).await.unwrap(), Some(at(15)));
    store.switch_subscription(own.id, false).await.unwrap();
    assert_eq!(
        due(store, &own, 20).await,
        [3, 5, 4],
        "which webhooks are enabled is for the dispatcher to check"
    );
}

pub(crate) async fn the_result_of_an_attempt_is_stored_whole(store: &impl OutboxStore) {
    let own = webhook(store, 1).await;
    keep(store, [delivery(&own, 1, 10), delivery(&own, 2, 11)]).await;
    let failed = record_attempt(store, &own, Status::Waiting, Some(60)).await;
    assert_eq!(store.deliveries(own.id, None, 10).await.unwrap()[1], failed);
    assert_eq!(due(store, &own, 59).await, [2]);
    let again = store.due(own.id, at(60), 10).await.unwrap();
    assert_eq!(
        again[1],
        (failed, b"body 1".to_vec()),
        "its body is there still"
    );

    let delivered = record_attempt(store, &own, Status::Delivered, None).await;
    assert_eq!(delivered.id.as_u128(), 2);
    assert_eq!(
        store.deliveries(own.id, None, 10).await.unwrap()[0],
        delivered
    );
    assert_eq!(due(store, &own, 1_000).await, [1]);
    assert_eq!(store.next_due(own.id).await.unwrap(), Some(at(60)));
    assert_eq!(store.waiting().await.unwrap(), 1);
    keep(store, [delivery(&own, 2, 30)]).await;
    assert_eq!(
        due(store, &own, 1_000).await,
        [1],
        "it is not delivered again"
    );
}

pub(crate) async fn nothing_is_due_while_a_webhook_is_paused(store: &impl OutboxStore) {
    let (own, other) = (webhook(store, 1).await, webhook(store, 2).await);
    keep(store, [delivery(&own, 1, 10), delivery(&own, 2, 11)]).await;
    keep(store, [delivery(&other, 3, 12)]).await;
    let (first, _) = store.due(own.id, at(20), 1).await.unwrap().remove(0);
    let recorded = Delivery {
        attempts: 1,
        due_at: Some(at(30)),
        ..first
    };
    let pause = Wait {
        until: at(50),
        duration: Duration::from_secs(30),
    };
    store
        .record_attempt(recorded, Some(Duration::from_secs(10)), Some(pause))
        .await
        .unwrap();
    assert_eq!(due(store, &own, 49).await, []);
    assert_eq!(store.next_due(own.id).await.unwrap(), Some(at(50)));
    assert_eq!(due(store, &own, 50).await, [2, 1]);
    assert_eq!(due(store, &other, 49).await, [3]);
    let pauses: Vec<_> = store.subscriptions().await.unwrap();
    let pauses: Vec<_> = pauses.iter().map(|own| own.paused_until).collect();
    assert_eq!(pauses, [Some(at(50)), Some(at(0))]);
    // What waits for longer than the pause lasts is due when it is.
    keep(store, [delivery(&other, 4, 70)]).await;
    let delivered = record_attempt(store, &other, Status::Delivered, None).await;
    assert_eq!(delivered.id.as_u128(), 3);
    assert_eq!(store.next_due(other.id).await.unwrap(), Some(at(70)));
}

/// Makes the first delivery that is due wait for `wait`, and pauses its webhook as long.
async fn wait(store: &impl OutboxStore, of: &Subscription, from: i64, wait: Option<Duration>) {
    let (first, _) = store.due(of.id, at(from), 1).await.unwrap().remove(0);
    let duration = wait.unwrap_or_default();
    let recorded = Delivery {
        attempts: 1,
        due_at: Some(at(from) + duration),
        ..first
    };
    let pause = wait.map(|duration| Wait {
        until: at(from) + duration,
        duration,
    });
    store.record_attempt(recorded, wait, pause).await.unwrap();
}

pub(crate) async fn no_delivery_and_no_pause_outlasts_its_delay(store: &impl OutboxStore) {
    let later = 100_000_000;
    let (own, new, unknown) = (
        webhook(store, 1).await,
        webhook(store, 2).await,
        webhook(store, 3).await,
    );
    for (id, own) in [(1, &own), (2, &new), (3, &unknown)] {
        keep(store, [delivery(own, id, later)]).await;
    }
    wait(store, &own, later, Some(Duration::from_secs(60))).await;
    wait(store, &unknown, later, None).await;

    store.shorten_delivery_waits(at(1_000)).await.unwrap();

    assert_eq!(store.next_due(own.id).await.unwrap(), Some(at(1_060)));
    let pauses = store.subscriptions().await.unwrap();
    assert_eq!(pauses[0].paused_until, Some(at(1_060)));
    assert_eq!(due(store, &own, 1_060).await, [1]);
    assert_eq!(store.next_due(new.id).await.unwrap(), Some(at(1_000)));
    // The duration of its wait is unknown.
    assert_eq!(
        store.next_due(unknown.id).await.unwrap(),
        Some(at(1_000 + 3_600))
    );

    // What has waited for a part of its time waits for the rest.
    store.shorten_delivery_waits(at(1_050)).await.unwrap();
    assert_eq!(store.next_due(own.id).await.unwrap(), Some(at(1_060)));
}

pub(crate) async fn a_delivery_that_does_not_wait_is_not_changed(store: &impl OutboxStore) {
    let own = webhook(store, 1).await;
    keep(store, [delivery(&own, 1, 10)]).await;
    let given_up = record_attempt(store, &own, Status::Failed, None).await;
    let late = Delivery {
        status: Status::Waiting,
        due_at: Some(at(20)),
        ..given_up.clone()
    };
    store.record_attempt(late, None, None).await.unwrap();
    assert_eq!(
        store.deliveries(own.id, None, 10).await.unwrap(),
        std::slice::from_ref(&given_up)
    );
    store.delete_subscription(own.id).await.unwrap();
    let pause = Wait {
        until: at(9),
        duration: Duration::from_secs(9),
    };
    store
        .record_attempt(given_up, None, Some(pause))
        .await
        .unwrap();
}

pub(crate) async fn the_oldest_deliveries_are_evicted(store: &impl OutboxStore) {
    let (own, other) = (webhook(store, 1).await, webhook(store, 2).await);
    keep(
        store,
        [
            delivery(&own, 1, 10),
            delivery(&own, 2, 11),
            delivery(&other, 3, 12),
        ],
    )
    .await;
    record_attempt(store, &own, Status::Delivered, None).await;
    let limit = QueueLimit {
        max_waiting: 2,
        ..LIMIT
    };
    let new = vec![
        delivery(&own, 4, 20),
        delivery(&other, 5, 20),
        delivery(&own, 6, 21),
        delivery(&own, 7, 21),
    ];
    let evicted = store.insert_deliveries(new, limit).await.unwrap();
    assert_eq!(evicted, [(own.id, 2)]);
    assert_eq!(
        deliveries(store, &own).await,
        [
            (7, Status::Waiting),
            (6, Status::Waiting),
            (4, Status::Failed),
            (2, Status::Failed),
            (1, Status::Delivered),
        ]
    );
    assert_eq!(due(store, &own, 100).await, [6, 7]);
    assert_eq!(due(store, &other, 100).await, [3, 5]);
    let response = store
        .deliveries(own.id, None, 3)
        .await
        .unwrap()
        .pop()
        .unwrap()
        .response;
    assert_eq!(response.as_deref(), Some("evicted"));
}

pub(crate) async fn deliveries_are_removed_with_their_webhook(store: &impl OutboxStore) {
    let (own, other) = (webhook(store, 1).await, webhook(store, 2).await);
    keep(store, [delivery(&own, 1, 10), delivery(&other, 2, 10)]).await;
    store.delete_subscription(own.id).await.unwrap();
    keep(store, [delivery(&own, 3, 10), delivery(&other, 4, 11)]).await;
    assert_eq!(deliveries(store, &own).await, []);
    assert_eq!(due(store, &other, 20).await, [2, 4]);
    assert_eq!(store.subscriptions().await.unwrap(), [other]);
    assert_eq!(store.waiting().await.unwrap(), 2);
}

pub(crate) async fn old_and_surplus_deliveries_are_pruned(store: &impl OutboxStore) {
    let (own, other) = (webhook(store, 1).await, webhook(store, 2).await);
    keep(store, (1..=5).map(|id| delivery(&own, id, 10))).await;
    for _ in 0..4 {
        record_attempt(store, &own, Status::Delivered, None).await;
    }
    keep(store, [delivery(&other, 6, 9), delivery(&other, 7, 10)]).await;
    let all = |since, per_subscription| Retention {
        since: at(since),
        per_subscription,
    };
    assert_eq!(store.prune_deliveries(all(9, 10), 10).await.unwrap(), 0);
    assert_eq!(store.prune_deliveries(all(10, 10), 10).await.unwrap(), 1);
    assert_eq!(
        deliveries(store, &other).await,
        [(7, Status::Waiting)],
        "one that waits too"
    );
    assert_eq!(store.prune_deliveries(all(10, 1), 2).await.unwrap(), 2);
    assert_eq!(store.prune_deliveries(all(10, 1), 2).await.unwrap(), 1);
    assert_eq!(
        deliveries(store, &own).await,
        [(5, Status::Waiting), (4, Status::Delivered)]
    );
    assert_eq!(store.prune_deliveries(all(11, 1), 10).await.unwrap(), 3);
}
