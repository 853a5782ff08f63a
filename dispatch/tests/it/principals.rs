//! Principals: what they allow their tokens, and when.

use std::time::Duration;

use tenterhook_dispatch::{
    AccountId, Error, Identity, NewPrincipal, NewToken, Noun, Principal, PrincipalChange,
    PrincipalId, Role, Secret, Token,
};

use crate::support::{LONG, Yard};

pub(crate) async fn principal(yard: &Yard, name: &str, role: Role) -> Principal {
    let new = NewPrincipal {
        name: name.into(),
        role,
    };
    yard.dispatcher
        .principals()
        .create(yard.account, new)
        .await
        .unwrap()
}

pub(crate) async fn issue(
    yard: &Yard,
    name: &str,
    principal: Option<PrincipalId>,
    role: Role,
) -> Result<(Token, Secret), Error> {
    let new = NewToken {
        name: name.into(),
        principal,
        role,
        expires_at: None,
    };
    yard.dispatcher.tokens().issue(yard.account, new).await
}

pub(crate) async fn identify(yard: &Yard, secret: &Secret) -> Option<Identity> {
    yard.dispatcher
        .identities()
        .authenticate(secret.reveal())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_token_allows_the_lesser_of_its_own_and_its_principals_role_at_once() {
    let yard = Yard::new().await;
    let ada = principal(&yard, "ada", Role::Admin).await;
    let (_, secret) = issue(&yard, "laptop", Some(ada.id), Role::Member)
        .await
        .unwrap();
    let identity = identify(&yard, &secret).await.unwrap();
    assert_eq!(
        (identity.principal, identity.name.as_str(), identity.role),
        (ada.id, "ada", Role::Member)
    );

    let change = PrincipalChange {
        name: Some("ada l.".into()),
        role: Some(Role::Viewer),
    };
    let changed = yard
        .dispatcher
        .principals()
        .change(yard.account, ada.id, change)
        .await
        .unwrap();
    assert_eq!(
        (changed.role, changed.created_at),
        (Role::Viewer, ada.created_at)
    );
    let identity = identify(&yard, &secret).await.unwrap();
    assert_eq!(
        (identity.name.as_str(), identity.role),
        ("ada l.", Role::Viewer)
    );

    yard.dispatcher
        .principals()
        .delete(yard.account, ada.id)
        .await
        .unwrap();
    assert_eq!(identify(&yard, &secret).await, None);
    assert_eq!(
        yard.dispatcher.tokens().list(yard.account).await.unwrap(),
        []
    );
    let again = yard
        .dispatcher
        .principals()
        .delete(yard.account, ada.id)
        .await;
    assert!(matches!(
        again,
        Err(Error::NotFound {
            what: Noun::Principal,
            ..
        })
    ));
}

#[tokio::test]
async fn a_token_for_an_unnamed_principal_creates_it_or_joins_it() {
    let yard = Yard::new().await;
    let (first, _) = issue(&yard, "ci", None, Role::Member).await.unwrap();
    let made = yard
        .dispatcher
        .principals()
        .get(yard.account, first.principal)
        .await
        .unwrap();
    assert_eq!((made.name.as_str(), made.role), ("ci", Role::Member));

    let taken = issue(&yard, "ci", None, Role::Member).await;
    assert!(matches!(
        taken,
        Err(Error::NameTaken {
            what: Noun::Token,
            ..
        })
    ));
    yard.dispatcher
        .tokens()
        .revoke(yard.account, first.id)
        .await
        .unwrap();
    let above = issue(&yard, "ci", None, Role::Admin).await;
    assert!(matches!(above, Err(Error::Invalid { field, .. }) if field == "role"));
    let (second, _) = issue(&yard, "ci", None, Role::Viewer).await.unwrap();
    assert_eq!(second.principal, first.principal);
    assert_eq!(
        yard.dispatcher
            .principals()
            .list(yard.account)
            .await
            .unwrap(),
        [made]
    );
}

#[tokio::test]
async fn a_session_belongs_to_the_principal_that_logged_in() {
    let yard = Yard::new().await;
    principal(&yard, "boss", Role::Owner).await;
    let ada = principal(&yard, "ada", Role::Owner).await;
    let (_, secret) = issue(&yard, "laptop", Some(ada.id), Role::Admin)
        .await
        .unwrap();
    let dispatcher = &yard.dispatcher;
    let by_token_name = dispatcher
        .identities()
        .log_in("laptop", secret.reveal(), LONG)
        .await;
    assert!(by_token_name.unwrap().is_none());
    let (identity, session) = dispatcher
        .identities()
        .log_in("ada", secret.reveal(), LONG)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((identity.principal, identity.role), (ada.id, Role::Admin));
    assert_eq!(identify(&yard, &session).await, Some(identity));

    dispatcher
        .principals()
        .delete(yard.account, ada.id)
        .await
        .unwrap();
    assert_eq!(identify(&yard, &session).await, None);
    let late = dispatcher
        .identities()
        .log_in("ada", secret.reveal(), Duration::from_secs(1))
        .await;
    assert!(late.unwrap().is_none());
}

#[tokio::test]
async fn the_last_owner_of_an_account_is_neither_removed_nor_lowered() {
    let yard = Yard::new().await;
    let last = principal(&yard, "ada", Role::Owner).await;
    principal(&yard, "bob", Role::Admin).await;
    let (dispatcher, account) = (&yard.dispatcher, yard.account);
    let removed = dispatcher.principals().delete(account, last.id).await;
    let lowered = dispatcher
        .principals()
        .change(account, last.id, to_role(Role::Admin))
        .await;
    for refused in [removed.map(|()| last.clone()), lowered] {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("last owner"), "{error}");
    }
    // Its name may change, and with another owner it may go.
    let change = PrincipalChange {
        name: Some("boss".into()),
        role: Some(Role::Owner),
    };
    dispatcher
        .principals()
        .change(account, last.id, change)
        .await
        .unwrap();
    principal(&yard, "eve", Role::Owner).await;
    dispatcher
        .principals()
        .delete(account, last.id)
        .await
        .unwrap();
}

#[tokio::test]
async fn of_two_owners_that_remove_or_lower_each_other_at_once_one_stays() {
    for lower in [false, true] {
        let yard = Yard::new().await;
        let ada = principal(&yard, "ada", Role::Owner).await;
        let bob = principal(&yard, "bob", Role::Owner).await;
        let (dispatcher, account) = (&yard.dispatcher, yard.account);
        let second = async {
            if lower {
                let lowered =
                    dispatcher
                        .principals()
                        .change(account, bob.id, to_role(Role::Member));
                lowered.await.map(drop)
            } else {
                dispatcher.principals().delete(account, bob.id).await
            }
        };
        let (one, other) = tokio::join!(dispatcher.principals().delete(account, ada.id), second);
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        let principals = dispatcher.principals().list(account).await.unwrap();
        let owners = principals.iter().filter(|one| one.role == Role::Owner);
        assert_eq!(owners.count(), 1);
    }
}

fn to_role(role: Role) -> PrincipalChange {
    PrincipalChange {
        name: None,
        role: Some(role),
    }
}

#[tokio::test]
async fn a_principal_has_an_account_and_a_name_of_its_own() {
    let yard = Yard::new().await;
    principal(&yard, "ada", Role::Viewer).await;
    let new = |name: &str| NewPrincipal {
        name: name.into(),
        role: Role::Viewer,
    };
    let dispatcher = &yard.dispatcher;
    let again = dispatcher
        .principals()
        .create(yard.account, new("ada"))
        .await;
    assert!(matches!(
        again,
        Err(Error::NameTaken {
            what: Noun::Principal,
            ..
        })
    ));
    let empty = dispatcher.principals().create(yard.account, new("")).await;
    assert!(matches!(empty, Err(Error::Invalid { .. })));
    let nowhere = dispatcher
        .principals()
        .create(AccountId::generate(), new("ada"))
        .await;
    assert!(matches!(
        nowhere,
        Err(Error::NotFound {
            what: Noun::Account,
            ..
        })
    ));
    let stranger = issue(&yard, "x", Some(PrincipalId::generate()), Role::Viewer).await;
    assert!(matches!(
        stranger,
        Err(Error::NotFound {
            what: Noun::Principal,
            ..
        })
    ));

    let other = dispatcher.accounts().create("other").await.unwrap().id;
    dispatcher
        .principals()
        .create(other, new("ada"))
        .await
        .unwrap();
}
