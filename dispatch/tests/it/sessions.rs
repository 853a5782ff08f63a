//! Sessions: children of the token that logged in, bounded, and counted apart from tokens.

use tenterhook_dispatch::{Identity, Role, Secret, TokenKind};
use tokio::task::JoinSet;

use crate::principals::{identify, issue, principal};
use crate::support::{LONG, Yard};

async fn log_in(yard: &Yard, name: &str, secret: &Secret) -> Option<(Identity, Secret)> {
    let login = yard
        .dispatcher
        .identities()
        .log_in(name, secret.reveal(), LONG)
        .await;
    login.unwrap()
}

async fn sessions(yard: &Yard) -> usize {
    let tokens = yard.dispatcher.tokens().list(yard.account).await.unwrap();
    let sessions = tokens
        .iter()
        .filter(|token| token.kind == TokenKind::Session);
    sessions.count()
}

#[tokio::test]
async fn a_session_ends_with_the_token_that_logged_in_and_with_no_other() {
    let yard = Yard::new().await;
    let ada = principal(&yard, "ada", Role::Admin).await;
    let (laptop, by_laptop) = issue(&yard, "laptop", Some(ada.id), Role::Admin)
        .await
        .unwrap();
    let (_, by_phone) = issue(&yard, "phone", Some(ada.id), Role::Admin)
        .await
        .unwrap();
    let (_, first) = log_in(&yard, "ada", &by_laptop).await.unwrap();
    let (_, second) = log_in(&yard, "ada", &by_phone).await.unwrap();
    // Both are known without asking the store.
    for session in [&first, &second] {
        assert!(identify(&yard, session).await.is_some());
    }

    yard.dispatcher
        .tokens()
        .revoke(yard.account, laptop.id)
        .await
        .unwrap();

    assert_eq!(identify(&yard, &first).await, None);
    assert!(identify(&yard, &second).await.is_some());
    assert_eq!(sessions(&yard).await, 1);
    let restarted = yard.restarted().await;
    let first = restarted
        .identities()
        .authenticate(first.reveal())
        .await
        .unwrap();
    let second = restarted
        .identities()
        .authenticate(second.reveal())
        .await
        .unwrap();
    assert_eq!((first, second.is_some()), (None, true));
}

#[tokio::test]
async fn no_login_outlives_a_token_that_is_revoked_meanwhile() {
    let yard = Yard::new().await;
    let (token, secret) = issue(&yard, "ci", None, Role::Member).await.unwrap();
    let mut logins = JoinSet::new();
    for _ in 0..50 {
        let (dispatcher, secret) = (yard.dispatcher.clone(), secret.clone());
        logins.spawn(async move {
            dispatcher
                .identities()
                .log_in("ci", secret.reveal(), LONG)
                .await
        });
    }
    tokio::task::yield_now().await;
    yard.dispatcher
        .tokens()
        .revoke(yard.account, token.id)
        .await
        .unwrap();
    while let Some(login) = logins.join_next().await {
        if let Some((_, session)) = login.unwrap().unwrap() {
            assert_eq!(identify(&yard, &session).await, None);
        }
    }
    assert_eq!(sessions(&yard).await, 0);
}

#[tokio::test]
async fn the_oldest_session_of_a_principal_is_evicted_and_no_other_principals() {
    let yard = Yard::new().await;
    let (_, ci) = issue(&yard, "ci", None, Role::Viewer).await.unwrap();
    let (_, bob) = issue(&yard, "bob", None, Role::Viewer).await.unwrap();
    let (_, others) = log_in(&yard, "bob", &bob).await.unwrap();
    let mut own = Vec::new();
    for _ in 0..=100 {
        own.push(log_in(&yard, "ci", &ci).await.unwrap().1);
        // It is known without asking the store, and still ends.
        assert!(identify(&yard, own.last().unwrap()).await.is_some());
    }
    assert_eq!(identify(&yard, &own[0]).await, None);
    for session in [&own[1], &own[100], &others, &ci] {
        assert!(identify(&yard, session).await.is_some());
    }
    assert_eq!(sessions(&yard).await, 101);
}

#[tokio::test]
async fn twenty_thousand_logins_of_a_viewer_do_not_keep_the_owner_from_issuing_tokens() {
    let yard = Yard::new().await;
    let (_, secret) = issue(&yard, "viewer", None, Role::Viewer).await.unwrap();
    for _ in 0..40 {
        // Those that wait share one commit.
        let mut logins = JoinSet::new();
        for _ in 0..500 {
            let (dispatcher, secret) = (yard.dispatcher.clone(), secret.clone());
            logins.spawn(async move {
                dispatcher
                    .identities()
                    .log_in("viewer", secret.reveal(), LONG)
                    .await
            });
        }
        for login in logins.join_all().await {
            assert!(login.unwrap().is_some());
        }
    }
    issue(&yard, "owner", None, Role::Owner).await.unwrap();
    assert!(sessions(&yard).await <= 100);
}
