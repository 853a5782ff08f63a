//! Memory of what is planned and not stored yet, and of output that is copied: it is its
//! account's.

use std::pin::pin;

use serde_json::json;
use tenterhook_dispatch::{Error, Page};
use tenterhook_ledger::{Amounts, Capacities, Capacity, Guard, Resource};
use tenterhook_sdk::Event;

use crate::support::{Yard, event};

const MIB: u64 = 1 << 20;

fn memory_of(bytes: u64) -> Capacities {
    Capacities::default().with(Resource::Memory, Capacity::of(bytes))
}

/// Events whose executions take a few hundred KiB to plan.
async fn batch(yard: &Yard) -> Vec<Event> {
    for place in 0..4 {
        yard.hook("custom.x", &format!("echo {place}\n")).await;
    }
    (0..100).map(|_| event("custom.x", json!({}))).collect()
}

/// Takes all of an account's memory but so much.
fn all_but(yard: &Yard, bytes: u64) -> Guard {
    let ledger = yard.dispatcher.ledger();
    let holder = yard.account.holder();
    let room = ledger.room(holder, Resource::Memory);
    let amounts = Amounts::of(Resource::Memory, room - bytes);
    ledger.take(holder, amounts).unwrap()
}

async fn tasks(yard: &Yard) -> usize {
    let all = yard
        .dispatcher
        .tasks()
        .list(yard.account, &Default::default(), Page::first(1_000))
        .await;
    all.unwrap().len()
}

/// Whether a future still waits when everything else has had its turn many times.
async fn waits<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    for _ in 0..1_000 {
        tokio::select! {
            biased;
            _ = &mut future => return false,
            () = tokio::task::yield_now() => {}
        }
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_waits_until_there_is_memory_for_its_plan_and_keeps_no_single_event_waiting() {
    let yard = Yard::sharing(memory_of(1_024 * MIB)).await;
    let events = batch(&yard).await;
    let guard = all_but(&yard, 100_000);
    let accept = |events| yard.dispatcher.events().accept(yard.account, "t", events);
    {
        let mut waiting = pin!(accept(events.clone()));
        assert!(waits(waiting.as_mut()).await);
        // What is small fits into what every request holds.
        accept(vec![event("custom.x", json!({}))]).await.unwrap();
        // The caller goes away, and has begun nothing.
    }
    drop(guard);
    assert_eq!(tasks(&yard).await, 1);
    assert_eq!(accept(events).await.unwrap().len(), 100);
    assert_eq!(tasks(&yard).await, 101);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_plan_continues_when_memory_is_released() {
    let yard = Yard::sharing(memory_of(1_024 * MIB)).await;
    let events = batch(&yard).await;
    let guard = all_but(&yard, 100_000);
    let mut waiting = pin!(yard.dispatcher.events().accept(yard.account, "t", events));
    assert!(waits(waiting.as_mut()).await);
    drop(guard);
    assert_eq!(waiting.await.unwrap().len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_is_copied_while_it_is_printed_counts_as_its_accounts_memory() {
    let yard = Yard::sharing(memory_of(1_024 * MIB)).await;
    yard.hook_with(
        "custom.loud",
        "head -c 300000 /dev/zero | tr '\\0' x; echo; sleep 1500\n",
        |hook| {
            hook.limits.wall_ms = Some(25 * 60 * 1_000);
            hook.limits.output_bytes = Some(MIB);
        },
    )
    .await;
    let task = yard.send(event("custom.loud", json!({}))).await;
    let (dispatcher, account) = (&yard.dispatcher, yard.account);
    let id = dispatcher
        .tasks()
        .get(account, task)
        .await
        .unwrap()
        .executions[0]
        .id;
    let held = || dispatcher.ledger().held(account.holder(), Resource::Memory);
    while dispatcher
        .tasks()
        .outputs_bytes(account, task)
        .await
        .unwrap()
        < 300_001
    {
        tokio::task::yield_now().await;
    }
    let before = held();
    let execution = dispatcher.executions().get(account, id).await.unwrap();
    assert_eq!(execution.latest.output.stdout.len(), 300_001);
    assert_eq!(held(), before + 300_001);
    drop(execution);
    assert_eq!(held(), before);

    let _all = all_but(&yard, 100_000);
    let refused = dispatcher.executions().get(account, id).await;
    assert!(
        matches!(refused, Err(Error::Shortage { .. })),
        "{refused:?}"
    );
    // Without its output it needs no memory.
    dispatcher
        .executions()
        .get_without_output(account, id)
        .await
        .unwrap();
    dispatcher.tasks().cancel(account, task).await.unwrap();
}
