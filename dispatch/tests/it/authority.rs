//! The authority of long-lived readers, and what ends it.

use std::future::ready;

use tenterhook_dispatch::{Authority, Identity, Lapse, NewToken, PrincipalChange, Role};
use time::{Duration, OffsetDateTime};

use crate::principals::{identify, issue, principal};
use crate::support::{LONG, Yard};

async fn hold(yard: &Yard, identity: &Identity, needs: Role) -> Authority {
    let held = yard
        .dispatcher
        .identities()
        .hold_authority(identity, needs)
        .await;
    held.unwrap()
}

async fn has_ended(authority: &Authority) -> bool {
    tokio::select! {
        biased;
        _ = authority.ended() => true,
        () = ready(()) => false,
    }
}

#[tokio::test]
async fn it_ends_with_its_own_token_or_principal_and_no_other() {
    let yard = Yard::new().await;
    let ada = principal(&yard, "ada", Role::Admin).await;
    let mut held = Vec::new();
    for name in ["laptop", "phone"] {
        let (token, secret) = issue(&yard, name, Some(ada.id), Role::Admin).await.unwrap();
        let identity = identify(&yard, &secret).await.unwrap();
        let login = yard
            .dispatcher
            .identities()
            .log_in("ada", secret.reveal(), LONG)
            .await;
        let (session, _) = login.unwrap().unwrap();
        let of_token = hold(&yard, &identity, Role::Viewer).await;
        let of_session = hold(&yard, &session, Role::Viewer).await;
        held.push((token, of_token, of_session));
    }
    let [(laptop, of_laptop, from_laptop), (_, of_phone, from_phone)] = &held[..] else {
        panic!("there are two");
    };
    yard.dispatcher
        .tokens()
        .revoke(yard.account, laptop.id)
        .await
        .unwrap();
    for ended in [of_laptop, from_laptop] {
        assert_eq!(ended.ended().await, Lapse::Void);
    }
    assert!(!has_ended(of_phone).await && !has_ended(from_phone).await);
    yard.dispatcher
        .principals()
        .delete(yard.account, ada.id)
        .await
        .unwrap();
    for ended in [of_phone, from_phone] {
        assert_eq!(ended.ended().await, Lapse::Void);
    }
}

#[tokio::test]
async fn it_ends_when_the_role_is_no_longer_enough() {
    let yard = Yard::new().await;
    let ada = principal(&yard, "ada", Role::Admin).await;
    let (_, secret) = issue(&yard, "laptop", Some(ada.id), Role::Admin)
        .await
        .unwrap();
    let identity = identify(&yard, &secret).await.unwrap();
    let reads = hold(&yard, &identity, Role::Viewer).await;
    let writes = hold(&yard, &identity, Role::Member).await;
    let lower = async |role| {
        let change = PrincipalChange {
            name: None,
            role: Some(role),
        };
        let changed = yard
            .dispatcher
            .principals()
            .change(yard.account, ada.id, change);
        changed.await.unwrap();
    };
    lower(Role::Member).await;
    assert!(!has_ended(&reads).await && !has_ended(&writes).await);
    lower(Role::Viewer).await;
    assert_eq!(writes.ended().await, Lapse::Role(Role::Member));
    assert!(!has_ended(&reads).await);
    // A reader that was admitted before, and watches it only now, is notified too.
    let late = hold(&yard, &identity, Role::Member).await;
    assert_eq!(late.ended().await, Lapse::Role(Role::Member));
}

#[tokio::test]
async fn authority_that_ended_before_it_was_watched_ends_it_too() {
    let yard = Yard::new().await;
    let (token, secret) = issue(&yard, "ci", None, Role::Viewer).await.unwrap();
    let identity = identify(&yard, &secret).await.unwrap();
    yard.dispatcher
        .tokens()
        .revoke(yard.account, token.id)
        .await
        .unwrap();
    let late = hold(&yard, &identity, Role::Viewer).await;
    assert_eq!(late.ended().await, Lapse::Void);
}

#[tokio::test]
async fn it_ends_when_the_token_expires() {
    let yard = Yard::new().await;
    let new = NewToken {
        name: "brief".into(),
        principal: None,
        role: Role::Viewer,
        expires_at: Some(OffsetDateTime::now_utc() + Duration::milliseconds(500)),
    };
    let (_, secret) = yard
        .dispatcher
        .tokens()
        .issue(yard.account, new)
        .await
        .unwrap();
    let identity = identify(&yard, &secret).await.unwrap();
    let held = hold(&yard, &identity, Role::Viewer).await;
    assert_eq!(held.ended().await, Lapse::Void);
    assert_eq!(identify(&yard, &secret).await, None);
}

#[tokio::test]
async fn an_evicted_session_reads_no_more() {
    let yard = Yard::new().await;
    let (_, secret) = issue(&yard, "ci", None, Role::Viewer).await.unwrap();
    let log_in = async || {
        let login = yard
            .dispatcher
            .identities()
            .log_in("ci", secret.reveal(), LONG)
            .await;
        login.unwrap().unwrap().0
    };
    let first = hold(&yard, &log_in().await, Role::Viewer).await;
    let second = hold(&yard, &log_in().await, Role::Viewer).await;
    for _ in 0..99 {
        log_in().await;
    }
    assert_eq!(first.ended().await, Lapse::Void);
    assert!(!has_ended(&second).await);
}
