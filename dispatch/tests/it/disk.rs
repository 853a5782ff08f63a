//! Disk space: an account over its share is refused before anything is written,
//! and what no longer fits is cut with words.

use serde_json::json;
use tenterhook_dispatch::{
    Dispatcher, Error, HookChange, Key, NewHook, NewServer, NewSource, Page, PrincipalId, State,
    Visibility,
};
use tenterhook_engine::{Engine, Outcome};
use tenterhook_ledger::{Capacities, Capacity, Ledger, Resource, Scope};

use crate::support::{Yard, event, settings};

/// What there is, with a disk of so many bytes.
fn disk_of(bytes: u64) -> Capacities {
    Capacities::default().with(Resource::Disk, Capacity::of(bytes))
}

fn large(size: usize) -> tenterhook_sdk::Event {
    event("custom.x", json!("x".repeat(size)))
}

async fn tasks(dispatcher: &Dispatcher, yard: &Yard) -> usize {
    let all = dispatcher
        .tasks()
        .list(yard.account, &Default::default(), Page::first(1_000))
        .await;
    all.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_has_used_up_its_share_is_refused_before_anything_is_written() {
    let yard = Yard::sharing(disk_of(4 << 20)).await;
    let other = yard.dispatcher.accounts().create("other").await.unwrap().id;
    let mut accepted = 0;
    let shortage = loop {
        let events = vec![large(200_000)];
        match yard
            .dispatcher
            .events()
            .accept(yard.account, "t", events)
            .await
        {
            Ok(_) => accepted += 1,
            Err(Error::DiskFull { shortage }) => break shortage,
            Err(error) => panic!("{error}"),
        }
    };
    // Three quarters of what there is, in events of 200 KB.
    assert!((12..=15).contains(&accepted), "{accepted}");
    assert_eq!(
        (shortage.resource, shortage.scope),
        (Resource::Disk, Scope::Holder)
    );
    assert_eq!(tasks(&yard.dispatcher, &yard).await, accepted);

    let source = NewSource {
        name: "large".into(),
        bytes: format!("# {}\n", "x".repeat(90_000)).into(),
        kind: None,
        description: String::new(),
        visibility: Visibility::Readable,
        labels: Vec::new(),
        created_by: PrincipalId::SYSTEM,
    };
    for _ in 0..3 {
        let events = vec![large(80_000)];
        let _either = yard
            .dispatcher
            .events()
            .accept(yard.account, "t", events)
            .await;
    }
    let refused = yard
        .dispatcher
        .sources()
        .create(yard.account, source.clone(), Vec::new())
        .await;
    assert!(
        matches!(refused, Err(Error::DiskFull { .. })),
        "{refused:?}"
    );
    // Others have room, and are not affected.
    yard.dispatcher
        .events()
        .accept(other, "t", vec![large(200_000)])
        .await
        .unwrap();

    // Finished tasks make room.
    yard.dispatcher.sweep().await;
    yard.dispatcher
        .events()
        .accept(yard.account, "t", vec![large(200_000)])
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_accepted_before_is_answered_without_free_space() {
    let yard = Yard::sharing(disk_of(4 << 20)).await;
    let accept = async |events| {
        yard.dispatcher
            .events()
            .accept(yard.account, "t", events)
            .await
    };
    let first = large(200_000);
    let task = accept(vec![first.clone()]).await.unwrap()[0].task.clone();
    while accept(vec![large(200_000)]).await.is_ok() {}

    let again = accept(vec![first.clone(), first.clone()]).await.unwrap();

    for accepted in again {
        assert!(accepted.repeated);
        assert_eq!(accepted.task, task);
    }
    // What is new beside it needs room of its own, and no more than that.
    let refused = accept(vec![first.clone(), large(200_000)]).await;
    assert!(
        matches!(refused, Err(Error::DiskFull { .. })),
        "{refused:?}"
    );
    let small = accept(vec![first, large(10)]).await.unwrap();
    assert_eq!((small[0].repeated, small[1].repeated), (true, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_usage_of_an_account_survives_a_restart() {
    let yard = Yard::sharing(disk_of(4 << 20)).await;
    for _ in 0..10 {
        let events = vec![large(200_000)];
        yard.dispatcher
            .events()
            .accept(yard.account, "t", events)
            .await
            .unwrap();
    }
    let held = |dispatcher: &Dispatcher| {
        dispatcher
            .ledger()
            .held(yard.account.holder(), Resource::Disk)
    };
    let before = held(&yard.dispatcher);
    yard.dispatcher.sweep().await;
    let counted = held(&yard.dispatcher);
    // The store is exact; what is known before it has counted is near to it.
    assert!(
        counted > 2_000_000 && counted.abs_diff(before) < 20_000,
        "{counted}, {before}"
    );

    let engine = Engine::start(tenterhook_engine::Settings {
        ledger: Ledger::new(disk_of(4 << 20)),
        ..tenterhook_engine::Settings::default()
    })
    .unwrap();
    let again = yard.restarted_with(engine).await;
    assert_eq!(held(&again), counted);
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_does_not_fit_is_truncated_and_the_outcome_is_kept_with_the_reason() {
    let yard = Yard::sharing(disk_of(1 << 20)).await;
    yard.hook("custom.y", "seq 1 10000; echo end >&2\n").await;
    let mut cut = None;
    // Each prints 48,898 bytes; the share is 768 KiB.
    for _ in 0..30 {
        let task = match yard
            .dispatcher
            .events()
            .accept(yard.account, "t", vec![event("custom.y", json!({}))])
            .await
        {
            Ok(accepted) => accepted[0].task.number,
            Err(Error::DiskFull { .. }) => break,
            Err(error) => panic!("{error}"),
        };
        let detail = yard.end(task.into()).await;
        assert_eq!(detail.task.state, State::Finished);
        let execution = &detail.executions[0];
        assert_eq!(
            execution.latest.outcome,
            Some(Outcome::Exited { status: 0 })
        );
        let kept = execution.latest.output.stdout.len() + execution.latest.output.stderr.len();
        if let Some(reason) = &execution.latest.error {
            assert_eq!(kept as u64 + execution.latest.output.dropped_bytes, 48_898);
            assert!(reason.contains("not kept: not enough disk"), "{reason}");
            cut = Some(kept);
            break;
        }
        assert_eq!(execution.latest.output.dropped_bytes, 0);
    }
    assert!(cut.is_some_and(|kept| kept < 48_898), "{cut:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_task_was_removed_is_answered_with_what_is_left_of_it() {
    let mut little = settings();
    little.retention.tasks_per_account = 0;
    let yard = Yard::with(little).await;
    yard.hook("custom.x", "echo hi\n").await;
    let event = event("custom.x", json!({}));
    let first = yard.fire(event.clone()).await;
    yard.dispatcher.sweep().await;
    assert_eq!(tasks(&yard.dispatcher, &yard).await, 0);

    let accepted = yard
        .dispatcher
        .events()
        .accept(yard.account, "tester", vec![event.clone()])
        .await
        .unwrap();
    assert!(accepted[0].repeated && accepted[0].removed);
    assert_eq!(accepted[0].task, first.task);

    let (accepted, detail) = yard
        .dispatcher
        .events()
        .accept_and_wait(yard.account, "tester", event, crate::support::LONG)
        .await
        .unwrap();
    assert!(accepted.removed && detail.executions.is_empty());
    assert_eq!(tasks(&yard.dispatcher, &yard).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn configuration_is_charged_to_the_accounts_share_and_refused_beyond_it() {
    let yard = Yard::sharing(disk_of(2 << 20)).await;
    let other = yard.dispatcher.accounts().create("other").await.unwrap().id;
    let source = yard.source("hi", "echo hi\n").await;
    let long = "x".repeat(20_000);
    let mut hooks = Vec::new();
    let refused = loop {
        let mut new = NewHook::new(source.id, "custom.x");
        new.env.insert("LONG".into(), long.clone());
        match yard.dispatcher.hooks().create(yard.account, new).await {
            Ok(hook) => hooks.push(hook),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, Error::DiskFull { .. }), "{refused}");
    // Three quarters of what there is.
    assert!((50..=78).contains(&hooks.len()), "{}", hooks.len());

    let labels = [("long".to_owned(), "x".repeat(200))].into();
    let server = |number: usize| NewServer {
        name: format!("{number}-{}", "n".repeat(200)),
        labels: std::collections::BTreeMap::clone(&labels),
        ..NewServer::default()
    };
    let mut servers = Ok(0);
    for number in 0..100 {
        match yard
            .dispatcher
            .servers()
            .create(yard.account, server(number))
            .await
        {
            Ok(_) => servers = Ok(number),
            Err(error) => {
                servers = Err(error);
                break;
            }
        }
    }
    assert!(
        matches!(servers, Err(Error::DiskFull { .. })),
        "{servers:?}"
    );
    yard.dispatcher
        .servers()
        .create(other, server(0))
        .await
        .unwrap();

    // One that becomes smaller needs no room, and who removes some has some.
    let shorter = HookChange {
        env: Some(std::collections::BTreeMap::new()),
        ..HookChange::default()
    };
    let key = Key::Id(hooks[0].id);
    yard.dispatcher
        .hooks()
        .change(yard.account, key, shorter)
        .await
        .unwrap();
    yard.dispatcher.sweep().await;
    yard.dispatcher
        .servers()
        .create(yard.account, server(1_000))
        .await
        .unwrap();
}
