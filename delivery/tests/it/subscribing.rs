//! Who is told of what, and whose subscriptions are whose.

use tenterhook_delivery::{Error, Fate, NewSubscription, SUBSCRIPTIONS_MAX, Secret};
use tenterhook_sdk::Event;

use crate::receiver::Receiver;
use crate::support::{ACCOUNT, OTHER, event, quick, start, subscribe, until_fate};

#[tokio::test]
async fn only_what_is_wanted_and_delivered_at_all_is_owed() {
    let (delivery, _) = start(quick()).await;
    let receiver = Receiver::start().await;
    let new = NewSubscription {
        url: receiver.url(),
        events: vec!["maintenance.scheduled".into()],
        project: Some("p1".into()),
        ..NewSubscription::default()
    };
    let some = delivery.subscribe(ACCOUNT, new).await.unwrap();
    let all = subscribe(&delivery, receiver.url()).await;
    for (id, kind, project) in [
        ("1", "maintenance.scheduled", Some("p1")),
        ("2", "maintenance.scheduled", Some("p2")),
        ("3", "maintenance.scheduled", None),
        ("4", "maintenance.host", Some("p1")),
        ("5", "OnAudit", Some("p1")),
    ] {
        let event = Event::new(id, "/test", kind, None);
        delivery.offer(ACCOUNT, &event, project).await.unwrap();
        delivery.offer(OTHER, &event, project).await.unwrap();
    }
    until_fate(&delivery, &some, Fate::Delivered).await;
    assert_eq!(
        delivery
            .letters(ACCOUNT, some.id, None, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        delivery
            .letters(ACCOUNT, all.id, None, 10)
            .await
            .unwrap()
            .len(),
        4
    );
    assert_eq!(
        delivery
            .letters(ACCOUNT, all.id, None, 3)
            .await
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test]
async fn one_account_sees_nothing_of_another() {
    let (delivery, _) = start(quick()).await;
    let own = subscribe(&delivery, "http://192.0.2.1/").await;
    assert_eq!(delivery.subscriptions(ACCOUNT), std::slice::from_ref(&own));
    assert!(delivery.subscriptions(OTHER).is_empty());
    let missing = |error: Error| matches!(error, Error::NotFound(_));
    assert!(missing(delivery.subscription(OTHER, own.id).unwrap_err()));
    assert!(missing(
        delivery.letters(OTHER, own.id, None, 1).await.unwrap_err()
    ));
    assert!(missing(
        delivery.switch(OTHER, own.id, false).await.unwrap_err()
    ));
    assert!(missing(
        delivery.unsubscribe(OTHER, own.id).await.unwrap_err()
    ));
    delivery.offer(OTHER, &event("1"), None).await.unwrap();
    assert!(
        delivery
            .letters(ACCOUNT, own.id, None, 1)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn an_account_has_a_hundred_subscriptions_at_most() {
    let (delivery, _) = start(quick()).await;
    for _ in 0..SUBSCRIPTIONS_MAX {
        subscribe(&delivery, "http://192.0.2.1/").await;
    }
    let new = || NewSubscription {
        url: "http://192.0.2.1/".into(),
        ..NewSubscription::default()
    };
    let error = delivery.subscribe(ACCOUNT, new()).await.unwrap_err();
    assert!(matches!(error, Error::TooMany(SUBSCRIPTIONS_MAX)));
    delivery.subscribe(OTHER, new()).await.unwrap();
    let first = delivery.subscriptions(ACCOUNT)[0].id;
    delivery.unsubscribe(ACCOUNT, first).await.unwrap();
    delivery.subscribe(ACCOUNT, new()).await.unwrap();
}

#[tokio::test]
async fn a_secret_is_kept_as_it_was_given_and_never_printed() {
    let (delivery, _) = start(quick()).await;
    let secret = Secret::generate().reveal();
    let new = NewSubscription {
        url: "http://192.0.2.1/".into(),
        secret: Some(secret.clone()),
        ..NewSubscription::default()
    };
    let own = delivery.subscribe(ACCOUNT, new).await.unwrap();
    assert_eq!(own.secret.reveal(), secret);
    assert!(!format!("{own:?}").contains(&secret[6..]));
}
