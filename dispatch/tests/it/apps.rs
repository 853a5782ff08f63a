//! Applications: their rules, and what holds them.

use tenterhook_dispatch::{
    AppChange, AppId, Container, Error, HookChange, Key, Label, NewApp, NewHook, Noun, Subject,
    Switch, Targets,
};
use uuid::Uuid;

use crate::support::{Yard, about, containers};

#[tokio::test]
async fn an_app_is_found_by_id_and_number_and_read_back_after_a_restart() {
    let yard = Yard::new().await;
    let new = NewApp {
        id: Some(AppId::from_uuid(Uuid::new_v4())),
        name: "shop".into(),
        replicated: true,
        containers: containers("shop", &["mysql:8", "nginx"]),
    };
    let app = yard
        .dispatcher
        .apps()
        .create(yard.account, new.clone())
        .await
        .unwrap();
    assert_eq!((Some(app.id), app.number.get()), (new.id, 1));
    assert_eq!((&app.containers, app.replicated), (&new.containers, true));

    let change = AppChange {
        containers: Some(containers("shop", &["mysql:9"])),
        ..AppChange::default()
    };
    let changed = yard
        .dispatcher
        .apps()
        .change(yard.account, app.number.into(), change)
        .await
        .unwrap();
    assert_eq!((changed.id, changed.containers.len()), (app.id, 1));
    assert_eq!((changed.name.as_str(), changed.replicated), ("shop", true));

    let restarted = yard.restarted().await;
    for key in [Key::Id(app.id), app.number.into()] {
        assert_eq!(
            restarted.apps().get(yard.account, key).await.unwrap(),
            changed
        );
    }
    assert_eq!(
        restarted.apps().list(yard.account).await.unwrap(),
        [changed]
    );
}

#[tokio::test]
async fn an_app_keeps_the_rules_of_its_fields() {
    let yard = Yard::new().await;
    yard.app("shop", &[]).await;
    let label = |name: String, value: String| Label { name, value };
    let one = || containers("a", &["x"]).remove(0);
    let with = |change: &dyn Fn(&mut NewApp)| {
        let mut new = NewApp {
            name: "a".into(),
            ..NewApp::default()
        };
        change(&mut new);
        new
    };
    for (new, field) in [
        (with(&|a| a.name = String::new()), "name"),
        (
            with(&|a| a.id = Some(AppId::from_uuid(Uuid::now_v7()))),
            "id",
        ),
        (with(&|a| a.id = Some(AppId::from_uuid(Uuid::nil()))), "id"),
        (
            with(&|a| a.containers = containers("a", &["x"; 1_025])),
            "containers",
        ),
        (with(&|a| a.containers = vec![one(), one()]), "containers"),
        (
            with(&|a| {
                a.containers = vec![Container {
                    pod_name: "a\n".into(),
                    ..one()
                }]
            }),
            "containers.pod_name",
        ),
        (
            with(&|a| {
                a.containers = vec![Container {
                    container_image: String::new(),
                    ..one()
                }]
            }),
            "containers.container_image",
        ),
        (
            with(&|a| {
                let labels = (0..65).map(|i| label(i.to_string(), String::new()));
                a.containers = vec![Container {
                    pod_labels: labels.collect(),
                    ..one()
                }];
            }),
            "containers.pod_labels",
        ),
        (
            with(&|a| {
                let labels = (0..10).map(|i| label(i.to_string().repeat(250), "x".repeat(250)));
                a.containers = vec![Container {
                    pod_labels: labels.collect(),
                    ..one()
                }];
            }),
            "containers",
        ),
    ] {
        let error = yard.dispatcher.apps().create(yard.account, new).await;
        assert!(
            matches!(&error, Err(Error::Invalid { field: at, .. }) if at == field),
            "{field}: {error:?}"
        );
    }
    let taken = yard
        .dispatcher
        .apps()
        .create(yard.account, with(&|a| a.name = "shop".into()))
        .await;
    assert!(matches!(
        taken,
        Err(Error::NameTaken {
            what: Noun::App,
            ..
        })
    ));
}

#[tokio::test]
async fn an_app_is_kept_while_hooks_are_bound_to_it() {
    let yard = Yard::new().await;
    let app = yard.app("shop", &["mysql"]).await;
    let hook = yard
        .container_hook("freeze", "snapshot.pre", "true\n", Some(&app), &[])
        .await;
    let dispatcher = &yard.dispatcher;
    let error = dispatcher
        .apps()
        .delete(yard.account, Key::Id(app.id))
        .await;
    assert!(
        matches!(&error, Err(Error::InUse { what: Noun::App, by, .. }) if *by == [hook.number]),
        "{error:?}"
    );
    dispatcher
        .hooks()
        .delete(yard.account, Key::Id(hook.id))
        .await
        .unwrap();
    dispatcher
        .apps()
        .delete(yard.account, Key::Id(app.id))
        .await
        .unwrap();
    let gone = dispatcher.apps().get(yard.account, Key::Id(app.id)).await;
    assert!(matches!(
        gone,
        Err(Error::NotFound {
            what: Noun::App,
            ..
        })
    ));
}

#[tokio::test]
async fn a_hook_for_containers_keeps_the_rules_of_its_fields() {
    let yard = Yard::new().await;
    let app = yard.app("shop", &["mysql"]).await;
    let there = yard
        .container_hook("freeze", "snapshot.pre", "true\n", Some(&app), &[])
        .await;
    let targets = |app| {
        Some(Targets::Containers {
            app,
            criteria: Vec::new(),
        })
    };
    let with = |event: &str, change: &dyn Fn(&mut NewHook)| {
        let mut new = NewHook::new(there.source, event);
        new.name = Some("thaw".into());
        new.targets = targets(Some(app.id));
        change(&mut new);
        new
    };
    for (new, field) in [
        (with("snapshot.pre", &|h| h.name = None), "name"),
        (with("OnAudit", &|_| ()), "targets"),
        (with("custom.x", &|_| ()), "targets"),
        (with("snapshot.pre", &|h| h.managed = true), "app"),
        (with("snapshot.pre", &|h| h.targets = targets(None)), "app"),
        (
            with("snapshot.pre", &|h| {
                h.managed = true;
                h.targets = None;
            }),
            "managed",
        ),
        (
            with("snapshot.pre", &|h| {
                let criteria = vec![tenterhook_dispatch::Criterion {
                    subject: Subject::PodName,
                    value: "(".into(),
                }];
                h.targets = Some(Targets::Containers {
                    app: Some(app.id),
                    criteria,
                });
            }),
            "criteria",
        ),
    ] {
        let error = yard.dispatcher.hooks().create(yard.account, new).await;
        assert!(
            matches!(&error, Err(Error::Invalid { field: at, .. }) if at == field),
            "{field}: {error:?}"
        );
    }
    let create = async |new| yard.dispatcher.hooks().create(yard.account, new).await;
    let taken = create(with("backup.pre", &|h| h.name = Some("freeze".into()))).await;
    assert!(matches!(
        taken,
        Err(Error::NameTaken {
            what: Noun::Hook,
            ..
        })
    ));
    let unknown = create(with("backup.pre", &|h| {
        h.targets = targets(Some(AppId::generate()))
    }))
    .await;
    assert!(matches!(
        unknown,
        Err(Error::NotFound {
            what: Noun::App,
            ..
        })
    ));
    let impossible = create(with("restore.pre", &|_| ())).await;
    assert!(matches!(
        impossible,
        Err(Error::Invalid { field, .. }) if field == "targets"
    ));
    let alone = create(with("failover.post", &|_| ())).await;
    assert!(matches!(alone, Err(Error::NotReplicated { app }) if app == "shop"));
    let change = AppChange {
        replicated: Some(true),
        ..AppChange::default()
    };
    yard.dispatcher
        .apps()
        .change(yard.account, Key::Id(app.id), change)
        .await
        .unwrap();
    create(with("failover.post", &|_| ())).await.unwrap();
}

#[tokio::test]
async fn a_hook_moves_between_astras_points_with_its_criteria() {
    let yard = Yard::new().await;
    let app = yard.app("shop", &["mysql"]).await;
    let hook = yard
        .container_hook(
            "freeze",
            "snapshot.pre",
            "true\n",
            Some(&app),
            &[(Subject::PodName, "0")],
        )
        .await;
    let change = HookChange {
        event: Some("backup.pre".into()),
        ..HookChange::default()
    };
    let changed = yard
        .dispatcher
        .hooks()
        .change(yard.account, Key::Id(hook.id), change)
        .await
        .unwrap();
    assert_eq!(
        (&changed.targets, changed.failure_policy),
        (&hook.targets, hook.failure_policy)
    );
    assert_eq!(
        (changed.created_at, changed.name),
        (hook.created_at, hook.name)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_are_switched_off_for_an_account_only_while_it_has_none() {
    let yard = Yard::new().await;
    let app = yard.app("shop", &["mysql"]).await;
    let hook = yard
        .container_hook("freeze", "snapshot.pre", "true\n", Some(&app), &[])
        .await;
    let dispatcher = &yard.dispatcher;
    let off = dispatcher
        .accounts()
        .switch_app_hooks(yard.account, Switch::Off)
        .await;
    assert!(
        matches!(
            off,
            Err(Error::WrongState {
                what: Noun::Account,
                ..
            })
        ),
        "{off:?}"
    );

    dispatcher
        .hooks()
        .delete(yard.account, Key::Id(hook.id))
        .await
        .unwrap();
    let account = dispatcher
        .accounts()
        .switch_app_hooks(yard.account, Switch::Off)
        .await
        .unwrap();
    assert!(!account.app_hooks.is_on());
    let restarted = yard.restarted().await;
    for dispatcher in [dispatcher, &restarted] {
        let refused = dispatcher.accounts().check_app_hooks(yard.account).await;
        assert!(matches!(refused, Err(Error::HooksDisabled)));
        let mut new = NewHook::new(hook.source, "snapshot.pre");
        new.targets = Some(hook.targets.clone());
        new.name = Some("freeze".into());
        let refused = dispatcher.hooks().create(yard.account, new).await;
        assert!(matches!(refused, Err(Error::HooksDisabled)));
    }
    assert_eq!(
        yard.fire(about("snapshot.pre", "shop")).await.executions,
        []
    );
    // Other interfaces' hooks are untouched.
    yard.hook("OnAudit", "true\n").await;
    dispatcher
        .accounts()
        .switch_app_hooks(yard.account, Switch::On)
        .await
        .unwrap();
    dispatcher
        .accounts()
        .check_app_hooks(yard.account)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_account_is_renamed_to_a_name_of_its_own() {
    let yard = Yard::new().await;
    let dispatcher = &yard.dispatcher;
    let other = dispatcher.accounts().create("other").await.unwrap();
    let taken = dispatcher.accounts().rename(other.id, "acme").await;
    assert!(matches!(
        taken,
        Err(Error::NameTaken {
            what: Noun::Account,
            ..
        })
    ));
    let renamed = dispatcher
        .accounts()
        .rename(other.id, "umbrella")
        .await
        .unwrap();
    assert_eq!((renamed.id, renamed.number), (other.id, other.number));
    assert_eq!(dispatcher.accounts().get(other.id).await.unwrap(), renamed);
    assert_eq!(dispatcher.accounts().list().await.unwrap()[1], renamed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_makes_an_app_ambiguous_is_refused() {
    let yard = Yard::new().await;
    let shop = yard.app("shop", &[]).await;
    let named = |name: &str| NewApp {
        name: name.into(),
        ..NewApp::default()
    };
    let refused = |error: Error| match error {
        Error::Invalid { field, reason } if field == "name" => reason,
        error => panic!("{error}"),
    };
    for (name, part) in [
        (shop.id.to_string(), "is the id of another app"),
        (
            shop.id.as_uuid().simple().to_string(),
            "is the id of another app",
        ),
        ("1".into(), "is the number of another app"),
        ("+1".into(), "is the number of another app"),
        ("id:x".into(), "must not begin with `id:`"),
        ("name:shop".into(), "must not begin with `name:`"),
    ] {
        let made = yard
            .dispatcher
            .apps()
            .create(yard.account, named(&name))
            .await;
        let reason = refused(made.unwrap_err());
        assert!(reason.contains(part), "{name}: {reason}");
    }
    let other = yard.app("other", &[]).await;
    let rename = AppChange {
        name: Some("1".into()),
        ..AppChange::default()
    };
    let renamed = yard
        .dispatcher
        .apps()
        .change(yard.account, Key::Id(other.id), rename)
        .await;
    assert!(refused(renamed.unwrap_err()).contains("is the number of another app"));
    // Its own number is its own.
    let rename = AppChange {
        name: Some("2".into()),
        ..AppChange::default()
    };
    yard.dispatcher
        .apps()
        .change(yard.account, Key::Id(other.id), rename)
        .await
        .unwrap();
    let id = Uuid::new_v4();
    yard.app(&id.to_string(), &[]).await;
    let taken = NewApp {
        id: Some(AppId::from_uuid(id)),
        ..named("late")
    };
    let made = yard.dispatcher.apps().create(yard.account, taken).await;
    assert!(matches!(made, Err(Error::Invalid { field, .. }) if field == "id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ambiguous_subject_is_refused_until_it_is_specified() {
    let yard = Yard::new().await;
    // It has the number that the next one gets.
    let first = yard.app("2", &["x"]).await;
    let second = yard.app("shop", &["x"]).await;
    yard.container_hook(
        "quiesce",
        "snapshot.pre",
        "echo $HOOK_PARAM_APP_NAME\n",
        Some(&second),
        &[],
    )
    .await;
    let accept = async |subject: &str| {
        let events = vec![about("snapshot.pre", subject)];
        yard.dispatcher
            .events()
            .accept(yard.account, "tester", events)
            .await
    };

    let error = accept("2").await.unwrap_err();

    let Error::Invalid { field, reason } = error else {
        panic!("{error}");
    };
    assert_eq!(field, "subject");
    for part in [
        "ambiguous",
        "the number of one app",
        "`number:2`",
        "`name:2`",
    ] {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    let runs = async |subject: &str| accept(subject).await.unwrap()[0].task.progress.total;
    let id = second.id.to_string();
    for subject in ["number:2", "shop", "name:shop", &id, &format!("id:{id}")] {
        assert_eq!(runs(subject).await, 1, "{subject}");
    }
    for subject in ["name:2", "1", &first.id.to_string()] {
        assert_eq!(runs(subject).await, 0, "{subject}");
    }
    for subject in ["3", "id:2", "number:shop", "name:3", "number:-1", "id:"] {
        assert!(accept(subject).await.is_err(), "{subject}");
    }
}
