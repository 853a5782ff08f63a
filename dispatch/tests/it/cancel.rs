//! Cancelling in every state.

use std::sync::Arc;

use serde_json::json;
use tenterhook_dispatch::{Cancelling, Error, Execution, ExecutionId, Key, NodeId, State, TaskId};
use tenterhook_engine::Outcome;

use crate::faults::store::FaultyStore;
use crate::support::{LONG, Yard, event, settings, stdout};

#[tokio::test(flavor = "multi_thread")]
async fn a_running_task_is_stopped_and_what_waits_behind_it_never_runs() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo begun; sleep 3600\n").await;
    yard.hook("custom.x", "echo never\n").await;
    let task = yard.send(event("custom.x", json!({}))).await;
    let execution = yard
        .dispatcher
        .tasks()
        .get(yard.account, task)
        .await
        .unwrap()
        .executions[0]
        .clone();
    yard.printed(&execution).await;

    yard.dispatcher
        .tasks()
        .cancel(yard.account, task)
        .await
        .unwrap();

    let detail = yard.end(task).await;
    assert_eq!(detail.task.state, State::Canceled);
    assert!(detail.task.cancelled);
    assert_eq!(
        detail.executions[0].latest.outcome,
        Some(Outcome::Cancelled)
    );
    assert_eq!(
        (
            detail.executions[1].state,
            detail.executions[1].latest.attempt
        ),
        (State::Canceled, 0)
    );
}

/// A yard whose store can be made to store no output of a cancelled run.
async fn with_late_outputs() -> (Yard, FaultyStore) {
    let yard = Yard::new().await;
    let store = FaultyStore::sound(Arc::clone(&yard.store), Arc::default());
    let yard = yard.through(Arc::new(store.clone())).await;
    (yard, store)
}

/// Runs a script that prints much in its first attempt, and cancels that; returns the
/// execution and what it has printed.
async fn cancel_after_printing(yard: &Yard) -> (Key<TaskId>, ExecutionId, String) {
    let script = "[ $HOOK_ATTEMPT = 1 ] || { echo again; exit; }\nseq 40000; sleep 3600\n";
    yard.hook_with("custom.x", script, |hook| {
        hook.limits.output_bytes = Some(1 << 20);
    })
    .await;
    let task = yard.send(event("custom.x", json!({}))).await;
    let mut printed = String::new();
    let id = loop {
        let mut detail = yard
            .dispatcher
            .tasks()
            .get(yard.account, task)
            .await
            .unwrap();
        let execution = detail.executions.remove(0);
        if stdout(&execution).ends_with("\n40000\n") {
            printed.push_str(stdout(&execution));
            break execution.id;
        }
    };
    let cancelled = yard.dispatcher.tasks().cancel(yard.account, task).await;
    cancelled.unwrap();
    (task, id, printed)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_cancelled_run_waits_for_nothing_that_it_has_printed() {
    let (yard, store) = with_late_outputs().await;
    let closed = store.outputs.write().await;

    let (task, id, printed) = cancel_after_printing(&yard).await;

    let ended = yard.end(task).await.executions.remove(0);
    assert_eq!(ended.state, State::Canceled);
    let kept = |execution: &Execution| {
        let output = &execution.latest.output;
        (output.stdout.len(), output.dropped_bytes)
    };
    assert_eq!(stdout(&ended), printed, "it is shown all the same");
    assert_eq!(kept(&ended).1, 0);
    let bytes = yard
        .dispatcher
        .tasks()
        .outputs_bytes(yard.account, task)
        .await;
    assert_eq!(bytes.unwrap(), printed.len() as u64);
    let stored = async || {
        yard.store
            .execution(yard.account, id)
            .await
            .unwrap()
            .unwrap()
    };
    assert_eq!(kept(&stored().await), (0, printed.len() as u64));

    drop(closed);
    while kept(&stored().await) != (printed.len(), 0) {}
    let read = yard
        .dispatcher
        .executions()
        .get(yard.account, id)
        .await
        .unwrap();
    assert_eq!(stdout(&read), printed);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_cancelled_run_has_printed_is_not_taken_for_the_output_of_the_next() {
    let (yard, store) = with_late_outputs().await;
    let closed = store.outputs.write().await;
    let (task, id, _) = cancel_after_printing(&yard).await;
    yard.end(task).await;

    yard.dispatcher
        .executions()
        .redrive(yard.account, id)
        .await
        .unwrap();
    let again = yard.end(task).await.executions.remove(0);
    assert_eq!(stdout(&again), "again\n");
    drop(closed);
    yard.dispatcher.drain(LONG).await;

    let stored = yard.store.execution(yard.account, id).await.unwrap();
    assert_eq!(stdout(&stored.unwrap()), "again\n");
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
        .tasks()
        .cancel(yard.account, second)
        .await
        .unwrap();

    assert_eq!(cancelled.state, State::Canceled);
    yard.dispatcher
        .tasks()
        .cancel(yard.account, first)
        .await
        .unwrap();
    assert_eq!(yard.end(first).await.task.state, State::Canceled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_task_stays_as_it_is() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "true\n").await;
    let over = yard.fire(event("custom.x", json!({}))).await;

    let task = yard
        .dispatcher
        .tasks()
        .cancel(yard.account, over.task.number.into())
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
        .tasks()
        .get(yard.account, task)
        .await
        .unwrap()
        .executions;
    yard.printed(&executions[0]).await;

    yard.dispatcher
        .executions()
        .cancel(yard.account, executions[0].id)
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
        .tasks()
        .wait(
            yard.account,
            tenterhook_dispatch::Key::Id(task),
            crate::support::LONG,
        )
        .await
        .unwrap();
    assert_eq!(detail.task.state, State::Canceled);
    assert_eq!(detail.executions[0].latest.outcome, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_cannot_be_cancelled() {
    let yard = Yard::new().await;
    let unknown = tenterhook_dispatch::Number::new(77).into();
    let error = yard
        .dispatcher
        .tasks()
        .cancel(yard.account, unknown)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }));
}
