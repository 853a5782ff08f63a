//! Events about applications: which hooks run in which containers, with what.

use std::collections::BTreeMap;

use serde_json::json;
use tenterhook_dispatch::{
    AppChange, Error, Execution, Key, NewOverride, PrincipalId, State, Subject,
};
use tenterhook_engine::{AskedLimits, Outcome};
use tenterhook_sdk::Event;

use crate::support::{Yard, about, containers, event, stdout};

const IMAGES: [&str; 3] = ["mysql:8", "nginx:1", "mysql:9"];
const MYSQL: &[(Subject, &str)] = &[(Subject::ContainerImage, "^mysql:")];

fn pods(executions: &[Execution]) -> Vec<&str> {
    executions
        .iter()
        .map(|execution| {
            execution
                .container
                .as_ref()
                .map_or("-", |c| c.pod_name.as_str())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_runs_once_in_each_container_that_meets_all_its_criteria() {
    let yard = Yard::new().await;
    let app = yard.app("shop", &IMAGES).await;
    let other = yard.app("other", &IMAGES).await;
    let hook = yard
        .container_hook(
            "freeze",
            "snapshot.pre",
            "echo $HOOK_PARAM_POD_NAME\n",
            Some(&app),
            MYSQL,
        )
        .await;

    for subject in [app.id.to_string(), app.number.to_string(), app.name.clone()] {
        let detail = yard.fire(about("snapshot.pre", subject)).await;
        assert_eq!(pods(&detail.executions), ["shop-0", "shop-2"]);
        assert_eq!(stdout(&detail.executions[1]), "shop-2\n");
        assert_eq!(
            detail.executions[0].container.as_ref(),
            app.containers.first()
        );
        assert_eq!(detail.summary().unwrap().failures, []);
    }
    for event in [
        about("snapshot.post", "shop"),
        about("snapshot.pre", other.id),
        event("snapshot.pre", json!({})),
    ] {
        assert_eq!(yard.fire(event).await.executions, []);
    }
    let matching = yard
        .dispatcher
        .apps()
        .matching_containers(yard.account, hook.id)
        .await;
    assert_eq!(
        matching.unwrap(),
        [app.containers[0].clone(), app.containers[2].clone()]
    );
}

#[tokio::test]
async fn an_event_about_an_unknown_app_is_refused() {
    let yard = Yard::new().await;
    yard.app("shop", &[]).await;
    let refused = yard
        .dispatcher
        .events()
        .accept(
            yard.account,
            "tester",
            vec![about("snapshot.pre", "shop "), about("backup.pre", "shop")],
        )
        .await;
    assert!(
        matches!(&refused, Err(Error::Invalid { field, .. }) if field == "events[0].subject"),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_gets_its_container_from_the_server_and_not_from_the_event() {
    let yard = Yard::new().await;
    let app = yard.app("shop", &["mysql:8"]).await;
    yard.container_hook(
        "tell",
        "backup.post",
        "env | grep ^HOOK_PARAM_\n",
        Some(&app),
        &[],
    )
    .await;
    let fired = Event {
        extensions: json!({"appid": "spoofed", "appname": "spoofed"})
            .as_object()
            .unwrap()
            .clone(),
        data: Some(json!({"podName": "spoofed", "appId": "spoofed", "backup": "b1"})),
        ..about("backup.post", "shop")
    };
    let detail = yard.fire(fired).await;
    let told: BTreeMap<_, _> = stdout(&detail.executions[0])
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let id = app.id.to_string();
    let expected = [
        ("HOOK_PARAM_APP_ID", id.as_str()),
        ("HOOK_PARAM_APP_NAME", "shop"),
        ("HOOK_PARAM_BACKUP", "b1"),
        ("HOOK_PARAM_CONTAINER_IMAGE", "mysql:8"),
        ("HOOK_PARAM_CONTAINER_NAME", "main"),
        ("HOOK_PARAM_NAMESPACE_NAME", "prod"),
        ("HOOK_PARAM_POD_LABELS", r#"{"app":"shop"}"#),
        ("HOOK_PARAM_POD_NAME", "shop-0"),
    ];
    assert_eq!(told, expected.into());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_app_has_when_the_event_arrives_counts() {
    let yard = Yard::new().await;
    let app = yard.app("shop", &["mysql:8"]).await;
    yard.container_hook("freeze", "snapshot.pre", "true\n", Some(&app), MYSQL)
        .await;
    let before = yard.fire(about("snapshot.pre", "shop")).await;
    assert_eq!(pods(&before.executions), ["shop-0"]);

    let change = AppChange {
        containers: Some(containers("new", &["nginx", "mysql:9"])),
        ..AppChange::default()
    };
    yard.dispatcher
        .apps()
        .change(yard.account, Key::Id(app.id), change)
        .await
        .unwrap();
    let after = yard.fire(about("snapshot.pre", "shop")).await;
    assert_eq!(pods(&after.executions), ["new-1"]);
    // What had run says where, though that container is gone.
    let read = yard
        .dispatcher
        .tasks()
        .get(yard.account, Key::Id(before.task.id))
        .await
        .unwrap();
    assert_eq!(pods(&read.executions), ["shop-0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_run_in_order_in_each_container_and_those_for_none_once() {
    let yard = Yard::new().await;
    let app = yard.app("shop", &IMAGES).await;
    yard.container_hook("all", "snapshot.pre", "echo all\n", None, &[])
        .await;
    yard.container_hook("own", "snapshot.pre", "echo own\n", Some(&app), MYSQL)
        .await;
    yard.hook("snapshot.pre", "echo once\n").await;
    let first = yard
        .hook_with("snapshot.pre", "echo first\n", |new| {
            new.name = Some("first".into());
            new.order = -1;
            new.managed = true;
            new.targets = Some(tenterhook_dispatch::Targets::Containers {
                app: None,
                criteria: Vec::new(),
            });
        })
        .await;
    let off = NewOverride {
        app: app.id,
        hook: first.id,
        enabled: true,
        labels: Vec::new(),
        created_by: PrincipalId::SYSTEM,
    };
    yard.dispatcher
        .overrides()
        .create(yard.account, off)
        .await
        .unwrap();

    let detail = yard.fire(about("snapshot.pre", "shop")).await;
    let ran: Vec<_> = pods(&detail.executions)
        .into_iter()
        .zip(detail.executions.iter().map(|e| stdout(e).trim()))
        .collect();
    assert_eq!(
        ran,
        [
            ("-", "once"),
            ("shop-0", "first"),
            ("shop-0", "all"),
            ("shop-0", "own"),
            ("shop-1", "first"),
            ("shop-1", "all"),
            ("shop-2", "first"),
            ("shop-2", "all"),
            ("shop-2", "own"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_soft_and_reported_with_its_return_code() {
    let yard = Yard::new().await;
    let app = yard.app("shop", &["mysql:8", "nginx"]).await;
    yard.container_hook(
        "freeze",
        "snapshot.pre",
        "case $HOOK_PARAM_CONTAINER_IMAGE in mysql*) exit 3 ;; esac\nwhile :; do :; done\n",
        Some(&app),
        &[],
    )
    .await;
    let hooks = yard.dispatcher.hooks().list(yard.account).await.unwrap();
    let change = tenterhook_dispatch::HookChange {
        limits: Some(AskedLimits {
            wall_ms: Some(200),
            ..AskedLimits::default()
        }),
        ..Default::default()
    };
    yard.dispatcher
        .hooks()
        .change(yard.account, Key::Id(hooks[0].id), change)
        .await
        .unwrap();

    let detail = yard.fire(about("snapshot.pre", "shop")).await;
    assert_eq!(detail.task.state, State::Failed);
    assert!(detail.ruling().unwrap().allow);
    assert!(matches!(
        detail.executions[0].latest.outcome,
        Some(Outcome::Exited { status: 3 })
    ));
    let failures = detail.summary().unwrap().failures;
    let statuses = failures
        .into_iter()
        .map(|failure| (failure.status, failure.container));
    assert_eq!(
        statuses.collect::<Vec<_>>(),
        [
            (Some(3), Some(app.containers[0].clone())),
            (None, Some(app.containers[1].clone()))
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_waited_over_a_restart_keeps_its_container_and_app() {
    let yard = Yard::new().await;
    let app = yard.app("shop", &["mysql:8"]).await;
    yard.container_hook(
        "freeze",
        "snapshot.pre",
        "echo $HOOK_PARAM_APP_NAME $HOOK_PARAM_POD_NAME\nif [ $HOOK_ATTEMPT = 1 ]; then sleep 1000; fi\n",
        Some(&app),
        &[],
    )
    .await;
    let task = yard.send(about("snapshot.pre", "1")).await;
    let first = yard
        .dispatcher
        .tasks()
        .get(yard.account, task)
        .await
        .unwrap()
        .executions
        .remove(0);
    yard.printed(&first).await;
    yard.dispatcher.drain(std::time::Duration::ZERO).await;
    let restarted = yard.restarted().await;
    let rename = AppChange {
        name: Some("renamed".into()),
        ..AppChange::default()
    };
    restarted
        .apps()
        .change(yard.account, Key::Id(app.id), rename)
        .await
        .unwrap();
    let detail = restarted
        .tasks()
        .wait(yard.account, task, crate::support::LONG)
        .await
        .unwrap();
    assert_eq!(stdout(&detail.executions[0]), "shop shop-0\n");
    assert_eq!(
        detail.executions[0].container.as_ref(),
        app.containers.first()
    );
}
