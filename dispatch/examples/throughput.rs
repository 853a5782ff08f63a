//! Measures how many events are accepted and how many executions completed per
//! second, durably, on a database in the folder that is named first.
//!
//! Not a test: it prints what it measures and asserts nothing about time.

#![expect(clippy::print_stdout, reason = "a measurement is read by a person")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tenterhook_dispatch::{AccountId, Dispatcher, NewHook, NewSource, Settings, Visibility};
use tenterhook_engine::Engine;
use tenterhook_sdk::Event;
use tenterhook_store::Sqlite;
use uuid::Uuid;

/// A module that exports a memory and a `_start` which does nothing.
const NOTHING: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01\
    \x07\x13\x02\x06memory\x02\0\x06_start\0\0\x0a\x04\x01\x02\0\x0b";

/// Events in all, and in each call.
const EVENTS: usize = 40_000;
const BATCH: usize = 100;
/// Calls under way at one time.
const CALLERS: usize = 16;

#[tokio::main]
async fn main() {
    let folder = std::env::args()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder).expect("the folder can be written");
    let store = Sqlite::open(&folder.path().join("bench.db"))
        .await
        .expect("the database opens");
    let engine = Engine::start(tenterhook_engine::Settings::default()).expect("the engine starts");
    let dispatcher = Dispatcher::start(Arc::new(store), engine, Settings::default())
        .await
        .expect("the dispatcher starts");
    let account = dispatcher
        .accounts()
        .create("bench")
        .await
        .expect("the account is new")
        .id;
    let source = NewSource {
        name: "nothing".into(),
        bytes: NOTHING.into(),
        kind: None,
        description: String::new(),
        visibility: Visibility::Readable,
        labels: Vec::new(),
        created_by: tenterhook_dispatch::PrincipalId::SYSTEM,
    };
    dispatcher
        .sources()
        .create(
            account,
            source,
            vec![NewHook::new(
                tenterhook_dispatch::Number::UNASSIGNED,
                "custom.run",
            )],
        )
        .await
        .expect("the module is accepted");

    let took = accept(&dispatcher, account, "custom.idle").await;
    report("events accepted, no hook, batches of 100", EVENTS, took);
    let begun = Instant::now();
    let took = accept(&dispatcher, account, "custom.run").await;
    report("events accepted, one hook, batches of 100", EVENTS, took);
    while dispatcher.stats().loaded_tasks + dispatcher.stats().accounts_with_backlog > 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    report("executions completed, end to end", EVENTS, begun.elapsed());
    let took = wait(&dispatcher, account).await;
    report(
        "events accepted and waited for, one by one, 16 callers",
        EVENTS / 4,
        took,
    );
    println!("{:?}", dispatcher.stats());
    dispatcher.drain(Duration::from_secs(10)).await;
}

async fn accept(dispatcher: &Dispatcher, account: AccountId, kind: &'static str) -> Duration {
    let dispatcher = dispatcher.clone();
    each_caller(EVENTS / BATCH, move |_| {
        let dispatcher = dispatcher.clone();
        async move {
            let events = (0..BATCH).map(|_| event(kind)).collect();
            dispatcher
                .events()
                .accept(account, "bench", events)
                .await
                .expect("the events are accepted");
        }
    })
    .await
}

async fn wait(dispatcher: &Dispatcher, account: AccountId) -> Duration {
    let dispatcher = dispatcher.clone();
    each_caller(EVENTS / 4, move |_| {
        let dispatcher = dispatcher.clone();
        async move {
            let (_, detail) = dispatcher
                .events()
                .accept_and_wait(
                    account,
                    "bench",
                    event("custom.run"),
                    Duration::from_secs(60),
                )
                .await
                .expect("the event is accepted");
            assert!(detail.task.state.is_over());
        }
    })
    .await
}

async fn each_caller<F>(
    calls: usize,
    call: impl Fn(usize) -> F + Send + Sync + 'static + Clone,
) -> Duration
where
    F: Future<Output = ()> + Send + 'static,
{
    let begun = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let call = call.clone();
        callers.spawn(async move {
            for at in (caller..calls).step_by(CALLERS) {
                call(at).await;
            }
        });
    }
    while callers.join_next().await.is_some() {}
    begun.elapsed()
}

fn event(kind: &str) -> Event {
    Event::new(
        Uuid::now_v7().to_string(),
        "/bench",
        kind,
        Some(json!({"n": 1})),
    )
}

fn report(what: &str, count: usize, took: Duration) {
    let rate = u32::try_from(count).map_or(0.0, f64::from) / took.as_secs_f64();
    println!("{what}: {rate:.0}/s");
}
