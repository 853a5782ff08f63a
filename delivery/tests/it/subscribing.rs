//! Which subscription receives which events, and what accounts see of each other.

use tenterhook_delivery::{Error, NewSubscription, SUBSCRIPTIONS_MAX, Secret, Status};
use tenterhook_sdk::Event;

use crate::receiver::Receiver;
use crate::support::{ACCOUNT, OTHER, event, quick, start, subscribe, until_status};

#[tokio::test]
async fn only_subscribed_events_of_delivered_types_create_deliveries() {
    let (webhooks, _) = start(quick()).await;
    let receiver = Receiver::start().await;
    let new = NewSubscription {
        url: receiver.url(),
        events: vec!["maintenance.scheduled".into()],
        project: Some("p1".into()),
        ..NewSubscription::default()
    };
    let some = webhooks.subscribe(ACCOUNT, new).await.unwrap();
    let all = subscribe(&webhooks, receiver.url()).await;
    for (id, kind, project) in [
        ("1", "maintenance.scheduled", Some("p1")),
        ("2", "maintenance.scheduled", Some("p2")),
        ("3", "maintenance.scheduled", None),
        ("4", "maintenance.host", Some("p1")),
        ("5", "OnAudit", Some("p1")),
    ] {
        let event = Event::new(id, "/test", kind, None);
        webhooks.offer(ACCOUNT, &event, project).await.unwrap();
        webhooks.offer(OTHER, &event, project).await.unwrap();
    }
    until_status(&webhooks, &some, Status::Delivered).await;
    assert_eq!(
        webhooks
            .deliveries(ACCOUNT, some.id, None, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        webhooks
            .deliveries(ACCOUNT, all.id, None, 10)
            .await
            .unwrap()
            .len(),
        4
    );
    assert_eq!(
        webhooks
            .deliveries(ACCOUNT, all.id, None, 3)
            .await
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test]
async fn one_account_sees_nothing_of_another() {
    let (webhooks, _) = start(quick()).await;
    let own = subscribe(&webhooks, "http://192.0.2.1/").await;
    assert_eq!(webhooks.subscriptions(ACCOUNT), std::slice::from_ref(&own));
    assert!(webhooks.subscriptions(OTHER).is_empty());
    let missing = |error: Error| matches!(error, Error::NotFound(_));
    assert!(missing(webhooks.subscription(OTHER, own.id).unwrap_err()));
    assert!(missing(
        webhooks
            .deliveries(OTHER, own.id, None, 1)
            .await
            .unwrap_err()
    ));
    assert!(missing(
        webhooks.switch(OTHER, own.id, false).await.unwrap_err()
    ));
    assert!(missing(
        webhooks.unsubscribe(OTHER, own.id).await.unwrap_err()
    ));
    webhooks.offer(OTHER, &event("1"), None).await.unwrap();
    assert!(
        webhooks
            .deliveries(ACCOUNT, own.id, None, 1)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn an_account_has_a_hundred_subscriptions_at_most() {
    let (webhooks, _) = start(quick()).await;
    for _ in 0..SUBSCRIPTIONS_MAX {
        subscribe(&webhooks, "http://192.0.2.1/").await;
    }
    let new = || NewSubscription {
        url: "http://192.0.2.1/".into(),
        ..NewSubscription::default()
    };
    let error = webhooks.subscribe(ACCOUNT, new()).await.unwrap_err();
    assert!(matches!(error, Error::TooMany(SUBSCRIPTIONS_MAX)));
    webhooks.subscribe(OTHER, new()).await.unwrap();
    let first = webhooks.subscriptions(ACCOUNT)[0].id;
    webhooks.unsubscribe(ACCOUNT, first).await.unwrap();
    webhooks.subscribe(ACCOUNT, new()).await.unwrap();
}

#[tokio::test]
async fn a_secret_is_kept_as_it_was_given_and_never_printed() {
    let (webhooks, _) = start(quick()).await;
    let secret = Secret::generate().reveal();
    let new = NewSubscription {
        url: "http://192.0.2.1/".into(),
        secret: Some(secret.clone()),
        ..NewSubscription::default()
    };
    let own = webhooks.subscribe(ACCOUNT, new).await.unwrap();
    assert_eq!(own.secret.reveal(), secret);
    assert!(!format!("{own:?}").contains(&secret[6..]));
}
