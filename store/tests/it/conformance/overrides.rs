//! Overrides of hooks, and what goes with what.

use tenterhook_dispatch::{
    App, AppId, Error, Hook, HookId, HookOverride, Noun, OverrideId, PrincipalId, Store,
};

use super::accounts::token;
use crate::support::{Shop, app, at, container_hook, hook_override};

/// Two applications, and two hooks that run for any.
async fn fleet(store: &dyn Store, shop: &Shop) -> ([App; 2], [Hook; 2]) {
    let app = async |name| store.insert_app(shop.account.id, app(name)).await.unwrap();
    let hook = async |name| {
        let hook = container_hook(shop.source.id, name, None);
        store.insert_hook(shop.account.id, hook).await.unwrap()
    };
    (
        [app("a").await, app("b").await],
        [hook("a").await, hook("b").await],
    )
}

/// An override for each pair of them.
async fn all_overrides(
    store: &dyn Store,
    shop: &Shop,
    apps: &[App],
    hooks: &[Hook],
) -> Vec<HookOverride> {
    let mut all = Vec::new();
    for (app, hook) in apps
        .iter()
        .flat_map(|app| hooks.iter().map(move |hook| (app, hook)))
    {
        let mut new = hook_override(app.id, hook.id);
        new.created_at = at(100 + i64::try_from(all.len()).unwrap());
        store
            .insert_override(shop.account.id, new.clone())
            .await
            .unwrap();
        all.push(new);
    }
    all
}

pub(crate) async fn overrides_are_kept_whole_and_one_for_each_hook_and_app(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let (apps, hooks) = fleet(store, &shop).await;
    let mut all = all_overrides(store, &shop, &apps, &hooks).await;
    assert_eq!(store.overrides(shop.account.id).await.unwrap(), all);

    let again = hook_override(apps[0].id, hooks[0].id);
    let taken = store.insert_override(shop.account.id, again).await;
    assert!(matches!(
        taken,
        Err(Error::NameTaken {
            what: Noun::Override,
            ..
        })
    ));
    store
        .delete_override(shop.account.id, all.remove(1).id)
        .await
        .unwrap();
    let same_id = HookOverride {
        id: all[0].id,
        ..hook_override(apps[0].id, hooks[1].id)
    };
    let taken = store.insert_override(shop.account.id, same_id).await;
    assert!(matches!(taken, Err(Error::NameTaken { name, .. }) if name == all[0].id.to_string()));

    all[0].enabled = true;
    all[0].labels = Vec::new();
    all[0].modified_by = Some(PrincipalId::generate());
    all[0].modified_at = at(200);
    store
        .update_override(shop.account.id, all[0].clone())
        .await
        .unwrap();
    assert_eq!(store.overrides(shop.account.id).await.unwrap(), all);

    let unknown = hook_override(apps[0].id, hooks[0].id);
    let unknown = store.update_override(shop.account.id, unknown).await;
    assert!(matches!(
        unknown,
        Err(Error::NotFound {
            what: Noun::Override,
            ..
        })
    ));
    let gone = OverrideId::generate();
    assert!(!store.delete_override(shop.account.id, gone).await.unwrap());
}

pub(crate) async fn an_override_whose_app_or_hook_is_unknown_is_not_kept(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let (apps, hooks) = fleet(store, &shop).await;
    for (app, hook, missing) in [
        (AppId::generate(), hooks[0].id, Noun::App),
        (apps[0].id, HookId::generate(), Noun::Hook),
    ] {
        let error = store
            .insert_override(shop.account.id, hook_override(app, hook))
            .await;
        assert!(matches!(error, Err(Error::NotFound { what, .. }) if what == missing));
    }
    assert!(store.overrides(shop.account.id).await.unwrap().is_empty());
}

pub(crate) async fn overrides_are_removed_with_their_hook_or_their_app(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let (apps, hooks) = fleet(store, &shop).await;
    let mut all = all_overrides(store, &shop, &apps, &hooks).await;

    assert!(
        store
            .delete_hook(shop.account.id, hooks[0].id)
            .await
            .unwrap()
    );
    all.retain(|kept| kept.hook != hooks[0].id);
    assert_eq!(all.len(), 2);
    assert_eq!(store.overrides(shop.account.id).await.unwrap(), all);

    assert!(store.delete_app(shop.account.id, apps[0].id).await.unwrap());
    all.retain(|kept| kept.app != apps[0].id);
    assert_eq!(all.len(), 1);
    assert_eq!(store.overrides(shop.account.id).await.unwrap(), all);
}

pub(crate) async fn tenancy_is_kept_apart_between_accounts(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let (apps, hooks) = fleet(store, &shop).await;
    let all = all_overrides(store, &shop, &apps, &hooks).await;
    let (kept_token, _) = token(store, &shop, "ci").await.unwrap();

    // The same names, numbers and, where callers choose them, ids.
    let other = Shop::named(store, "other").await;
    let mut same = app("a");
    same.id = apps[0].id;
    let same = store.insert_app(other.account.id, same).await.unwrap();
    assert_eq!(same.number, apps[0].number);
    let own = container_hook(other.source.id, "a", Some(same.id));
    let own = store.insert_hook(other.account.id, own).await.unwrap();
    let id = other.account.id;

    let foreign = [
        store
            .insert_override(id, hook_override(apps[1].id, own.id))
            .await,
        store
            .insert_override(id, hook_override(same.id, hooks[0].id))
            .await,
        store.update_override(id, all[0].clone()).await,
        store.update_app(id, apps[1].clone()).await,
        store
            .insert_hook(id, container_hook(other.source.id, "x", Some(apps[1].id)))
            .await
            .map(|_| ()),
        store
            .update_principal(tenterhook_dispatch::Principal {
                account: id,
                ..shop.principal.clone()
            })
            .await,
    ];
    for error in foreign {
        assert!(matches!(error, Err(Error::NotFound { .. })), "{error:?}");
    }
    assert!(!store.delete_override(id, all[0].id).await.unwrap());
    assert!(!store.delete_app(id, apps[1].id).await.unwrap());
    assert!(!store.delete_principal(id, shop.principal.id).await.unwrap());
    assert!(!store.delete_hook(id, hooks[0].id).await.unwrap());
    assert!(store.overrides(id).await.unwrap().is_empty());
    assert_eq!(store.apps(id).await.unwrap(), std::slice::from_ref(&same));
    assert_eq!(
        store.principals(id).await.unwrap(),
        std::slice::from_ref(&other.principal)
    );

    // Removing what has the same id leaves the first account's alone.
    assert!(store.delete_hook(id, own.id).await.unwrap());
    assert!(store.delete_app(id, same.id).await.unwrap());
    assert!(
        store
            .delete_principal(id, other.principal.id)
            .await
            .unwrap()
    );
    let id = shop.account.id;
    assert_eq!(store.apps(id).await.unwrap(), apps);
    assert_eq!(store.overrides(id).await.unwrap(), all);
    assert_eq!(store.principals(id).await.unwrap(), [shop.principal]);
    assert_eq!(store.tokens(id).await.unwrap(), [kept_token]);
}
