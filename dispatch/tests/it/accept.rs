//! From an event to what its hooks printed and answered.

use serde_json::json;
use tenterhook_dispatch::{
    Error, FailurePolicy, HookChange, NewExecute, NewServer, Number, Program, ServerChange, State,
    Targets,
};
use tenterhook_engine::{AskedLimits, Outcome};
use tenterhook_sdk::Event;

use crate::support::{LONG, Yard, event, settings, stdout};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_runs_its_hook_with_parameters_and_input() {
    let yard = Yard::new().await;
    yard.hook(
        "OnHealthRecover",
        "#!/bin/sh\necho \"$1 $CROIT_NEW_STATUS $HOOK_ATTEMPT\"; cat\n",
    )
    .await;

    let detail = yard
        .fire(event(
            "OnHealthRecover",
            json!({"oldStatus": "HEALTH_WARN", "newStatus": "HEALTH_OK"}),
        ))
        .await;

    assert_eq!(detail.task.state, State::Finished);
    assert_eq!(detail.task.progress.complete, 1);
    let execution = &detail.executions[0];
    assert_eq!(
        execution.latest.outcome,
        Some(Outcome::Exited { status: 0 })
    );
    assert_eq!(
        stdout(execution),
        "HEALTH_WARN HEALTH_OK 1\n{\"newStatus\":\"HEALTH_OK\",\"oldStatus\":\"HEALTH_WARN\"}"
    );
    assert!(execution.latest.usage.as_ref().unwrap().fuel > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_returned_from_memory_equals_the_stored_one() {
    let yard = Yard::new().await;
    yard.hook(
        "custom.x",
        "echo one >&2; echo '{\"n\":1}' > /verdict.json\n",
    )
    .await;
    yard.hook("custom.x", "exit 3\n").await;

    let told = yard.fire(event("custom.x", json!({}))).await;

    let stored = yard
        .dispatcher
        .tasks()
        .get(yard.account, told.task.number.into())
        .await
        .unwrap();
    assert_eq!(told, stored);
    assert_eq!(told.task.state, State::Failed);
    assert_eq!(told.result().unwrap().get(), r#"{"n":1}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_event_returns_its_first_task_and_runs_nothing() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo hi\n").await;
    let event = event("custom.x", json!({}));
    let first = yard.fire(event.clone()).await;

    let accepted = yard
        .dispatcher
        .events()
        .accept(yard.account, "tester", vec![event])
        .await
        .unwrap();

    assert!(accepted[0].repeated);
    assert_eq!(accepted[0].task, first.task);
    let tasks = yard
        .dispatcher
        .tasks()
        .list(
            yard.account,
            &Default::default(),
            tenterhook_dispatch::Page::first(10),
        )
        .await
        .unwrap();
    assert_eq!(tasks.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_hooks_finishes_at_once() {
    let yard = Yard::new().await;
    let detail = yard.fire(event("custom.x", json!({}))).await;
    assert_eq!(detail.task.state, State::Finished);
    assert!(detail.ruling().unwrap().allow);
    assert_eq!(
        yard.dispatcher
            .tasks()
            .get(yard.account, detail.task.number.into())
            .await
            .unwrap(),
        detail
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_run_in_order_on_each_server() {
    let yard = Yard::new().await;
    for name in ["a", "b"] {
        yard.server(name).await;
    }
    yard.hook_with("PostFormatDisk", "echo late $HOOK_SERVER_NAME\n", |hook| {
        hook.order = 5
    })
    .await;
    yard.hook_with("PostFormatDisk", "echo early $HOOK_SERVER_NAME\n", |hook| {
        hook.order = -5
    })
    .await;

    let detail = yard.fire(event("PostFormatDisk", json!({}))).await;

    let printed: Vec<_> = detail.executions.iter().map(stdout).collect();
    assert_eq!(printed, ["early a\n", "late a\n", "early b\n", "late b\n"]);
    for lane in detail.executions.chunks(2) {
        assert!(lane[0].latest.ended_at <= lane[1].latest.started_at);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_may_name_its_server() {
    let yard = Yard::new().await;
    let (a, b) = (yard.server("a").await, yard.server("b").await);
    yard.hook_with("PreFormatDisk", "echo $HOOK_SERVER_ID\n", |hook| {
        hook.targets = Some(Targets::These(vec![a]))
    })
    .await;
    yard.hook("PreFormatDisk", "echo all\n").await;
    let on = |server: Number| {
        let mut event = event("PreFormatDisk", json!({}));
        event
            .extensions
            .insert("serverid".into(), server.get().into());
        event
    };

    assert_eq!(yard.fire(on(a)).await.executions.len(), 2);
    assert_eq!(yard.fire(on(b)).await.executions.len(), 1);

    let unknown = yard
        .dispatcher
        .events()
        .accept(yard.account, "tester", vec![on(Number::new(99))])
        .await;
    assert!(matches!(unknown, Err(Error::Invalid { field, .. }) if field == "serverid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_hook_vetoes_what_is_about_to_happen_unless_it_is_open() {
    let yard = Yard::new().await;
    let closed = yard.hook("PreCrushMapChange", "exit 7\n").await;
    yard.hook_with("PreCrushMapChange", "exit 8\n", |hook| {
        hook.failure_policy = Some(FailurePolicy::Open)
    })
    .await;

    let ruling = yard
        .fire(event("PreCrushMapChange", json!({})))
        .await
        .ruling()
        .unwrap();

    assert!(!ruling.allow);
    assert_eq!(ruling.reasons.len(), 1);
    assert_eq!(ruling.reasons[0].hook, Some(closed.number));
    assert_eq!(ruling.reasons[0].reason, "the hook exited with status 7");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_denies_with_the_hooks_reason() {
    let yard = Yard::new().await;
    yard.hook(
        "OnAudit",
        "echo '{\"allow\":false,\"reason\":\"not today\"}' > /verdict.json\n",
    )
    .await;

    let detail = yard.fire(event("OnAudit", json!({}))).await;

    assert_eq!(detail.task.state, State::Finished);
    assert_eq!(detail.ruling().unwrap().reasons[0].reason, "not today");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_one_bad_event_stores_none() {
    let yard = Yard::new().await;
    let events = vec![event("custom.x", json!({})), event("no\nsuch", json!({}))];

    let error = yard
        .dispatcher
        .events()
        .accept(yard.account, "tester", events)
        .await
        .unwrap_err();

    assert!(
        matches!(&error, Error::Invalid { field, .. } if field == "events[1].type"),
        "{error}"
    );
    let tasks = yard
        .dispatcher
        .tasks()
        .list(
            yard.account,
            &Default::default(),
            tenterhook_dispatch::Page::first(10),
        )
        .await
        .unwrap();
    assert!(tasks.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_causes_too_many_executions_in_all_is_refused_before_anything_is_stored() {
    let mut few = settings();
    few.executions_per_request = 5;
    let yard = Yard::with(few).await;
    for _ in 0..2 {
        yard.hook("custom.x", "true\n").await;
    }
    let events = |count| (0..count).map(|_| event("custom.x", json!({}))).collect();
    let accept = async |events| {
        yard.dispatcher
            .events()
            .accept(yard.account, "tester", events)
            .await
            .map(|accepted| accepted.len())
    };

    let error = accept(events(1_000)).await.unwrap_err();

    let Error::Invalid { field, reason } = &error else {
        panic!("{error}");
    };
    assert_eq!(field, "events");
    assert!(
        reason.contains("more than 5 executions") && reason.contains("send fewer events"),
        "{reason}"
    );
    let all = (Default::default(), tenterhook_dispatch::Page::first(10));
    let tasks = yard
        .dispatcher
        .tasks()
        .list(yard.account, &all.0, all.1)
        .await;
    assert!(tasks.unwrap().is_empty());
    assert_eq!(accept(events(2)).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_stored_in_parts_is_answered_whole_and_in_order() {
    let yard = Yard::new().await;
    let kinds = ["custom.many", "custom.one", "custom.none"];
    // 60 tasks of 40 executions are more than one transaction writes.
    for _ in 0..40 {
        yard.hook(kinds[0], "true\n").await;
    }
    yard.hook(kinds[1], "true\n").await;
    let events: Vec<Event> = (0..180).map(|n| event(kinds[n % 3], json!({}))).collect();
    let ids: Vec<_> = events.iter().map(|event| event.id.clone()).collect();

    let accepted = yard
        .dispatcher
        .events()
        .accept(yard.account, "tester", events.clone())
        .await
        .unwrap();

    for (n, accepted) in accepted.iter().enumerate() {
        assert_eq!(accepted.event.id, ids[n]);
        assert_eq!(
            (accepted.task.progress.total, accepted.repeated),
            ([40, 1, 0][n % 3], false)
        );
    }
    let again = yard
        .dispatcher
        .events()
        .accept(yard.account, "tester", events)
        .await
        .unwrap();
    for (first, again) in accepted.iter().zip(&again) {
        assert!(again.repeated);
        assert_eq!(again.task.id, first.task.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_event_is_refused() {
    let yard = Yard::new().await;
    let event = event("custom.x", json!("x".repeat(300_000)));
    let error = yard
        .dispatcher
        .events()
        .accept(yard.account, "tester", vec![event])
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Invalid { field, .. } if field == "data"));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_events_than_fit_into_memory_all_complete() {
    let mut few = settings();
    few.account_loaded = 2;
    let yard = Yard::with(few).await;
    yard.hook("custom.x", "echo $HOOK_PARAM_N\n").await;

    let events: Vec<Event> = (0..40)
        .map(|n| event("custom.x", json!({"n": n})))
        .collect();
    let accepted = yard
        .dispatcher
        .events()
        .accept(yard.account, "tester", events)
        .await
        .unwrap();

    for (n, accepted) in accepted.iter().enumerate() {
        let detail = yard.end(accepted.task.number.into()).await;
        assert_eq!(stdout(&detail.executions[0]), format!("{n}\n"));
        assert_eq!(detail.executions[0].latest.attempt, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_without_hook_runs_on_each_server() {
    let yard = Yard::new().await;
    let servers = vec![yard.server("b").await, yard.server("a").await];
    let new = NewExecute {
        program: Program::Inline("echo \"$HOOK_SERVER_NAME $1\"\n".into()),
        args: vec!["x y".into()],
        servers,
        limits: AskedLimits::default(),
        started_by: "tester".into(),
    };

    let detail = yard
        .dispatcher
        .tasks()
        .execute(yard.account, new.clone())
        .await
        .unwrap();
    let detail = yard.end(detail.task.number.into()).await;

    let printed: Vec<_> = detail.executions.iter().map(stdout).collect();
    assert_eq!(printed, ["b x y\n", "a x y\n"]);
    assert_eq!(detail.executions[0].name, "script");

    let refused = NewExecute {
        program: Program::Inline("#!/usr/bin/perl\n".into()),
        ..new
    };
    let error = yard
        .dispatcher
        .tasks()
        .execute(yard.account, refused)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn output_is_streamed_while_it_is_printed() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo begun; sleep 3600\n").await;
    let task = yard.send(event("custom.x", json!({}))).await;
    let execution = yard
        .dispatcher
        .tasks()
        .get(yard.account, task)
        .await
        .unwrap()
        .executions[0]
        .clone();

    assert_eq!(yard.printed(&execution).await, "begun\n");
    let running = yard
        .dispatcher
        .tasks()
        .get(yard.account, task)
        .await
        .unwrap();
    assert_eq!(running.task.state, State::Running);
    assert_eq!(running.executions[0].state, State::Running);
    assert_eq!(stdout(&running.executions[0]), "begun\n");
    let so_far = running.executions[0].so_far.unwrap();
    assert!(
        so_far.fuel > 0 && so_far.memory_peak_bytes > 0,
        "{so_far:?}"
    );

    yard.dispatcher
        .tasks()
        .cancel(yard.account, task)
        .await
        .unwrap();
    let detail = yard.end(task).await;
    assert_eq!(
        detail.executions[0].latest.outcome,
        Some(Outcome::Cancelled)
    );
    assert_eq!(detail.executions[0].so_far, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ambiguous_server_is_refused_until_it_is_specified() {
    let yard = Yard::new().await;
    yard.server("2").await;
    yard.server("vm").await;
    yard.hook_with("custom.x", "true\n", |hook| {
        hook.targets = Some(Targets::All)
    })
    .await;
    let on = async |server: serde_json::Value| {
        let mut event = event("custom.x", json!({}));
        event.extensions.insert("serverid".into(), server);
        let accepted = yard
            .dispatcher
            .events()
            .accept_and_wait(yard.account, "tester", event, LONG)
            .await;
        accepted.map(|(_, detail)| detail.executions[0].server.clone().unwrap().name)
    };

    let error = on(json!("2")).await.unwrap_err();

    assert!(
        error.to_string().contains("`number:2` or `name:2`"),
        "{error}"
    );
    for (server, name) in [
        (json!(2), "vm"),
        (json!("number:2"), "vm"),
        (json!("name:2"), "2"),
        (json!("vm"), "vm"),
        (json!("1"), "2"),
    ] {
        assert_eq!(on(server.clone()).await.unwrap(), name, "{server}");
    }
    let named = NewServer {
        name: "1".into(),
        ..Default::default()
    };
    let made = yard.dispatcher.servers().create(yard.account, named).await;
    assert!(matches!(made, Err(Error::Invalid { field, .. }) if field == "name"));
    let rename = ServerChange {
        name: Some("1".into()),
        ..Default::default()
    };
    let renamed = yard
        .dispatcher
        .servers()
        .change(yard.account, Number::new(2).into(), rename)
        .await;
    assert!(matches!(renamed, Err(Error::Invalid { field, .. }) if field == "name"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_producers_event_runs_the_hooks_for_its_type_and_its_prefixes_in_order() {
    let yard = Yard::new().await;
    let bound = [
        "com.github.*",
        "com.github.push",
        "com.*",
        "org.*",
        "com.github.pull_request",
    ];
    for event in bound {
        yard.hook(event, "echo $HOOK_EVENT\n").await;
    }
    yard.hook_with("com.github.*", "echo first\n", |hook| hook.order = -1)
        .await;
    let numbers = async |kind: &str| {
        let detail = yard.fire(event(kind, json!({}))).await;
        let hooks = detail
            .executions
            .iter()
            .map(|one| one.hook.unwrap().number.get());
        hooks.collect::<Vec<_>>()
    };
    assert_eq!(numbers("com.github.push").await, [6, 1, 2, 3]);
    assert_eq!(numbers("com.example.push").await, [3]);
    assert_eq!(
        numbers("google.cloud.storage.object.v1.finalized").await,
        [0; 0]
    );
    let restarted = yard.restarted().await;
    let events: Vec<_> = restarted.hooks().list(yard.account).await.unwrap();
    assert_eq!(events[0].event.as_str(), "com.github.*");
    assert_eq!(events[1].event.as_str(), "com.github.push");
    drop(restarted);
    let hooks = yard.dispatcher.hooks();
    hooks
        .delete(yard.account, Number::new(6).into())
        .await
        .unwrap();
    hooks
        .delete(yard.account, Number::new(3).into())
        .await
        .unwrap();
    let off = HookChange {
        enabled: Some(false),
        ..Default::default()
    };
    hooks
        .change(yard.account, Number::new(1).into(), off)
        .await
        .unwrap();
    assert_eq!(numbers("com.github.push").await, [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_with_the_id_of_another_is_refused_and_nothing_of_its_batch_is_stored() {
    let yard = Yard::new().await;
    // 60 tasks of 40 executions are more than one transaction writes.
    for _ in 0..40 {
        yard.hook("custom.many", "true\n").await;
    }
    let first = event("custom.x", json!({"n": 1}));
    yard.fire(first.clone()).await;
    let accept = async |events: Vec<Event>| {
        yard.dispatcher
            .events()
            .accept(yard.account, "tester", events)
            .await
    };
    let mut later = first.clone();
    later.time = Some("2030-01-01T00:00:00Z".into());
    later.extensions.insert("traceparent".into(), "00-1".into());
    assert!(accept(vec![later]).await.unwrap()[0].repeated);
    let other = Event {
        data: Some(json!({"n": 2})),
        ..first.clone()
    };

    let alone = accept(vec![other.clone()]).await.unwrap_err();

    assert!(
        matches!(alone, Error::EventConflict { index: None }),
        "{alone}"
    );
    for (count, kind) in [(3, "custom.x"), (180, "custom.many")] {
        let mut batch: Vec<_> = (0..count).map(|_| event(kind, json!({}))).collect();
        batch.push(other.clone());
        let error = accept(batch.clone()).await.unwrap_err();
        assert!(
            matches!(error, Error::EventConflict { index: Some(index) } if index == count),
            "{error}"
        );
        assert!(
            error.to_string().contains(&format!("index {count} ")),
            "{error}"
        );
        // Twice in one batch.
        batch[count] = Event {
            data: Some(json!("other")),
            ..batch[0].clone()
        };
        let error = accept(batch).await.unwrap_err();
        assert!(
            matches!(error, Error::EventConflict { index: Some(_) }),
            "{error}"
        );
    }
    let tasks = yard
        .dispatcher
        .tasks()
        .list(
            yard.account,
            &Default::default(),
            tenterhook_dispatch::Page::first(10),
        )
        .await
        .unwrap();
    assert_eq!(tasks.len(), 1);
    let events = yard.dispatcher.events().without_comparison();
    let same = events
        .accept(yard.account, "tester", vec![other])
        .await
        .unwrap();
    assert!(same[0].repeated);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_a_hook_does_not_get_are_reported_with_its_execution() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo $HOOK_PARAM_FOO_BAR\n").await;
    let detail = yard
        .fire(event(
            "custom.x",
            json!({"fooBar": 1, "foo_bar": 2, "long": "x".repeat(40_000)}),
        ))
        .await;
    let warnings = &detail.executions[0].warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].contains("`foo_bar`") && warnings[0].contains("`fooBar`"),
        "{warnings:?}"
    );
    assert!(
        warnings[1].contains("`long`") && warnings[1].contains("32768"),
        "{warnings:?}"
    );
    let stored = yard
        .dispatcher
        .tasks()
        .get(yard.account, detail.task.number.into())
        .await;
    assert_eq!(stored.unwrap().executions[0].warnings, *warnings);
}
