//! Failed executions that are tried again, given up, and redriven.

use std::time::Duration;

use serde_json::json;
use tenterhook_dispatch::{
    Error, Execution, ExecutionFilter, Key, NewHook, Outputs, Page, RetryPolicy, State, Targets,
    TaskId,
};
use tenterhook_engine::Outcome;

use crate::recovery::stored;
use crate::support::{LONG, Yard, event, stdout};

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
    assert_eq!(detail.executions[0].latest.attempt, 3);
    assert_eq!(stdout(&detail.executions[0]), "3\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_hook_waits_until_the_one_before_has_succeeded() {
    let yard = Yard::new().await;
    yard.hook_with("custom.x", "[ $HOOK_ATTEMPT = 3 ]\n", tries(5))
        .await;
    yard.hook("custom.x", "echo $HOOK_ATTEMPT\n").await;

    let detail = yard.fire(event("custom.x", json!({}))).await;

    assert!(detail.executions[0].latest.ended_at <= detail.executions[1].latest.started_at);
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
        (
            detail.executions[0].state,
            detail.executions[0].latest.attempt
        ),
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
        (detail.task.state, detail.executions[0].latest.attempt),
        (State::Finished, 3)
    );
    assert!(!detail.executions[0].dead);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successful_execution_is_not_redriven() {
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
async fn a_hook_that_waits_for_its_retry_can_be_cancelled() {
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
            assert_eq!(
                (execution.state, execution.latest.attempt),
                (State::Waiting, 1)
            );
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

/// Waits in small steps until an execution is in this state.
async fn until(yard: &Yard, task: Key<TaskId>, ready: impl Fn(&Execution) -> bool) -> Execution {
    loop {
        let detail = yard
            .dispatcher
            .tasks()
            .get(yard.account, task)
            .await
            .unwrap();
        if let Some(execution) = detail.executions.into_iter().find(|one| ready(one)) {
            return execution;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn late_tries(hook: &mut NewHook) {
    hook.retry = RetryPolicy {
        attempts: 5,
        // Anything up to a day: sooner than the test ends is next to impossible.
        backoff_ms: 86_400_000,
        backoff_max_ms: 86_400_000,
        ..RetryPolicy::default()
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_hook_cancels_its_waiting_executions_and_retries() {
    let yard = Yard::new().await;
    // One waits in the store, the other in memory beside one that runs.
    let parked = yard.hook_with("custom.a", "exit 1\n", late_tries).await;
    let loaded = yard
        .hook_with("custom.b", "exit 1\n", |hook| {
            late_tries(hook);
            hook.targets = Some(Targets::All);
        })
        .await;
    yard.server("one").await;
    let running = yard.hook("custom.b", "echo begun; sleep 3600\n").await;
    let a = yard.send(event("custom.a", json!({}))).await;
    let b = yard.send(event("custom.b", json!({}))).await;
    let is_retry = |one: &Execution| one.due_at.is_some();
    until(&yard, a, is_retry).await;
    let retried = until(&yard, b, is_retry).await;
    assert_eq!(retried.hook.unwrap().id, loaded.id);

    for hook in [&parked, &loaded] {
        yard.dispatcher
            .hooks()
            .delete(yard.account, Key::Id(hook.id))
            .await
            .unwrap();
    }

    let ended = yard.end(a).await;
    assert_eq!(ended.task.state, State::Canceled);
    assert_eq!(
        (
            ended.executions[0].state,
            ended.executions[0].latest.error.as_deref()
        ),
        (State::Canceled, Some("its hook was deleted"))
    );
    let cancelled = until(&yard, b, |one| one.id == retried.id && one.state.is_over()).await;
    assert_eq!(
        (cancelled.state, cancelled.latest.error.as_deref()),
        (State::Canceled, Some("its hook was deleted"))
    );
    let refused = yard
        .dispatcher
        .executions()
        .redrive(yard.account, ended.executions[0].id)
        .await;
    assert!(matches!(refused, Err(Error::WrongState { .. })));
    // What another hook runs goes on.
    let still = until(&yard, b, |one| one.hook.unwrap().id == running.id).await;
    assert!(!still.state.is_over());
    yard.dispatcher
        .tasks()
        .cancel(yard.account, b)
        .await
        .unwrap();
    yard.end(b).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn running_executions_of_a_deleted_hook_finish_and_are_not_retried() {
    let yard = Yard::new().await;
    let hook = yard
        .hook_with("custom.x", "echo begun; sleep 0.3; exit 1\n", late_tries)
        .await;
    let task = yard.send(event("custom.x", json!({}))).await;
    let detail = yard
        .dispatcher
        .tasks()
        .get(yard.account, task)
        .await
        .unwrap();
    yard.printed(&detail.executions[0]).await;

    yard.dispatcher
        .hooks()
        .delete(yard.account, Key::Id(hook.id))
        .await
        .unwrap();

    let ended = yard.end(task).await;
    let execution = &ended.executions[0];
    assert_eq!(
        (execution.state, execution.latest.attempt),
        (State::Failed, 1)
    );
    assert_eq!(
        execution.latest.outcome,
        Some(Outcome::Exited { status: 1 })
    );
    let error = execution.latest.error.as_deref().unwrap();
    assert!(error.contains("not tried again"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn executions_left_by_a_deleted_hook_are_cancelled_when_claimed() {
    let yard = Yard::new().await;
    let hook = yard.hook_with("custom.x", "exit 1\n", tries(5)).await;
    let other = yard.hook("custom.y", "true\n").await;
    let task = stored(&yard, None).await;
    // As if the server had been killed between the two.
    yard.store.delete_hook(yard.account, hook.id).await.unwrap();
    yard.dispatcher.drain(LONG).await;

    let restarted = yard.restarted().await;

    let detail = restarted
        .tasks()
        .wait(yard.account, Key::Id(task), LONG)
        .await
        .unwrap();
    assert_eq!(detail.task.state, State::Canceled);
    assert_eq!(
        detail.executions[0].latest.error.as_deref(),
        Some("its hook was deleted")
    );
    assert!(
        restarted
            .hooks()
            .get(yard.account, other.number.into())
            .await
            .is_ok()
    );
}
