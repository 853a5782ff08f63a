//! Failed executions that are tried again, given up, and redriven.

use serde_json::json;
use tenterhook_dispatch::{Error, ExecutionFilter, NewHook, Outputs, Page, RetryPolicy, State};

use crate::support::{Yard, event, stdout};

fn tries(attempts: u32) -> impl FnOnce(&mut NewHook) {
    move |hook| {
        hook.retry = RetryPolicy {
            attempts,
            backoff_ms: 1,
            ..RetryPolicy::default()
        };
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_fails_twice_succeeds_at_its_third_attempt() {
    let yard = Yard::new().await;
    yard.hook_with(
        "custom.x",
        "echo $HOOK_ATTEMPT; [ $HOOK_ATTEMPT = 3 ]\n",
        tries(5),
    )
    .await;

    let detail = yard.fire(event("custom.x", json!({}))).await;

    assert_eq!(detail.task.state, State::Finished);
    assert_eq!(detail.executions[0].attempt, 3);
    assert_eq!(stdout(&detail.executions[0]), "3\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hook_behind_waits_until_the_one_before_has_succeeded() {
    let yard = Yard::new().await;
    yard.hook_with("custom.x", "[ $HOOK_ATTEMPT = 3 ]\n", tries(5))
        .await;
    yard.hook("custom.x", "echo $HOOK_ATTEMPT\n").await;

    let detail = yard.fire(event("custom.x", json!({}))).await;

    assert!(detail.executions[0].ended_at <= detail.executions[1].started_at);
    assert_eq!(stdout(&detail.executions[1]), "1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_never_succeeds_is_listed_as_dead_and_can_be_redriven() {
    let yard = Yard::new().await;
    yard.hook_with("custom.x", "[ $HOOK_ATTEMPT = 3 ]\n", tries(2))
        .await;
    let task = yard.send(event("custom.x", json!({}))).await;
    let detail = yard.end(task).await;
    assert_eq!(
        (detail.executions[0].state, detail.executions[0].attempt),
        (State::Failed, 2)
    );
    let dead = ExecutionFilter {
        dead: true,
        ..ExecutionFilter::default()
    };
    let listed = yard
        .dispatcher
        .executions()
        .list(yard.account, &dead, Page::first(10), Outputs::Omit)
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].dead);

    yard.dispatcher
        .executions()
        .redrive(yard.account, listed[0].id)
        .await
        .unwrap();

    let detail = yard.end(task).await;
    assert_eq!(
        (detail.task.state, detail.executions[0].attempt),
        (State::Finished, 3)
    );
    assert!(!detail.executions[0].dead);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_succeeded_is_not_redriven() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "true\n").await;
    let detail = yard.fire(event("custom.x", json!({}))).await;

    let error = yard
        .dispatcher
        .executions()
        .redrive(yard.account, detail.executions[0].id)
        .await
        .unwrap_err();

    assert!(matches!(error, Error::WrongState { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_waits_to_be_tried_again_can_be_cancelled() {
    let yard = Yard::new().await;
    yard.hook_with("custom.x", "echo failed; exit 1\n", |hook| {
        hook.retry = RetryPolicy {
            attempts: 20,
            backoff_ms: 86_400_000,
            backoff_max_ms: 86_400_000,
            ..RetryPolicy::default()
        };
    })
    .await;
    let task = yard.send(event("custom.x", json!({}))).await;
    loop {
        let execution = yard
            .dispatcher
            .tasks()
            .get(yard.account, task)
            .await
            .unwrap()
            .executions
            .swap_remove(0);
        if execution.due_at.is_some() {
            assert_eq!((execution.state, execution.attempt), (State::Waiting, 1));
            break;
        }
        tokio::task::yield_now().await;
    }

    yard.dispatcher
        .tasks()
        .cancel(yard.account, task)
        .await
        .unwrap();

    assert_eq!(yard.end(task).await.task.state, State::Canceled);
}
