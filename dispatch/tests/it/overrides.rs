//! Overrides: the operator's hooks turned on and off for single applications.

use tenterhook_dispatch::{
    App, AppId, Error, Hook, HookChange, HookOverride, Key, NewOverride, Noun, OverrideChange,
    PrincipalId,
};

use crate::support::{Yard, about};

fn switch(app: AppId, hook: &Hook, enabled: bool) -> NewOverride {
    NewOverride {
        app,
        hook: hook.id,
        enabled,
        labels: Vec::new(),
        created_by: PrincipalId::SYSTEM,
    }
}

/// An account with two applications and a hook that the operator keeps.
async fn kept() -> (Yard, App, App, Hook) {
    let yard = Yard::new().await;
    let one = yard.app("one", &["mysql"]).await;
    let two = yard.app("two", &["mysql"]).await;
    let hook = yard
        .container_hook("kept", "snapshot.pre", "true\n", None, &[])
        .await;
    (yard, one, two, hook)
}

async fn create(yard: &Yard, new: NewOverride) -> Result<HookOverride, Error> {
    yard.dispatcher.overrides().create(yard.account, new).await
}

/// How many executions an event about each application causes.
async fn runs(yard: &Yard) -> (usize, usize) {
    let one = yard.fire(about("snapshot.pre", "one")).await;
    let two = yard.fire(about("snapshot.pre", "two")).await;
    (one.executions.len(), two.executions.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managed_hook_is_turned_off_for_one_app_and_on_again() {
    let (yard, one, two, hook) = kept().await;
    assert_eq!(runs(&yard).await, (1, 1));
    let made = create(&yard, switch(one.id, &hook, false)).await.unwrap();
    assert_eq!(runs(&yard).await, (0, 1));
    let matching = yard
        .dispatcher
        .apps()
        .matching_containers(yard.account, hook.id)
        .await;
    assert_eq!(matching.unwrap(), two.containers);

    let change = OverrideChange {
        enabled: Some(true),
        ..OverrideChange::default()
    };
    let changed = yard
        .dispatcher
        .overrides()
        .change(yard.account, made.id, change)
        .await
        .unwrap();
    assert_eq!(runs(&yard).await, (1, 1));
    let off = HookChange {
        enabled: Some(false),
        ..HookChange::default()
    };
    yard.dispatcher
        .hooks()
        .change(yard.account, Key::Id(hook.id), off)
        .await
        .unwrap();
    assert_eq!(runs(&yard).await, (1, 0));

    let restarted = yard.restarted().await;
    assert_eq!(
        restarted
            .overrides()
            .list(yard.account, one.id)
            .await
            .unwrap(),
        [changed]
    );
    assert_eq!(
        restarted
            .overrides()
            .list(yard.account, two.id)
            .await
            .unwrap(),
        []
    );
    yard.dispatcher
        .overrides()
        .delete(yard.account, made.id)
        .await
        .unwrap();
    assert_eq!(runs(&yard).await, (0, 0));
}

#[tokio::test]
async fn an_override_needs_a_managed_hook_and_is_unique() {
    let (yard, one, _, hook) = kept().await;
    let own = yard
        .container_hook("own", "snapshot.pre", "true\n", Some(&one), &[])
        .await;
    let not_kept = create(&yard, switch(one.id, &own, false)).await;
    assert!(matches!(not_kept, Err(Error::Invalid { field, .. }) if field == "hook"));
    let no_app = create(&yard, switch(AppId::generate(), &hook, false)).await;
    assert!(matches!(
        no_app,
        Err(Error::NotFound {
            what: Noun::App,
            ..
        })
    ));
    let made = create(&yard, switch(one.id, &hook, false)).await.unwrap();
    let twice = create(&yard, switch(one.id, &hook, true)).await;
    assert!(matches!(
        twice,
        Err(Error::NameTaken {
            what: Noun::Override,
            ..
        })
    ));

    let dispatcher = &yard.dispatcher;
    assert_eq!(
        dispatcher
            .overrides()
            .get(yard.account, made.id)
            .await
            .unwrap(),
        made
    );
    let none = dispatcher
        .overrides()
        .list(yard.account, AppId::generate())
        .await;
    assert!(matches!(
        none,
        Err(Error::NotFound {
            what: Noun::App,
            ..
        })
    ));
}

#[tokio::test]
async fn an_override_is_removed_with_its_hook_or_its_app() {
    let (yard, one, two, hook) = kept().await;
    let of_app = create(&yard, switch(one.id, &hook, false)).await.unwrap();
    let of_hook = create(&yard, switch(two.id, &hook, false)).await.unwrap();
    let dispatcher = &yard.dispatcher;
    dispatcher
        .apps()
        .delete(yard.account, Key::Id(one.id))
        .await
        .unwrap();
    dispatcher
        .hooks()
        .delete(yard.account, Key::Id(hook.id))
        .await
        .unwrap();
    let restarted = yard.restarted().await;
    for dispatcher in [dispatcher, &restarted] {
        for gone in [of_app.id, of_hook.id] {
            let gone = dispatcher.overrides().get(yard.account, gone).await;
            assert!(matches!(
                gone,
                Err(Error::NotFound {
                    what: Noun::Override,
                    ..
                })
            ));
        }
    }
}

#[tokio::test]
async fn an_override_outlives_a_change_of_its_hooks_source() {
    let (yard, one, _, hook) = kept().await;
    create(&yard, switch(one.id, &hook, false)).await.unwrap();
    let change = tenterhook_dispatch::SourceChange {
        bytes: Some("exit 0\n".into()),
        ..Default::default()
    };
    yard.dispatcher
        .sources()
        .change(yard.account, Key::Id(hook.source), change, None)
        .await
        .unwrap();
    assert_eq!(runs(&yard).await, (0, 1));
}
