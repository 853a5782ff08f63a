//! Executions that were running when the server was killed: counted, last, given up.

use serde_json::json;
use tenterhook_dispatch::{Dispatcher, Execution, Key, State, TaskId};
use tenterhook_ledger::{Capacities, Capacity, Resource};

use crate::support::{LONG, Yard, event};

async fn execution(yard: &Yard, dispatcher: &Dispatcher, task: Key<TaskId>) -> Execution {
    let detail = dispatcher.tasks().get(yard.account, task).await.unwrap();
    detail.executions[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_three_attempts_that_killed_the_server_an_execution_is_dead() {
    let yard = Yard::new().await;
    yard.hook(
        "custom.x",
        "echo begun; [ $HOOK_ATTEMPT -lt 4 ] && sleep 3600; true\n",
    )
    .await;
    let task = yard.send(event("custom.x", json!({}))).await;
    let mut killed = vec![yard.dispatcher.clone()];
    for attempt in 1..=3 {
        let last = killed.last().unwrap();
        let running = execution(&yard, last, task).await;
        yard.printed_by(last, &running).await;
        let running = execution(&yard, last, task).await;
        assert_eq!(
            (running.state, running.latest.attempt),
            (State::Running, attempt)
        );
        // The previous one is not notified, as when a process is killed.
        let restarted = yard.restarted().await;
        killed.push(restarted);
    }
    let last = killed.last().unwrap();

    let detail = last.tasks().wait(yard.account, task, LONG).await.unwrap();

    let ended = &detail.executions[0];
    assert_eq!(detail.task.state, State::Failed);
    assert!(ended.dead);
    assert_eq!((ended.state, ended.latest.attempt), (State::Failed, 3));
    let error = ended.latest.error.as_deref().unwrap();
    assert!(
        error.contains("the server was killed while it ran, 3 times"),
        "{error}"
    );

    // It can still be redriven.
    last.executions()
        .redrive(yard.account, ended.id)
        .await
        .unwrap();
    let detail = last.tasks().wait(yard.account, task, LONG).await.unwrap();
    assert_eq!(detail.task.state, State::Finished);
    assert_eq!(detail.executions[0].latest.attempt, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_was_running_starts_last_and_is_the_only_one_counted() {
    let one_at_a_time = Capacities::default().with(Resource::RunSlots, Capacity::of(1));
    let yard = Yard::sharing(one_at_a_time).await;
    // One that sleeps would leave its turn to the other.
    yard.hook_with(
        "custom.long",
        "echo begun; [ $HOOK_ATTEMPT = 1 ] && while :; do :; done; true\n",
        |hook| hook.limits.fuel = Some(200_000_000_000),
    )
    .await;
    yard.hook("custom.short", "true\n").await;
    let long = yard.send(event("custom.long", json!({}))).await;
    let running = execution(&yard, &yard.dispatcher, long).await;
    yard.printed(&running).await;
    let short = yard.send(event("custom.short", json!({}))).await;

    let restarted = yard.restarted().await;

    restarted
        .tasks()
        .wait(yard.account, long, LONG)
        .await
        .unwrap();
    restarted
        .tasks()
        .wait(yard.account, short, LONG)
        .await
        .unwrap();
    let (long, short) = (
        execution(&yard, &restarted, long).await,
        execution(&yard, &restarted, short).await,
    );
    assert_eq!((long.latest.attempt, short.latest.attempt), (2, 1));
    assert!(
        short.latest.ended_at <= long.latest.started_at,
        "{short:?} {long:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_interrupted_by_a_drain_is_retried_and_not_blamed() {
    let yard = Yard::new().await;
    yard.hook(
        "custom.x",
        "echo begun; [ $HOOK_ATTEMPT -lt 6 ] && sleep 3600; true\n",
    )
    .await;
    let task = yard.send(event("custom.x", json!({}))).await;
    let mut dispatcher = yard.dispatcher.clone();
    for _ in 1..=5 {
        let running = execution(&yard, &dispatcher, task).await;
        yard.printed_by(&dispatcher, &running).await;
        dispatcher.drain(std::time::Duration::ZERO).await;
        dispatcher = yard.restarted().await;
    }

    let detail = dispatcher
        .tasks()
        .wait(yard.account, task, LONG)
        .await
        .unwrap();

    assert_eq!(detail.task.state, State::Finished);
    assert_eq!(detail.executions[0].latest.attempt, 6);
}
