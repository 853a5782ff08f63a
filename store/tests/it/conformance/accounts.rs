//! Accounts, their principals, and the tokens of those.

use tenterhook_dispatch::{
    Error, Noun, PrincipalId, Role, Secret, SessionBounds, Store, Switch, Token, TokenId, TokenKind,
};

use crate::support::{Shop, account, at, principal};

pub(crate) async fn accounts_are_numbered_from_one(store: &dyn Store) {
    let first = store.insert_account(account("a")).await.unwrap();
    let second = store.insert_account(account("b")).await.unwrap();
    assert_eq!((first.number.get(), second.number.get()), (1, 2));
    assert_eq!(store.accounts().await.unwrap(), [first, second]);
    let taken = store.insert_account(account("a")).await;
    assert!(matches!(
        taken,
        Err(Error::NameTaken {
            what: Noun::Account,
            ..
        })
    ));
}

pub(crate) async fn token(
    store: &dyn Store,
    shop: &Shop,
    name: &str,
) -> Result<(Token, Secret), Error> {
    let secret = Secret::generate();
    let token = Token {
        id: TokenId::generate(),
        account: shop.account.id,
        principal: shop.principal.id,
        name: name.into(),
        role: Role::Member,
        kind: TokenKind::Issued,
        parent: None,
        created_at: at(20),
        expires_at: Some(at(30)),
        used_at: None,
    };
    store.insert_token(token.clone(), secret.hash()).await?;
    Ok((token, secret))
}

/// So many that no test comes to it.
pub(crate) const ROOM: SessionBounds = SessionBounds {
    per_principal: 100,
    per_account: 100,
};

/// Opens a session; returns it and those that were ended for it.
pub(crate) async fn session(
    store: &dyn Store,
    parent: &Token,
    bounds: SessionBounds,
) -> Result<(Token, Secret, Vec<TokenId>), Error> {
    let secret = Secret::generate();
    let session = Token {
        id: TokenId::generate(),
        kind: TokenKind::Session,
        parent: Some(parent.id),
        ..parent.clone()
    };
    let ended = store
        .insert_login(session.clone(), secret.hash(), bounds)
        .await?;
    Ok((session, secret, ended))
}

pub(crate) async fn a_session_is_kept_whole_and_removed_with_its_token(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let (first, _) = token(store, &shop, "ci").await.unwrap();
    let (second, _) = token(store, &shop, "phone").await.unwrap();
    let (gone, by_first, ended) = session(store, &first, ROOM).await.unwrap();
    assert_eq!(ended, []);
    let (kept, by_second, _) = session(store, &second, ROOM).await.unwrap();
    let found = store.token(by_first.hash()).await.unwrap();
    assert_eq!(found, Some((gone, shop.principal.clone())));

    assert!(store.delete_token(shop.account.id, first.id).await.unwrap());
    assert_eq!(store.token(by_first.hash()).await.unwrap(), None);
    let found = store.token(by_second.hash()).await.unwrap();
    assert_eq!(found, Some((kept, shop.principal)));
    let late = session(store, &first, ROOM).await;
    assert!(matches!(
        late,
        Err(Error::NotFound {
            what: Noun::Token,
            ..
        })
    ));
}

pub(crate) async fn the_oldest_sessions_are_evicted_and_no_tokens(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let bob = principal(&shop.account, "bob");
    store.insert_principal(bob.clone()).await.unwrap();
    let (ada, _) = token(store, &shop, "ci").await.unwrap();
    let of_bob = Token {
        id: TokenId::generate(),
        principal: bob.id,
        name: "bob".into(),
        ..ada.clone()
    };
    let hash = Secret::generate().hash();
    store.insert_token(of_bob.clone(), hash).await.unwrap();
    let bounds = SessionBounds {
        per_principal: 2,
        per_account: 3,
    };
    // All at one time of the clock: the order is that in which they came.
    let mut own = Vec::new();
    for _ in 0..2 {
        let (one, _, ended) = session(store, &ada, bounds).await.unwrap();
        assert_eq!(ended, []);
        own.push(one.id);
    }
    let (third, _, ended) = session(store, &ada, bounds).await.unwrap();
    assert_eq!(ended, [own[0]]);
    let (_, _, ended) = session(store, &of_bob, bounds).await.unwrap();
    assert_eq!(ended, []);
    let (_, _, ended) = session(store, &of_bob, bounds).await.unwrap();
    assert_eq!(ended, [own[1]], "of the whole account");
    let other = Shop::named(store, "other").await;
    let (others, _) = token(store, &other, "ci").await.unwrap();
    let (_, _, ended) = session(store, &others, bounds).await.unwrap();
    assert_eq!(ended, [], "another account");
    let tokens = store.tokens(shop.account.id).await.unwrap();
    let count = |kind| tokens.iter().filter(|token| token.kind == kind).count();
    assert_eq!(
        (count(TokenKind::Issued), count(TokenKind::Session)),
        (2, 3)
    );
    assert!(tokens.iter().any(|token| token.id == third.id));
}

pub(crate) async fn a_login_that_comes_too_late_ends_no_other(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let (kept, _) = token(store, &shop, "ci").await.unwrap();
    let (gone, _) = token(store, &shop, "old").await.unwrap();
    store.delete_token(shop.account.id, gone.id).await.unwrap();
    let one = SessionBounds {
        per_principal: 1,
        per_account: 1,
    };
    let (_, secret, _) = session(store, &kept, one).await.unwrap();
    assert!(session(store, &gone, one).await.is_err());
    assert!(store.token(secret.hash()).await.unwrap().is_some());
}

pub(crate) async fn a_token_is_found_by_its_hash_alone(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let (token, secret) = token(store, &shop, "ci").await.unwrap();
    assert_eq!(
        store.token(secret.hash()).await.unwrap().as_ref(),
        Some(&(token.clone(), shop.principal.clone()))
    );
    assert_eq!(store.token(Secret::generate().hash()).await.unwrap(), None);

    store.touch_tokens(vec![(token.id, at(25))]).await.unwrap();
    assert_eq!(
        store.tokens(shop.account.id).await.unwrap()[0].used_at,
        Some(at(25))
    );

    assert!(store.delete_token(shop.account.id, token.id).await.unwrap());
    assert!(!store.delete_token(shop.account.id, token.id).await.unwrap());
    assert_eq!(store.token(secret.hash()).await.unwrap(), None);
}

pub(crate) async fn names_of_issued_tokens_are_unique_and_those_of_sessions_are_not(
    store: &dyn Store,
) {
    let shop = Shop::open(store).await;
    let (issued, _) = token(store, &shop, "ci").await.unwrap();
    let taken = token(store, &shop, "ci").await;
    assert!(matches!(
        taken,
        Err(Error::NameTaken {
            what: Noun::Token,
            ..
        })
    ));
    for _ in 0..2 {
        session(store, &issued, ROOM).await.unwrap();
    }
}

pub(crate) async fn an_account_is_renamed_and_its_switch_is_kept(store: &dyn Store) {
    let first = store.insert_account(account("a")).await.unwrap();
    let mut off = account("b");
    off.app_hooks = Switch::Off;
    let off = store.insert_account(off).await.unwrap();
    assert_eq!(store.account(off.id).await.unwrap(), Some(off.clone()));
    assert_eq!(store.account(account("c").id).await.unwrap(), None);

    let mut changed = first.clone();
    changed.name = "c".into();
    changed.app_hooks = Switch::Off;
    store.update_account(changed.clone()).await.unwrap();
    assert_eq!(
        store.account(first.id).await.unwrap(),
        Some(changed.clone())
    );
    assert_eq!(store.accounts().await.unwrap(), [changed.clone(), off]);

    changed.name = "b".into();
    let taken = store.update_account(changed).await;
    assert!(matches!(taken, Err(Error::NameTaken { what: Noun::Account, name }) if name == "b"));
    let unknown = store.update_account(account("x")).await;
    assert!(matches!(
        unknown,
        Err(Error::NotFound {
            what: Noun::Account,
            ..
        })
    ));
}

pub(crate) async fn principals_are_kept_whole_and_their_names_are_unique(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let mut kept = principal(&shop.account, "bob");
    kept.created_at = at(6);
    store.insert_principal(kept.clone()).await.unwrap();
    assert_eq!(
        store.principals(shop.account.id).await.unwrap(),
        [kept.clone(), shop.principal.clone()]
    );
    let taken = store
        .insert_principal(principal(&shop.account, "bob"))
        .await;
    assert!(
        matches!(taken, Err(Error::NameTaken { what: Noun::Principal, name }) if name == "bob")
    );
    let nowhere = store
        .insert_principal(principal(&account("x"), "eve"))
        .await;
    assert!(matches!(
        nowhere,
        Err(Error::NotFound {
            what: Noun::Account,
            ..
        })
    ));

    kept.name = "bill".into();
    kept.role = Role::Viewer;
    kept.modified_at = at(50);
    store.update_principal(kept.clone()).await.unwrap();
    assert_eq!(
        store.principals(shop.account.id).await.unwrap(),
        [kept.clone(), shop.principal.clone()]
    );
    kept.name = "ada".into();
    let taken = store.update_principal(kept.clone()).await;
    assert!(matches!(taken, Err(Error::NameTaken { .. })));
    kept.id = PrincipalId::generate();
    let unknown = store.update_principal(kept).await;
    assert!(matches!(
        unknown,
        Err(Error::NotFound {
            what: Noun::Principal,
            ..
        })
    ));
}

pub(crate) async fn a_principal_is_removed_with_only_its_own_tokens(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let bob = principal(&shop.account, "bob");
    store.insert_principal(bob.clone()).await.unwrap();
    let (kept, _) = token(store, &shop, "ci").await.unwrap();
    let secret = Secret::generate();
    let token = Token {
        id: TokenId::generate(),
        principal: bob.id,
        name: "bob".into(),
        ..kept.clone()
    };
    store
        .insert_token(token.clone(), secret.hash())
        .await
        .unwrap();
    let (_, opened, _) = session(store, &token, ROOM).await.unwrap();
    let gone = [secret, opened];

    assert!(
        store
            .delete_principal(shop.account.id, bob.id)
            .await
            .unwrap()
    );
    assert!(
        !store
            .delete_principal(shop.account.id, bob.id)
            .await
            .unwrap()
    );

    for secret in gone {
        assert_eq!(store.token(secret.hash()).await.unwrap(), None);
    }
    assert_eq!(store.tokens(shop.account.id).await.unwrap(), [kept]);
    assert_eq!(
        store.principals(shop.account.id).await.unwrap(),
        [shop.principal]
    );
}

pub(crate) async fn a_token_without_a_principal_is_not_kept(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let other = Shop::named(store, "other").await;
    let (kept, _) = token(store, &shop, "ci").await.unwrap();
    // One of another account is as good as none.
    for principal in [PrincipalId::generate(), other.principal.id] {
        let token = Token {
            id: TokenId::generate(),
            principal,
            name: "lost".into(),
            ..kept.clone()
        };
        let error = store.insert_token(token, Secret::generate().hash()).await;
        assert!(matches!(
            error,
            Err(Error::NotFound {
                what: Noun::Principal,
                ..
            })
        ));
    }
    assert_eq!(store.tokens(shop.account.id).await.unwrap(), [kept]);
}
