//! Applications, and the hooks that run for their containers.

use tenterhook_dispatch::{AppId, Error, Noun, Store, Targets};

use crate::support::{SCRIPT, Shop, app, at, container, container_hook, source};

pub(crate) async fn apps_are_kept_whole_and_their_names_are_unique(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let mut kept = store.insert_app(shop.account.id, app("a")).await.unwrap();
    let empty = tenterhook_dispatch::App {
        replicated: false,
        containers: Vec::new(),
        ..app("b")
    };
    let empty = store.insert_app(shop.account.id, empty).await.unwrap();
    assert_eq!((kept.number.get(), empty.number.get()), (1, 2));
    assert_eq!(
        store.apps(shop.account.id).await.unwrap(),
        [kept.clone(), empty.clone()]
    );
    let taken = store.insert_app(shop.account.id, app("a")).await;
    assert!(matches!(taken, Err(Error::NameTaken { what: Noun::App, name }) if name == "a"));
    let mut same_id = app("c");
    same_id.id = kept.id;
    let taken = store.insert_app(shop.account.id, same_id).await;
    assert!(matches!(taken, Err(Error::NameTaken { name, .. }) if name == kept.id.to_string()));

    kept.name = "c".into();
    kept.replicated = false;
    kept.containers = vec![container("redis")];
    kept.modified_at = at(40);
    store
        .update_app(shop.account.id, kept.clone())
        .await
        .unwrap();
    assert_eq!(
        store.apps(shop.account.id).await.unwrap(),
        [kept.clone(), empty.clone()]
    );
    kept.name = "b".into();
    let taken = store.update_app(shop.account.id, kept.clone()).await;
    assert!(matches!(taken, Err(Error::NameTaken { .. })));
    let unknown = store.update_app(shop.account.id, app("x")).await;
    assert!(matches!(
        unknown,
        Err(Error::NotFound {
            what: Noun::App,
            ..
        })
    ));

    assert!(store.delete_app(shop.account.id, empty.id).await.unwrap());
    assert!(!store.delete_app(shop.account.id, empty.id).await.unwrap());
    // Its name is free again, its number is not.
    let again = store.insert_app(shop.account.id, app("b")).await.unwrap();
    assert_eq!(again.number.get(), 3);
}

pub(crate) async fn an_app_that_a_hook_is_bound_to_is_not_removed(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let app = store.insert_app(shop.account.id, app("a")).await.unwrap();
    let hook = container_hook(shop.source.id, "quiesce", Some(app.id));
    let hook = store.insert_hook(shop.account.id, hook).await.unwrap();

    let used = store.delete_app(shop.account.id, app.id).await;
    assert!(matches!(used, Err(Error::InUse { what: Noun::App, by, .. }) if by == [hook.number]));
    assert_eq!(
        store.apps(shop.account.id).await.unwrap(),
        std::slice::from_ref(&app)
    );

    store.delete_hook(shop.account.id, hook.id).await.unwrap();
    assert!(store.delete_app(shop.account.id, app.id).await.unwrap());
}

pub(crate) async fn a_hook_for_containers_is_kept_whole(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let app = store.insert_app(shop.account.id, app("a")).await.unwrap();
    let mut hooks = vec![shop.hook.clone()];
    for (name, app) in [("bound", Some(app.id)), ("managed", None)] {
        let hook = container_hook(shop.source.id, name, app);
        hooks.push(store.insert_hook(shop.account.id, hook).await.unwrap());
    }
    assert_eq!(store.hooks(shop.account.id).await.unwrap(), hooks);

    // From containers to servers, and back.
    hooks[1].targets = Targets::All;
    hooks[0].targets = Targets::Containers {
        app: Some(app.id),
        criteria: Vec::new(),
    };
    for hook in &hooks[..2] {
        store
            .update_hook(shop.account.id, hook.clone())
            .await
            .unwrap();
    }
    assert_eq!(store.hooks(shop.account.id).await.unwrap(), hooks);
}

pub(crate) async fn a_hooks_name_is_unique_if_it_has_one(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let named = |name| container_hook(shop.source.id, name, None);
    let mut kept = store
        .insert_hook(shop.account.id, named("a"))
        .await
        .unwrap();
    store
        .insert_hook(shop.account.id, named("b"))
        .await
        .unwrap();
    // Any number of hooks has no name; the shop's has none either.
    for _ in 0..2 {
        let mut nameless = named("");
        nameless.name = None;
        store.insert_hook(shop.account.id, nameless).await.unwrap();
    }

    let taken = store.insert_hook(shop.account.id, named("a")).await;
    assert!(matches!(taken, Err(Error::NameTaken { what: Noun::Hook, name }) if name == "a"));
    kept.name = Some("b".into());
    let taken = store.update_hook(shop.account.id, kept).await;
    assert!(matches!(taken, Err(Error::NameTaken { what: Noun::Hook, name }) if name == "b"));
    let hooks = vec![named("a")];
    let taken = store
        .update_source(shop.account.id, shop.source.clone(), None, Some(hooks))
        .await;
    assert!(taken.is_ok(), "it replaces the one that has the name");
    let new = source("b.sh");
    let hooks = vec![container_hook(new.id, "a", None)];
    let taken = store
        .insert_source(shop.account.id, new, SCRIPT.into(), hooks)
        .await;
    assert!(matches!(
        taken,
        Err(Error::NameTaken {
            what: Noun::Hook,
            ..
        })
    ));
    assert_eq!(store.sources(shop.account.id).await.unwrap().len(), 1);
}

pub(crate) async fn a_hook_whose_app_or_source_is_unknown_is_not_kept(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let app = store.insert_app(shop.account.id, app("a")).await.unwrap();
    let kept = container_hook(shop.source.id, "kept", Some(app.id));
    let kept = store.insert_hook(shop.account.id, kept).await.unwrap();
    let unknown = source("x").id;
    for (source, app, missing) in [
        (shop.source.id, AppId::generate(), Noun::App),
        (unknown, app.id, Noun::Source),
    ] {
        let new = container_hook(source, "new", Some(app));
        let changed = tenterhook_dispatch::Hook {
            id: kept.id,
            ..new.clone()
        };
        let inserted = store.insert_hook(shop.account.id, new).await;
        assert!(matches!(inserted, Err(Error::NotFound { what, .. }) if what == missing));
        let updated = store.update_hook(shop.account.id, changed).await;
        assert!(matches!(updated, Err(Error::NotFound { what, .. }) if what == missing));
    }
    assert_eq!(
        store.hooks(shop.account.id).await.unwrap(),
        [shop.hook, kept]
    );
}
