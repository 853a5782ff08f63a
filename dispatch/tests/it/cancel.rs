//! Cancelling in every state.

use serde_json::json;
use tenterhook_dispatch::{Cancelling, Error, NodeId, State};
use tenterhook_engine::Outcome;

use crate::support::{Yard, event, settings};

#[tokio::test(flavor = "multi_thread")]
async fn a_running_task_is_cut_and_what_waits_behind_it_never_runs() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo begun; sleep 3600\n").await;
    yard.hook("custom.x", "echo never\n").await;
    let task = yard.send(event("custom.x", json!({}))).await;
    let execution = yard
        .dispatcher
        .task(yard.account, task)
        .await
        .unwrap()
        .executions[0]
        .clone();
    yard.printed(&execution).await;

    yard.dispatcher
        .cancel_task(yard.account, task)
        .await
        .unwrap();

    let detail = yard.end(task).await;
    assert_eq!(detail.task.state, State::Canceled);
    assert!(detail.task.cancelled);
    assert_eq!(detail.executions[0].outcome, Some(Outcome::Cancelled));
    assert_eq!(
        (detail.executions[1].state, detail.executions[1].attempt),
        (State::Canceled, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_waits_in_the_store_is_cancelled_there() {
    let mut none = settings();
    none.account_loaded = 1;
    let yard = Yard::with(none).await;
    yard.hook("custom.x", "echo begun; sleep 3600\n").await;
    let first = yard.send(event("custom.x", json!({}))).await;
    let second = yard.send(event("custom.x", json!({}))).await;

    let cancelled = yard
        .dispatcher
        .cancel_task(yard.account, second)
        .await
        .unwrap();

    assert_eq!(cancelled.state, State::Canceled);
    yard.dispatcher
        .cancel_task(yard.account, first)
        .await
        .unwrap();
    assert_eq!(yard.end(first).await.task.state, State::Canceled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_over_stays_as_it_is() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "true\n").await;
    let over = yard.fire(event("custom.x", json!({}))).await;

    let task = yard
        .dispatcher
        .cancel_task(yard.account, over.task.number.into())
        .await
        .unwrap();

    assert_eq!(task, over.task);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_one_execution_lets_the_others_run() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo begun; sleep 3600\n").await;
    yard.hook("custom.x", "echo ran\n").await;
    let task = yard.send(event("custom.x", json!({}))).await;
    let executions = yard
        .dispatcher
        .task(yard.account, task)
        .await
        .unwrap()
        .executions;
    yard.printed(&executions[0]).await;

    yard.dispatcher
        .cancel_execution(yard.account, executions[0].id)
        .await
        .unwrap();

    let detail = yard.end(task).await;
    let states: Vec<_> = detail
        .executions
        .iter()
        .map(|execution| execution.state)
        .collect();
    assert_eq!(states, [State::Canceled, State::Finished]);
    assert!(!detail.task.cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_cancelled_even_on_its_way_into_memory() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo never\n").await;
    // Somebody else owns it, as if it had been stored and not yet been taken in.
    let task = crate::recovery::stored(&yard, Some(NodeId::generate())).await;
    let now = time::OffsetDateTime::now_utc();
    let cancelling = yard
        .store
        .cancel_task(yard.account, task, now)
        .await
        .unwrap();
    assert_eq!(cancelling, Cancelling::Owned);

    let restarted = yard.restarted().await;

    let detail = restarted
        .wait(
            yard.account,
            tenterhook_dispatch::Key::Id(task),
            crate::support::LONG,
        )
        .await
        .unwrap();
    assert_eq!(detail.task.state, State::Canceled);
    assert_eq!(detail.executions[0].outcome, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_cannot_be_cancelled() {
    let yard = Yard::new().await;
    let unknown = tenterhook_dispatch::Number::new(77).into();
    let error = yard
        .dispatcher
        .cancel_task(yard.account, unknown)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }));
}
