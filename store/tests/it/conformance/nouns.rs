//! What a tenant sets up: servers, sources and hooks.

use tenterhook_dispatch::{Error, Noun, Number, Source, Store, Visibility};
use tenterhook_engine::Digest;

use crate::support::{SCRIPT, Shop, at, hook, new_task, server, source};

pub(crate) async fn servers_are_kept_whole_and_their_names_are_unique(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let mut kept = store
        .insert_server(shop.account.id, server("a"))
        .await
        .unwrap();
    let taken = store.insert_server(shop.account.id, server("a")).await;
    assert!(matches!(taken, Err(Error::NameTaken { name, .. }) if name == "a"));
    let mut same_id = server("b");
    same_id.id = kept.id;
    let taken = store.insert_server(shop.account.id, same_id).await;
    assert!(matches!(taken, Err(Error::NameTaken { name, .. }) if name == kept.id.to_string()));

    kept.host = None;
    kept.project = Some("red".into());
    kept.group = None;
    store
        .update_server(shop.account.id, kept.clone())
        .await
        .unwrap();
    assert_eq!(
        store.servers(shop.account.id).await.unwrap(),
        [kept.clone()]
    );
    let other = store
        .insert_server(shop.account.id, server("b"))
        .await
        .unwrap();
    kept.name = "b".into();
    let taken = store.update_server(shop.account.id, kept).await;
    assert!(matches!(taken, Err(Error::NameTaken { .. })));

    store
        .delete_server(shop.account.id, other.id)
        .await
        .unwrap_err();
    let unknown = store.update_server(shop.account.id, server("x")).await;
    assert!(matches!(
        unknown,
        Err(Error::NotFound {
            what: Noun::Server,
            ..
        })
    ));
}

pub(crate) async fn a_server_that_a_hook_names_is_not_removed(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let mut servers = Vec::new();
    for name in ["a", "b", "c"] {
        servers.push(
            store
                .insert_server(shop.account.id, server(name))
                .await
                .unwrap(),
        );
    }
    // The shop's hook names numbers 1 and 2.
    let used = store.delete_server(shop.account.id, servers[1].id).await;
    assert!(matches!(used, Err(Error::InUse { by, .. }) if by == [shop.hook.number]));
    store
        .delete_server(shop.account.id, servers[2].id)
        .await
        .unwrap();
    let gone = store.delete_server(shop.account.id, servers[2].id).await;
    assert!(matches!(gone, Err(Error::NotFound { .. })));
}

pub(crate) async fn sources_and_hooks_are_kept_whole(store: &dyn Store) {
    let shop = Shop::open(store).await;
    assert_eq!(
        store.sources(shop.account.id).await.unwrap(),
        std::slice::from_ref(&shop.source)
    );
    assert_eq!(
        store.hooks(shop.account.id).await.unwrap(),
        std::slice::from_ref(&shop.hook)
    );
    assert_eq!(
        store.program(shop.source.digest).await.unwrap().unwrap(),
        SCRIPT
    );
    assert_eq!(store.program(Digest::of(b"other")).await.unwrap(), None);

    let mut changed = shop.hook.clone();
    changed.targets = tenterhook_dispatch::Targets::All;
    changed.enabled = false;
    changed.name = Some("named".into());
    changed.description = "changed".into();
    changed.managed = false;
    changed.labels = Vec::new();
    changed.modified_by = None;
    changed.modified_at = at(40);
    store
        .update_hook(shop.account.id, changed.clone())
        .await
        .unwrap();
    assert_eq!(store.hooks(shop.account.id).await.unwrap(), [changed]);

    assert!(
        store
            .delete_hook(shop.account.id, shop.hook.id)
            .await
            .unwrap()
    );
    assert!(
        !store
            .delete_hook(shop.account.id, shop.hook.id)
            .await
            .unwrap()
    );
    let gone = store.update_hook(shop.account.id, shop.hook).await;
    assert!(matches!(
        gone,
        Err(Error::NotFound {
            what: Noun::Hook,
            ..
        })
    ));
}

pub(crate) async fn a_program_is_wanted_as_long_as_a_source_or_an_open_execution_has_it(
    store: &dyn Store,
) {
    let shop = Shop::open(store).await;
    let account = shop.account.id;
    let digest = shop.source.digest;
    let asked = async |digest| {
        (
            store.has_program(digest).await.unwrap(),
            store.wants_program(digest).await.unwrap(),
        )
    };
    assert_eq!(asked(digest).await, (true, true));
    assert_eq!(asked(Digest::of(b"other")).await, (false, false));

    let task = new_task(&shop, "custom.x", 2);
    let id = task.id;
    store.insert_tasks(vec![task]).await.unwrap();
    store.delete_hook(account, shop.hook.id).await.unwrap();
    store.delete_source(account, shop.source.id).await.unwrap();
    assert_eq!(asked(digest).await, (true, true));

    store.cancel_task(account, id, at(20)).await.unwrap();
    assert_eq!(asked(digest).await, (true, false));
}

pub(crate) async fn a_source_and_hooks_that_cannot_be_kept_together_are_not_kept_at_all(
    store: &dyn Store,
) {
    let shop = Shop::open(store).await;
    let new = source("b.sh");
    let hooks = vec![hook(new.id), hook(source("nowhere").id)];
    let error = store
        .insert_source(shop.account.id, new, SCRIPT.into(), hooks)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::NotFound {
                what: Noun::Source,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(store.sources(shop.account.id).await.unwrap().len(), 1);
    assert_eq!(store.hooks(shop.account.id).await.unwrap().len(), 1);

    let taken = store
        .insert_source(shop.account.id, source("a.sh"), SCRIPT.into(), vec![])
        .await;
    assert!(matches!(
        taken,
        Err(Error::NameTaken {
            what: Noun::Source,
            ..
        })
    ));
}

pub(crate) async fn replacing_a_source_replaces_its_hooks_if_they_are_given(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let changed = Source {
        name: "new.sh".into(),
        digest: Digest::of(b"new"),
        revision: 2,
        checksum: "f".repeat(32),
        visibility: Visibility::Readable,
        labels: Vec::new(),
        modified_by: None,
        ..shop.source.clone()
    };
    store
        .update_source(shop.account.id, changed.clone(), Some("new".into()), None)
        .await
        .unwrap();
    assert_eq!(
        store.hooks(shop.account.id).await.unwrap(),
        std::slice::from_ref(&shop.hook)
    );
    assert_eq!(store.program(changed.digest).await.unwrap().unwrap(), "new");

    let hooks = store
        .update_source(
            shop.account.id,
            changed.clone(),
            None,
            Some(vec![hook(changed.id)]),
        )
        .await
        .unwrap();
    assert_eq!(store.hooks(shop.account.id).await.unwrap(), hooks);
    assert_ne!(hooks[0].number, shop.hook.number);
    assert_eq!(store.sources(shop.account.id).await.unwrap(), [changed]);

    let unknown = store
        .update_source(shop.account.id, source("x"), None, None)
        .await;
    assert!(matches!(
        unknown,
        Err(Error::NotFound {
            what: Noun::Source,
            ..
        })
    ));
}

pub(crate) async fn numbers_are_not_given_twice(store: &dyn Store) {
    let shop = Shop::open(store).await;
    store
        .delete_hook(shop.account.id, shop.hook.id)
        .await
        .unwrap();
    store
        .delete_source(shop.account.id, shop.source.id)
        .await
        .unwrap();
    let (again, _) = store
        .insert_source(shop.account.id, source("a.sh"), SCRIPT.into(), vec![])
        .await
        .unwrap();
    assert_eq!((shop.source.number.get(), again.number.get()), (1, 2));
}

pub(crate) async fn a_source_with_hooks_is_not_removed(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let used = store.delete_source(shop.account.id, shop.source.id).await;
    assert!(matches!(used, Err(Error::InUse { by, .. }) if by == [shop.hook.number]));
    let unknown = store.delete_source(shop.account.id, source("x").id).await;
    assert!(matches!(unknown, Err(Error::NotFound { .. })));
}

pub(crate) async fn a_source_that_has_a_number_keeps_it_and_others_count_from_one(
    store: &dyn Store,
) {
    let shop = Shop::open(store).await;
    let preloaded = Source {
        number: Number::new(i32::MAX),
        preloaded: true,
        visibility: Visibility::Readable,
        ..source("preloaded.sh")
    };
    let insert = async |source: &Source| {
        let kept = store.insert_source(shop.account.id, source.clone(), SCRIPT.into(), vec![]);
        kept.await.map(|(source, _)| source)
    };
    assert_eq!(insert(&preloaded).await.unwrap(), preloaded);
    let own = insert(&source("b.sh")).await.unwrap();
    assert_eq!(own.number.get(), 2);
    assert_eq!(
        store.sources(shop.account.id).await.unwrap(),
        [shop.source.clone(), own, preloaded.clone()]
    );

    let other = source("c.sh");
    let again = [
        (
            preloaded.id,
            "d.sh",
            Number::new(7),
            preloaded.id.to_string(),
        ),
        (other.id, "d.sh", preloaded.number, "2147483647".into()),
        (
            other.id,
            "preloaded.sh",
            Number::new(7),
            "preloaded.sh".into(),
        ),
    ];
    for (id, name, number, taken) in again {
        let again = Source {
            id,
            number,
            ..source(name)
        };
        let error = insert(&again).await.unwrap_err();
        assert!(
            matches!(&error, Error::NameTaken { what: Noun::Source, name } if *name == taken),
            "{error}"
        );
    }
}
