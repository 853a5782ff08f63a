//! Subscriptions to webhooks, and the letters that they are owed.

use std::time::Duration;

use tenterhook_delivery::{
    Error, Fate, Keep, Letter, NewLetter, Outbox, Room, Secret, Subscription, SubscriptionId, Wait,
};
use tenterhook_dispatch::Store;
use uuid::Uuid;

use crate::support::{account, at};

/// A store that keeps letters too.
pub(crate) trait Posting: Store + Outbox {}

impl<S: Store + Outbox> Posting for S {}

const ROOM: Room = Room {
    most: 100,
    said: "gave way",
};

/// Keeps a subscription of a new account.
async fn webhook(store: &impl Posting, id: u128) -> Subscription {
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

fn letter(to: &Subscription, id: u128, seconds: i64) -> NewLetter {
    NewLetter {
        id: Uuid::from_u128(id),
        subscription: to.id,
        kind: "maintenance.host".into(),
        body: format!("body {id}").into(),
        created_at: at(seconds),
        due_at: at(seconds),
        refused: None,
    }
}

async fn keep(store: &impl Posting, new: impl IntoIterator<Item = NewLetter>) {
    let new = new.into_iter().collect();
    assert_eq!(store.insert_letters(new, ROOM).await.unwrap(), []);
}

async fn due(store: &impl Posting, of: &Subscription, seconds: i64) -> Vec<u128> {
    let due = store.due(of.id, at(seconds), 10).await.unwrap();
    due.iter().map(|(letter, _)| letter.id.as_u128()).collect()
}

async fn letters(store: &impl Posting, of: &Subscription) -> Vec<(u128, Fate)> {
    let letters = store.letters(of.id, None, 10).await.unwrap();
    letters
        .iter()
        .map(|letter| (letter.id.as_u128(), letter.fate))
        .collect()
}

/// Settles the first letter that is due.
async fn settle(
    store: &impl Posting,
    of: &Subscription,
    fate: Fate,
    due_at: Option<i64>,
) -> Letter {
    let (first, _) = store.due(of.id, at(1_000), 1).await.unwrap().remove(0);
    let settled = Letter {
        attempts: first.attempts + 1,
        fate,
        said: Some("answered 500 ü".into()),
        due_at: due_at.map(at),
        ..first
    };
    store
        .settle_letter(settled.clone(), None, None)
        .await
        .unwrap();
    settled
}

pub(crate) async fn a_webhook_is_kept_whole_and_switched(store: &impl Posting) {
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

pub(crate) async fn a_webhook_that_is_not_there_is_not_found(store: &impl Posting) {
    let id = SubscriptionId(Uuid::from_u128(9));
    let switched = store.switch_subscription(id, true).await;
    assert!(matches!(switched, Err(Error::NotFound(_))), "{switched:?}");
    let deleted = store.delete_subscription(id).await;
    assert!(matches!(deleted, Err(Error::NotFound(_))), "{deleted:?}");
    assert_eq!(store.next_due(id).await.unwrap(), None);
}

pub(crate) async fn a_letter_is_kept_whole_once(store: &impl Posting) {
    let own = webhook(store, 1).await;
    keep(store, [letter(&own, 5, 10)]).await;
    let again = NewLetter {
        body: b"another".into(),
        ..letter(&own, 5, 20)
    };
    keep(store, [again, letter(&own, 6, 20)]).await;
    let due = store.due(own.id, at(20), 10).await.unwrap();
    let kept = Letter {
        id: Uuid::from_u128(5),
        subscription: own.id,
        kind: "maintenance.host".into(),
        attempts: 0,
        fate: Fate::Waiting,
        said: None,
        created_at: at(10),
        due_at: Some(at(10)),
    };
    assert_eq!(due[0], (kept.clone(), b"body 5".to_vec()));
    assert_eq!(due.len(), 2);
    assert_eq!(store.letters(own.id, None, 10).await.unwrap()[1], kept);
    let newest = store.letters(own.id, None, 1).await.unwrap();
    assert_eq!(newest.len(), 1);
    let rest = store.letters(own.id, Some(newest[0].id), 10).await.unwrap();
    assert_eq!(rest, [kept]);
    let after_none = Some(Uuid::from_u128(99));
    assert_eq!(store.letters(own.id, after_none, 10).await.unwrap(), []);
    assert_eq!(store.waiting().await.unwrap(), 2);
}

pub(crate) async fn letters_are_due_in_their_order_and_each_webhooks_apart(store: &impl Posting) {
    let (own, other) = (webhook(store, 1).await, webhook(store, 2).await);
    keep(
        store,
        [
            letter(&own, 5, 20),
            letter(&own, 4, 20),
            letter(&own, 3, 10),
        ],
    )
    .await;
    keep(store, [letter(&other, 6, 15)]).await;
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
        "whom to ask is delivery's matter"
    );
}

pub(crate) async fn what_became_of_a_letter_is_kept_whole(store: &impl Posting) {
    let own = webhook(store, 1).await;
    keep(store, [letter(&own, 1, 10), letter(&own, 2, 11)]).await;
    let failed = settle(store, &own, Fate::Waiting, Some(60)).await;
    assert_eq!(store.letters(own.id, None, 10).await.unwrap()[1], failed);
    assert_eq!(due(store, &own, 59).await, [2]);
    let again = store.due(own.id, at(60), 10).await.unwrap();
    assert_eq!(
        again[1],
        (failed, b"body 1".to_vec()),
        "its body is there still"
    );

    let delivered = settle(store, &own, Fate::Delivered, None).await;
    assert_eq!(delivered.id.as_u128(), 2);
    assert_eq!(store.letters(own.id, None, 10).await.unwrap()[0], delivered);
    assert_eq!(due(store, &own, 1_000).await, [1]);
    assert_eq!(store.next_due(own.id).await.unwrap(), Some(at(60)));
    assert_eq!(store.waiting().await.unwrap(), 1);
    keep(store, [letter(&own, 2, 30)]).await;
    assert_eq!(due(store, &own, 1_000).await, [1], "it is not owed again");
}

pub(crate) async fn nothing_is_due_while_a_webhook_is_paused(store: &impl Posting) {
    let (own, other) = (webhook(store, 1).await, webhook(store, 2).await);
    keep(store, [letter(&own, 1, 10), letter(&own, 2, 11)]).await;
    keep(store, [letter(&other, 3, 12)]).await;
    let (first, _) = store.due(own.id, at(20), 1).await.unwrap().remove(0);
    let settled = Letter {
        attempts: 1,
        due_at: Some(at(30)),
        ..first
    };
    let pause = Wait {
        until: at(50),
        lasting: Duration::from_secs(30),
    };
    store
        .settle_letter(settled, Some(Duration::from_secs(10)), Some(pause))
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
    keep(store, [letter(&other, 4, 70)]).await;
    let delivered = settle(store, &other, Fate::Delivered, None).await;
    assert_eq!(delivered.id.as_u128(), 3);
    assert_eq!(store.next_due(other.id).await.unwrap(), Some(at(70)));
}

/// Has the first letter that is due wait so long, and its webhook be paused as long.
async fn wait(store: &impl Posting, of: &Subscription, from: i64, wait: Option<Duration>) {
    let (first, _) = store.due(of.id, at(from), 1).await.unwrap().remove(0);
    let lasting = wait.unwrap_or_default();
    let settled = Letter {
        attempts: 1,
        due_at: Some(at(from) + lasting),
        ..first
    };
    let pause = wait.map(|lasting| Wait {
        until: at(from) + lasting,
        lasting,
    });
    store.settle_letter(settled, wait, pause).await.unwrap();
}

pub(crate) async fn no_letter_and_no_pause_lasts_longer_than_it_was_to(store: &impl Posting) {
    let later = 100_000_000;
    let (own, new, unknown) = (
        webhook(store, 1).await,
        webhook(store, 2).await,
        webhook(store, 3).await,
    );
    for (id, own) in [(1, &own), (2, &new), (3, &unknown)] {
        keep(store, [letter(own, id, later)]).await;
    }
    wait(store, &own, later, Some(Duration::from_secs(60))).await;
    wait(store, &unknown, later, None).await;

    store.shorten_delivery_waits(at(1_000)).await.unwrap();

    assert_eq!(store.next_due(own.id).await.unwrap(), Some(at(1_060)));
    let pauses = store.subscriptions().await.unwrap();
    assert_eq!(pauses[0].paused_until, Some(at(1_060)));
    assert_eq!(due(store, &own, 1_060).await, [1]);
    assert_eq!(store.next_due(new.id).await.unwrap(), Some(at(1_000)));
    // How long it was to wait is not known.
    assert_eq!(
        store.next_due(unknown.id).await.unwrap(),
        Some(at(1_000 + 3_600))
    );

    // What has waited for a part of its time waits for the rest.
    store.shorten_delivery_waits(at(1_050)).await.unwrap();
    assert_eq!(store.next_due(own.id).await.unwrap(), Some(at(1_060)));
}

pub(crate) async fn a_letter_that_does_not_wait_is_settled_no_more(store: &impl Posting) {
    let own = webhook(store, 1).await;
    keep(store, [letter(&own, 1, 10)]).await;
    let given_up = settle(store, &own, Fate::Failed, None).await;
    let late = Letter {
        fate: Fate::Waiting,
        due_at: Some(at(20)),
        ..given_up.clone()
    };
    store.settle_letter(late, None, None).await.unwrap();
    assert_eq!(
        store.letters(own.id, None, 10).await.unwrap(),
        std::slice::from_ref(&given_up)
    );
    store.delete_subscription(own.id).await.unwrap();
    let pause = Wait {
        until: at(9),
        lasting: Duration::from_secs(9),
    };
    store
        .settle_letter(given_up, None, Some(pause))
        .await
        .unwrap();
}

pub(crate) async fn the_oldest_letters_give_way(store: &impl Posting) {
    let (own, other) = (webhook(store, 1).await, webhook(store, 2).await);
    keep(
        store,
        [
            letter(&own, 1, 10),
            letter(&own, 2, 11),
            letter(&other, 3, 12),
        ],
    )
    .await;
    settle(store, &own, Fate::Delivered, None).await;
    let room = Room { most: 2, ..ROOM };
    let new = vec![
        letter(&own, 4, 20),
        letter(&other, 5, 20),
        letter(&own, 6, 21),
        letter(&own, 7, 21),
    ];
    let gave_way = store.insert_letters(new, room).await.unwrap();
    assert_eq!(gave_way, [(own.id, 2)]);
    assert_eq!(
        letters(store, &own).await,
        [
            (7, Fate::Waiting),
            (6, Fate::Waiting),
            (4, Fate::Failed),
            (2, Fate::Failed),
            (1, Fate::Delivered),
        ]
    );
    assert_eq!(due(store, &own, 100).await, [6, 7]);
    assert_eq!(due(store, &other, 100).await, [3, 5]);
    let said = store
        .letters(own.id, None, 3)
        .await
        .unwrap()
        .pop()
        .unwrap()
        .said;
    assert_eq!(said.as_deref(), Some("gave way"));
}

pub(crate) async fn letters_go_with_their_webhook(store: &impl Posting) {
    let (own, other) = (webhook(store, 1).await, webhook(store, 2).await);
    keep(store, [letter(&own, 1, 10), letter(&other, 2, 10)]).await;
    store.delete_subscription(own.id).await.unwrap();
    keep(store, [letter(&own, 3, 10), letter(&other, 4, 11)]).await;
    assert_eq!(letters(store, &own).await, []);
    assert_eq!(due(store, &other, 20).await, [2, 4]);
    assert_eq!(store.subscriptions().await.unwrap(), [other]);
    assert_eq!(store.waiting().await.unwrap(), 2);
}

pub(crate) async fn old_letters_are_forgotten_and_too_many_that_do_not_wait(store: &impl Posting) {
    let (own, other) = (webhook(store, 1).await, webhook(store, 2).await);
    keep(store, (1..=5).map(|id| letter(&own, id, 10))).await;
    for _ in 0..4 {
        settle(store, &own, Fate::Delivered, None).await;
    }
    keep(store, [letter(&other, 6, 9), letter(&other, 7, 10)]).await;
    let all = |since, per_subscription| Keep {
        since: at(since),
        per_subscription,
    };
    assert_eq!(store.forget_letters(all(9, 10), 10).await.unwrap(), 0);
    assert_eq!(store.forget_letters(all(10, 10), 10).await.unwrap(), 1);
    assert_eq!(
        letters(store, &other).await,
        [(7, Fate::Waiting)],
        "one that waits too"
    );
    assert_eq!(store.forget_letters(all(10, 1), 2).await.unwrap(), 2);
    assert_eq!(store.forget_letters(all(10, 1), 2).await.unwrap(), 1);
    assert_eq!(
        letters(store, &own).await,
        [(5, Fate::Waiting), (4, Fate::Delivered)]
    );
    assert_eq!(store.forget_letters(all(11, 1), 10).await.unwrap(), 3);
}
