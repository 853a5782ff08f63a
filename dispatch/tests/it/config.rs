//! Sources, hooks and servers: their rules, and the events about their changes.

use serde_json::json;
use tenterhook_dispatch::{
    AuditRecord, Error, HookChange, Key, NewHook, NewServer, NewSource, Noun, Number, Origin, Page,
    PrincipalId, Role, SourceChange, State, Targets, TaskFilter, Visibility,
};
use tenterhook_engine::{Kind, Refusal};

use crate::support::{Yard, event, stdout};

fn source(name: &str, bytes: &'static [u8]) -> NewSource {
    NewSource {
        name: name.into(),
        bytes: bytes.into(),
        kind: None,
        description: String::new(),
        visibility: Visibility::Readable,
        labels: Vec::new(),
        created_by: PrincipalId::SYSTEM,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_and_its_hooks_are_created_together_or_not_at_all() {
    let yard = Yard::new().await;
    let hooks = || vec![NewHook::new(Key::Number(Number::UNASSIGNED), "OnAudit")];
    let (made, bound) = yard
        .dispatcher
        .sources()
        .create(yard.account, source("a", b"true\n"), hooks())
        .await
        .unwrap();
    assert_eq!(
        (made.number.get(), made.kind, made.revision),
        (1, Kind::Script, 1)
    );
    assert_eq!(bound[0].source, made.id);

    let mut bad = hooks();
    bad.push(NewHook::new(Key::Number(Number::UNASSIGNED), "onaudit"));
    let error = yard
        .dispatcher
        .sources()
        .create(yard.account, source("b", b"true\n"), bad)
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        Error::Invalid { field, reason } if field == "event" && reason.contains("did you mean `OnAudit`?")
    ));
    assert_eq!(yard.uploaded().await, [made]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_cannot_run_is_not_stored() {
    let yard = Yard::new().await;
    for bytes in [
        &b"#!/usr/bin/python3\n"[..],
        b"echo \0\n",
        b"\0asm\x01\0\0\0junk",
    ] {
        let error = yard
            .dispatcher
            .sources()
            .create(yard.account, source("a", bytes), vec![])
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{error}");
    }
    let long = NewSource {
        bytes: vec![b'#'; 96 * 1024 + 1].into(),
        ..source("a", b"")
    };
    let error = yard
        .dispatcher
        .sources()
        .create(yard.account, long, vec![])
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        Error::Refused {
            refusal: Refusal::TooLarge { limit: 98_304, .. }
        }
    ));
    assert_eq!(yard.uploaded().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_source_is_what_its_hooks_run() {
    let yard = Yard::new().await;
    let hook = yard.hook("custom.x", "echo old\n").await;
    let change = SourceChange {
        bytes: Some("echo new\n".into()),
        ..SourceChange::default()
    };

    let changed = yard
        .dispatcher
        .sources()
        .change(yard.account, Key::Id(hook.source), change, None)
        .await
        .unwrap();

    assert_eq!(changed.revision, 2);
    assert_eq!(
        stdout(&yard.fire(event("custom.x", json!({}))).await.executions[0]),
        "new\n"
    );
    let (_, bytes) = yard
        .dispatcher
        .sources()
        .bytes(yard.account, Key::Id(hook.source), Role::Admin)
        .await
        .unwrap();
    assert_eq!(bytes, "echo new\n");
}

#[tokio::test]
async fn a_source_is_changed_only_if_it_is_the_expected_version() {
    let yard = Yard::new().await;
    let source = yard.source("a", "echo old\n").await;
    let change = |text: &'static str, expected| SourceChange {
        bytes: Some(text.into()),
        expected: Some(expected),
        ..SourceChange::default()
    };
    let put = async |change| {
        yard.dispatcher
            .sources()
            .change(yard.account, Key::Id(source.id), change, None)
            .await
    };
    let changed = put(change("echo new\n", vec![source.digest]))
        .await
        .unwrap();
    assert_eq!(changed.revision, 2);
    for expected in [vec![], vec![source.digest]] {
        let refused = put(change("echo mine\n", expected)).await.unwrap_err();
        assert!(
            matches!(&refused, Error::ChangedMeanwhile { id, .. } if id == "a"),
            "{refused}"
        );
    }
    let kept = yard
        .dispatcher
        .sources()
        .get(yard.account, Key::Id(source.id))
        .await;
    assert_eq!(kept.unwrap().digest, changed.digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_the_hooks_of_a_source_leaves_none_of_the_old() {
    let yard = Yard::new().await;
    let hook = yard.hook("custom.x", "true\n").await;
    let hooks = vec![
        NewHook::new(hook.source, "custom.y"),
        NewHook::new(hook.source, "custom.z"),
    ];

    yard.dispatcher
        .sources()
        .change(
            yard.account,
            Key::Id(hook.source),
            SourceChange::default(),
            Some(hooks),
        )
        .await
        .unwrap();

    let events: Vec<_> = yard.dispatcher.hooks().list(yard.account).await.unwrap();
    let events: Vec<_> = events.iter().map(|hook| hook.event.as_str()).collect();
    assert_eq!(events, ["custom.y", "custom.z"]);
    assert!(
        yard.fire(event("custom.x", json!({})))
            .await
            .executions
            .is_empty()
    );
    assert_eq!(
        yard.fire(event("custom.z", json!({})))
            .await
            .executions
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hook_refers_to_cannot_be_removed() {
    let yard = Yard::new().await;
    let server = yard.server("a").await;
    let hook = yard
        .hook_with("PreFormatDisk", "true\n", |hook| {
            hook.targets = Some(Targets::These(vec![server]))
        })
        .await;

    let error = yard
        .dispatcher
        .sources()
        .delete(yard.account, Key::Id(hook.source))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::InUse { by, .. } if *by == [hook.number]),
        "{error}"
    );
    let error = yard
        .dispatcher
        .servers()
        .delete(yard.account, server.into())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::InUse { id, by, .. } if id == "1" && *by == [hook.number]),
        "{error}"
    );

    yard.dispatcher
        .hooks()
        .delete(yard.account, hook.number.into())
        .await
        .unwrap();
    yard.dispatcher
        .sources()
        .delete(yard.account, Key::Id(hook.source))
        .await
        .unwrap();
    yard.dispatcher
        .servers()
        .delete(yard.account, server.into())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_hook_does_not_run() {
    let yard = Yard::new().await;
    let hook = yard.hook("custom.x", "true\n").await;
    let off = HookChange {
        enabled: Some(false),
        ..HookChange::default()
    };
    let changed = yard
        .dispatcher
        .hooks()
        .change(yard.account, hook.number.into(), off)
        .await
        .unwrap();
    assert_eq!((changed.id, changed.created_at), (hook.id, hook.created_at));
    assert!(
        yard.fire(event("custom.x", json!({})))
            .await
            .executions
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_ignored_where_a_hook_point_cannot_choose_them() {
    let yard = Yard::new().await;
    let hook = yard
        .hook_with("OnAudit", "true\n", |hook| {
            hook.targets = Some(Targets::These(vec![Number::new(9)]))
        })
        .await;
    assert_eq!(hook.targets, Targets::Once);
    let mut bad = NewHook::new(hook.source, "PreFormatDisk");
    bad.targets = Some(Targets::These(vec![Number::new(9)]));
    let error = yard
        .dispatcher
        .hooks()
        .create(yard.account, bad)
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        Error::NotFound {
            what: Noun::Server,
            ..
        }
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_above_the_ceiling_is_refused() {
    let yard = Yard::new().await;
    let hook = yard.hook("custom.x", "true\n").await;
    let mut greedy = NewHook::new(hook.source, "custom.x");
    greedy.limits.memory_bytes = Some(1 << 40);
    let error = yard
        .dispatcher
        .hooks()
        .create(yard.account, greedy)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::OverCeiling(over) if over.field == "memory_bytes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_do_not_see_each_other() {
    let yard = Yard::new().await;
    let hook = yard.hook("custom.x", "true\n").await;
    let detail = yard.fire(event("custom.x", json!({}))).await;
    let other = yard.dispatcher.accounts().create("other").await.unwrap().id;

    assert!(
        yard.dispatcher
            .hooks()
            .list(other)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        yard.dispatcher
            .hooks()
            .get(other, Key::Id(hook.id))
            .await
            .is_err()
    );
    assert!(
        yard.dispatcher
            .tasks()
            .get(other, Key::Id(detail.task.id))
            .await
            .is_err()
    );
    assert!(
        yard.dispatcher
            .executions()
            .get(other, detail.executions[0].id)
            .await
            .is_err()
    );
    assert!(
        yard.dispatcher
            .tasks()
            .cancel(other, Key::Id(detail.task.id))
            .await
            .is_err()
    );
    let event = event("custom.x", json!({}));
    let accepted = yard
        .dispatcher
        .events()
        .accept(other, "tester", vec![event])
        .await
        .unwrap();
    assert_eq!(accepted[0].task.state, State::Finished);
    assert_eq!(accepted[0].task.progress.total, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_configuration_fires_its_event_on_the_server_that_changed() {
    let yard = Yard::new().await;
    yard.hook("PostConfigChanged", "echo \"$1 $3 $4 $HOOK_SERVER_NAME\"\n")
        .await;
    let new = NewServer {
        name: "node".into(),
        ..NewServer::default()
    };

    yard.dispatcher
        .servers()
        .create(yard.account, new)
        .await
        .unwrap();

    let filter = TaskFilter {
        event: Some("PostConfigChanged".into()),
        ..TaskFilter::default()
    };
    let tasks = yard
        .dispatcher
        .tasks()
        .list(yard.account, &filter, Page::first(10))
        .await
        .unwrap();
    // One for the hook itself, which had been made by then, and one for the server.
    assert_eq!(tasks.len(), 2);
    let detail = yard.end(tasks[0].number.into()).await;
    assert_eq!(stdout(&detail.executions[0]), "server node created node\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_record_fires_its_event_unless_a_hook_caused_it() {
    let yard = Yard::new().await;
    yard.hook(
        "OnAudit",
        "echo \"$HOOK_PARAM_OPERATION $HOOK_PARAM_STATUS\"\n",
    )
    .await;
    let record = AuditRecord {
        operation: "create_hook".into(),
        status: 201,
        ..AuditRecord::default()
    };

    yard.dispatcher
        .events()
        .audit(yard.account, record.clone(), Origin::Hook)
        .await
        .unwrap();
    yard.dispatcher
        .events()
        .audit(yard.account, record, Origin::Outside)
        .await
        .unwrap();

    let tasks = yard
        .dispatcher
        .tasks()
        .list(yard.account, &TaskFilter::default(), Page::first(10))
        .await
        .unwrap();
    assert_eq!(tasks.len(), 1);
    let detail = yard.end(tasks[0].number.into()).await;
    assert_eq!(stdout(&detail.executions[0]), "create_hook 201\n");
}
