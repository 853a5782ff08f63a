//! What accounts share: each begins what it has room for, and waits for the rest
//! without keeping others waiting.

use serde_json::json;
use tenterhook_dispatch::{Dispatcher, Error, Key, State, TaskId};
use tenterhook_engine::{AskedLimits, Engine, Limit, Limits, Outcome};
use tenterhook_ledger::{Capacities, Capacity, Resource};

use crate::support::{Yard, event, settings};

const MIB: u64 = 1 << 20;

/// Longer than any test.
const LONG_MS: u64 = 25 * 60 * 1_000;

/// The same server, as another account sees it.
async fn other(yard: &Yard, name: &str) -> Yard {
    yard.as_account(yard.dispatcher.accounts().create(name).await.unwrap().id)
}

/// Fires an event that often; returns the keys of the tasks.
async fn flood(yard: &Yard, times: usize) -> Vec<Key<TaskId>> {
    let mut tasks = Vec::new();
    for _ in 0..times {
        tasks.push(yard.send(event("custom.flood", json!({}))).await);
    }
    tasks
}

async fn says_hi(yard: &Yard) {
    yard.hook("custom.hi", "echo hi\n").await;
    for _ in 0..3 {
        let detail = yard.fire(event("custom.hi", json!({}))).await;
        assert_eq!(detail.task.state, State::Finished);
    }
}

/// Waits until something has been taken or given back that makes `is` true.
async fn until(dispatcher: &Dispatcher, is: impl Fn() -> bool) {
    while !is() {
        // Whatever runs is on other threads; this one only looks.
        let _ = dispatcher.stats();
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_that_sleep_do_not_keep_a_third_waiting_however_many_they_are() {
    let slots = Capacities::default().with(Resource::RunSlots, Capacity::of(4));
    let one = Yard::sharing(slots).await;
    let two = other(&one, "two").await;
    let third = other(&one, "three").await;
    for yard in [&one, &two] {
        yard.hook_with("custom.flood", "sleep 1500\n", |hook| {
            hook.limits.wall_ms = Some(LONG_MS);
        })
        .await;
        flood(yard, 40).await;
    }
    // More of them sleep than there are slots, and hold none.
    let ledger = one.dispatcher.ledger().clone();
    until(&one.dispatcher, || {
        ledger.taken(Resource::Stacks) > 60 && ledger.taken(Resource::RunSlots) == 0
    })
    .await;
    says_hi(&third).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_spins_on_every_slot_it_can_have_leaves_one_to_others() {
    let slots = Capacities::default().with(Resource::RunSlots, Capacity::of(4));
    let one = Yard::sharing(slots).await;
    let two = other(&one, "two").await;
    one.hook_with("custom.flood", "while :; do :; done\n", |hook| {
        hook.limits.fuel = Some(Limits::ceiling().fuel);
        hook.limits.wall_ms = Some(LONG_MS);
    })
    .await;
    let tasks = flood(&one, 12).await;
    let ledger = one.dispatcher.ledger().clone();
    until(&one.dispatcher, || ledger.taken(Resource::RunSlots) == 3).await;
    says_hi(&two).await;
    for task in tasks {
        let account = one.account;
        one.dispatcher.tasks().cancel(account, task).await.unwrap();
    }
}

/// Four accounts that take all they can get of something by runs that do not end; a fifth
/// has its own runs beside them.
async fn a_fifth_beside_four(one: Yard, script: &str, resource: Resource) {
    let mut tasks = Vec::new();
    for number in 0..4 {
        let yard = other(&one, &format!("greedy-{number}")).await;
        yard.hook_with("custom.flood", script, |hook| {
            hook.limits.fuel = Some(Limits::ceiling().fuel);
            hook.limits.wall_ms = Some(LONG_MS);
        })
        .await;
        let before = one.dispatcher.ledger().taken(resource);
        for task in flood(&yard, 12).await {
            tasks.push((yard.account, task));
        }
        let (ledger, holder) = (one.dispatcher.ledger(), yard.account.holder());
        // It has all that it can have.
        until(&one.dispatcher, || {
            ledger.held(holder, resource) > 0 && ledger.room(holder, resource) == 0
        })
        .await;
        assert!(ledger.taken(resource) > before);
    }
    says_hi(&other(&one, "fifth").await).await;
    for (account, task) in tasks {
        one.dispatcher.tasks().cancel(account, task).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_accounts_that_spin_on_all_slots_keep_no_fifth_waiting() {
    let slots = Capacity::of(4).with_certain(1);
    let one = Yard::sharing(Capacities::default().with(Resource::RunSlots, slots)).await;
    a_fifth_beside_four(one, "while :; do :; done\n", Resource::RunSlots).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_accounts_that_sleep_on_all_stacks_keep_no_fifth_waiting() {
    let engine = Engine::start(tenterhook_engine::Settings {
        sandboxes: 16,
        ..tenterhook_engine::Settings::default()
    });
    let one = Yard::on(engine.unwrap(), settings()).await;
    a_fifth_beside_four(one, "sleep 1500\n", Resource::Stacks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_finds_no_memory_waits_for_it_and_keeps_no_other_account_waiting() {
    let memory = Capacities::default().with(Resource::Memory, Capacity::of(640 * MIB));
    let one = Yard::sharing(memory).await;
    let two = other(&one, "two").await;
    one.hook_with("custom.flood", "sleep 1500\n", |hook| {
        hook.limits.memory_bytes = Some(400 * MIB);
        hook.limits.wall_ms = Some(LONG_MS);
    })
    .await;
    let tasks = flood(&one, 3).await;
    let ledger = one.dispatcher.ledger().clone();
    let holder = one.account.holder();
    for task in tasks {
        // One after the other, as memory comes back.
        until(&one.dispatcher, || {
            ledger.held(holder, Resource::Memory) > 400 * MIB
        })
        .await;
        assert_eq!(ledger.held(holder, Resource::Stacks), 1);
        says_hi(&other(&two, &format!("{task}")).await).await;
        one.dispatcher
            .tasks()
            .cancel(one.account, task)
            .await
            .unwrap();
        assert_eq!(one.end(task).await.task.state, State::Canceled);
    }
}

/// A hook from a larger host: its limits are more than this one can ever give.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_outgrows_its_host_does_not_count_and_is_retried() {
    let memory = Capacities::default().with(Resource::Memory, Capacity::of(128 * MIB));
    let yard = Yard::sharing(memory).await;
    yard.hook_with(
        "custom.x",
        "s=xxxxxxxxxxxxxxxx; while :; do s=$s$s; done\n",
        |hook| {
            hook.limits.memory_bytes = Some(512 * MIB);
        },
    )
    .await;
    let task = yard.send(event("custom.x", json!({}))).await;
    let execution = loop {
        let detail = yard
            .dispatcher
            .tasks()
            .get(yard.account, task)
            .await
            .unwrap();
        let execution = detail.executions[0].clone();
        if execution.due_at.is_some() {
            break execution;
        }
        assert!(!execution.state.is_over(), "{execution:?}");
        tokio::task::yield_now().await;
    };
    // The hook asked for one attempt, which it still has to get.
    assert_eq!(
        (execution.state, execution.latest.attempt),
        (State::Waiting, 1)
    );
    let stopped = Outcome::Stopped { limit: Limit::Host };
    assert_eq!(execution.latest.outcome, Some(stopped));
    yard.dispatcher
        .tasks()
        .cancel(yard.account, task)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_could_never_run_here_is_refused_when_it_is_created() {
    let mut small = settings();
    small.host.memory = 100 * MIB;
    let yard = Yard::with(small).await;
    let source = yard.source("s", "true\n").await;
    let mut new = tenterhook_dispatch::NewHook::new(source.id, "custom.x");
    new.limits = AskedLimits {
        memory_bytes: Some(101 * MIB),
        ..AskedLimits::default()
    };
    let refused = yard
        .dispatcher
        .hooks()
        .create(yard.account, new.clone())
        .await;
    assert!(
        matches!(refused, Err(Error::OverCeiling(over)) if over.field == "memory_bytes" && over.ceiling == 100 * MIB)
    );
    new.limits.memory_bytes = Some(100 * MIB);
    yard.dispatcher
        .hooks()
        .create(yard.account, new)
        .await
        .unwrap();
}
