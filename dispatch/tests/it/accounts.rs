//! Accounts and tokens.

use std::time::Duration;

use tenterhook_dispatch::{Error, NewToken, Role, TokenKind};
use time::OffsetDateTime;

use crate::support::{LONG, Yard};

fn admin(name: &str) -> NewToken {
    NewToken {
        name: name.into(),
        principal: None,
        role: Role::Admin,
        expires_at: None,
    }
}

#[tokio::test]
async fn a_token_opens_its_account_until_it_is_revoked() {
    let yard = Yard::new().await;
    let (token, secret) = yard
        .dispatcher
        .tokens()
        .issue(yard.account, admin("ci"))
        .await
        .unwrap();

    let principal = yard
        .dispatcher
        .identities()
        .authenticate(secret.reveal())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (principal.account, principal.role),
        (yard.account, Role::Admin)
    );
    let listed = yard.dispatcher.tokens().list(yard.account).await.unwrap();
    assert!(listed[0].used_at.is_some());

    yard.dispatcher
        .tokens()
        .revoke(yard.account, token.id)
        .await
        .unwrap();
    assert_eq!(
        yard.dispatcher
            .identities()
            .authenticate(secret.reveal())
            .await
            .unwrap(),
        None
    );
    let again = yard
        .dispatcher
        .tokens()
        .revoke(yard.account, token.id)
        .await;
    assert!(matches!(again, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn an_unknown_secret_authenticates_no_principal() {
    let yard = Yard::new().await;
    for secret in ["", "th_x", &"x".repeat(10_000)] {
        assert_eq!(
            yard.dispatcher
                .identities()
                .authenticate(secret)
                .await
                .unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn a_session_needs_the_name_and_the_secret_and_ends_by_itself() {
    let yard = Yard::new().await;
    let (_, secret) = yard
        .dispatcher
        .tokens()
        .issue(yard.account, admin("ada"))
        .await
        .unwrap();
    assert!(
        yard.dispatcher
            .identities()
            .log_in("eve", secret.reveal(), LONG)
            .await
            .unwrap()
            .is_none()
    );

    let (principal, session) = yard
        .dispatcher
        .identities()
        .log_in("ada", secret.reveal(), LONG)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (principal.kind, principal.role),
        (TokenKind::Session, Role::Admin)
    );
    assert!(
        yard.dispatcher
            .identities()
            .authenticate(session.reveal())
            .await
            .unwrap()
            .is_some()
    );
    // A session does not beget sessions.
    assert!(
        yard.dispatcher
            .identities()
            .log_in("ada", session.reveal(), LONG)
            .await
            .unwrap()
            .is_none()
    );

    let (_, over) = yard
        .dispatcher
        .identities()
        .log_in("ada", secret.reveal(), Duration::ZERO)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        yard.dispatcher
            .identities()
            .authenticate(over.reveal())
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn names_of_accounts_and_tokens_are_unique() {
    let yard = Yard::new().await;
    assert!(matches!(
        yard.dispatcher.accounts().create("acme").await,
        Err(Error::NameTaken { .. })
    ));
    yard.dispatcher
        .tokens()
        .issue(yard.account, admin("ci"))
        .await
        .unwrap();
    let again = yard
        .dispatcher
        .tokens()
        .issue(yard.account, admin("ci"))
        .await;
    assert!(matches!(again, Err(Error::NameTaken { .. })));
    let past = NewToken {
        expires_at: Some(OffsetDateTime::UNIX_EPOCH),
        ..admin("old")
    };
    assert!(matches!(
        yard.dispatcher.tokens().issue(yard.account, past).await,
        Err(Error::Invalid { .. })
    ));
    assert!(yard.dispatcher.accounts().list().await.unwrap()[0].is_operator());
}
