//! Faults at every call of the store, and kills between any two commits.
//!
//! Each seed is one short life of a server: events are accepted, some hooks fail, the
//! clock is set, tasks are cancelled, and at one call of the store something goes wrong.
//! Then a sound server is started on the same file. Whatever was acknowledged must come
//! to its end, once. What a seed does is fixed; when its hooks end is not, since they
//! run in real sandboxes on threads of their own.

pub(crate) mod store;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use tenterhook_dispatch::{
    AccountId, Clock as _, Dispatcher, Key, NewHook, NewSource, Page, PrincipalId, RetryPolicy,
    Settings, State, SteppedClock, Store, TaskFilter, TaskId, Visibility,
};
use tenterhook_engine::{CodeCache, Engine};
use tenterhook_store::Sqlite;
use time::OffsetDateTime;

use self::store::{Ends, FAILURES, Fault, FaultyStore};
use crate::support::{LONG, event, settings};

/// Seeds of a plain test run; `make faults SEEDS=…` tries others and more.
const SEEDS: u64 = 10_000;

/// Seeds that share a file: reopening it is what takes the time.
const SEEDS_PER_FILE: u64 = 100;

/// Calls of the store before the one that fails; a life has about as many.
const CALLS: usize = 22;

/// Does nothing, and well: `(module (func (export "_start")))` with a memory.
const WELL: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01\
    \x07\x13\x02\x06memory\x02\0\x06_start\0\0\x0a\x04\x01\x02\0\x0b";

/// The same, but it traps.
const BADLY: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01\
    \x07\x13\x02\x06memory\x02\0\x06_start\0\0\x0a\x05\x01\x03\0\0\x0b";

/// An engine that keeps compiled code: every server of every seed loads the same two
/// programs.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let settings = tenterhook_engine::Settings {
        cache: Some(CodeCache {
            folder: Path::new(env!("CARGO_TARGET_TMPDIR")).join("code"),
            key: Path::new(env!("CARGO_TARGET_TMPDIR")).join("code.key"),
            bytes: 1 << 30,
        }),
        ..tenterhook_engine::Settings::default()
    };
    Engine::start(settings).expect("the engine starts")
});

/// A file, and the account whose hooks run.
struct World {
    folder: tempfile::TempDir,
    account: AccountId,
    clock: SteppedClock,
    ends: Arc<Ends>,
}

impl World {
    async fn new() -> Self {
        let clock = SteppedClock::at(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap());
        let mut world = Self {
            folder: in_memory(),
            account: AccountId::generate(),
            clock,
            ends: Arc::default(),
        };
        let store = FaultyStore::sound(world.open().await, Arc::clone(&world.ends));
        let dispatcher = world.start(&store).await.unwrap();
        world.account = dispatcher.accounts().create("acme").await.unwrap().id;
        for (name, bytes, events) in [
            (
                "well",
                WELL,
                ["custom.one", "custom.two", "custom.two", "custom.mixed"],
            ),
            (
                "badly",
                BADLY,
                ["custom.bad", "custom.mixed", "custom.mixed", "custom.mixed"],
            ),
        ] {
            let new = NewSource {
                name: name.into(),
                bytes: bytes.into(),
                kind: None,
                description: String::new(),
                visibility: Visibility::Readable,
                labels: Vec::new(),
                created_by: PrincipalId::SYSTEM,
            };
            let (source, _) = dispatcher
                .sources()
                .create(world.account, new, Vec::new())
                .await
                .unwrap();
            for kind in events {
                let mut hook = NewHook::new(source.id, kind);
                hook.retry = RetryPolicy {
                    attempts: 2,
                    backoff_ms: 2_000,
                    backoff_max_ms: 4_000,
                    ..RetryPolicy::default()
                };
                dispatcher
                    .hooks()
                    .create(world.account, hook)
                    .await
                    .unwrap();
            }
        }
        dispatcher.drain(LONG).await;
        dispatcher.close().await.unwrap();
        world
    }

    async fn open(&self) -> Arc<dyn Store> {
        let path = self.folder.path().join("test.db");
        Arc::new(Sqlite::open(&path).await.unwrap())
    }

    async fn start(&self, store: &FaultyStore) -> Result<Dispatcher, tenterhook_dispatch::Error> {
        let small = Settings {
            // Some tasks have to wait in the store.
            account_loaded: 2,
            ..settings()
        };
        let clock = Arc::new(self.clock.clone());
        Dispatcher::start_with(Arc::new(store.clone()), ENGINE.clone(), small, clock).await
    }

    /// Lives one life with a fault in it, then a sound one that ends everything. Answers
    /// the store for the next seed.
    async fn try_seed(self: &Arc<Self>, seed: u64, inner: Arc<dyn Store>) -> Arc<dyn Store> {
        let mut rng = StdRng::seed_from_u64(seed);
        let fault = match rng.random_range(0..6) {
            0 => Fault::KillBefore,
            1 => Fault::KillAfter,
            _ => Fault::Fail(
                rng.random_range(1..6),
                FAILURES[rng.random_range(0..FAILURES.len())],
            ),
        };
        let at = rng.random_range(0..CALLS);
        let store = FaultyStore::new(Arc::clone(&inner), Arc::clone(&self.ends), at, fault);
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        // The calls of a process that was killed never return, and neither does its life.
        let life = tokio::spawn({
            let (world, store) = (Arc::clone(self), store.clone());
            let acknowledged = Arc::clone(&acknowledged);
            async move { world.live(&store, &mut rng, &acknowledged).await }
        });
        tokio::select! {
            ended = life => ended.unwrap(),
            () = store.killed() => {}
            () = self.time_passes() => {}
        }
        let inner = if store.is_killed() {
            store.is_quiet().await;
            self.open().await
        } else {
            inner
        };
        let owed = std::mem::take(&mut *acknowledged.lock());
        tokio::select! {
            () = self.end_all(&inner, &owed) => {}
            () = self.time_passes() => {}
        }
        inner
    }

    async fn live(&self, store: &FaultyStore, rng: &mut StdRng, acknowledged: &Mutex<Vec<TaskId>>) {
        // A server that cannot read its database does not start.
        let Ok(dispatcher) = self.start(store).await else {
            return;
        };
        for _ in 0..rng.random_range(1..4) {
            match rng.random_range(0..8) {
                0..=4 => {
                    let kinds = ["custom.one", "custom.two", "custom.bad", "custom.mixed"];
                    let events: Vec<_> = (0..rng.random_range(1..3))
                        .map(|_| event(kinds[rng.random_range(0..kinds.len())], json!({})))
                        .collect();
                    if let Ok(accepted) = dispatcher
                        .events()
                        .accept(self.account, "tester", events)
                        .await
                    {
                        let ids = accepted.iter().map(|accepted| accepted.task.id);
                        acknowledged.lock().extend(ids);
                    }
                }
                5 => {
                    let some = acknowledged.lock().last().copied();
                    if let Some(some) = some {
                        let _refused = dispatcher.tasks().cancel(self.account, Key::Id(some)).await;
                    }
                }
                6 => {
                    let days = rng.random_range(-400..400);
                    let wall = self.clock.now().wall + time::Duration::days(days);
                    self.clock.set_wall(wall);
                }
                _ => {
                    let some = acknowledged.lock().first().copied();
                    if let Some(some) = some {
                        let _unread = dispatcher
                            .tasks()
                            .wait(self.account, Key::Id(some), LONG)
                            .await;
                    }
                }
            }
        }
        dispatcher
            .drain(Duration::from_secs(rng.random_range(0..100)))
            .await;
    }

    /// Starts a sound server, in which everything has to come to its end, once.
    async fn end_all(&self, inner: &Arc<dyn Store>, owed: &[TaskId]) {
        let store = FaultyStore::sound(Arc::clone(inner), Arc::clone(&self.ends));
        let dispatcher = self.start(&store).await.unwrap();
        let mut ended = Vec::new();
        for task in owed {
            let detail = dispatcher
                .tasks()
                .wait(self.account, Key::Id(*task), LONG)
                .await
                .expect("what was acknowledged is there");
            let stats = dispatcher.stats();
            assert!(
                detail.task.state.is_over(),
                "it was lost: {stats:?} {detail:?}"
            );
            ended.extend(detail.executions);
        }
        // Events that were stored without an acknowledgement must run as well.
        let active = TaskFilter {
            active: true,
            ..TaskFilter::default()
        };
        loop {
            let open = inner.tasks(self.account, &active, Page::first(1)).await;
            let Some(open) = open.unwrap().pop() else {
                break;
            };
            let detail = dispatcher
                .tasks()
                .wait(self.account, Key::Id(open.id), LONG)
                .await;
            assert!(
                detail.unwrap().task.state.is_over(),
                "it never ends: {open:?}"
            );
        }
        dispatcher.drain(LONG).await;
        // Now nothing is under way any more.
        for execution in ended {
            let ends = self.ends.lock().remove(&execution.id).unwrap_or(0);
            let is_right = match execution.state {
                // When cancelled, the store ends what no node runs.
                State::Canceled => ends <= 1,
                state => state.is_over() && ends == 1,
            };
            assert!(is_right, "its end was stored {ends} times: {execution:?}");
        }
    }

    /// Lets time pass for as long as nothing else ends.
    async fn time_passes(&self) {
        loop {
            self.clock.pass(Duration::from_millis(500));
            // Others have their turn: tasks of this runtime, sandboxes, the database.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[test]
fn whichever_call_of_the_store_fails_nothing_is_lost_and_nothing_finishes_twice() {
    let seeds = number("TENTERHOOK_FAULT_SEEDS", SEEDS);
    let first = number("TENTERHOOK_FAULT_FIRST", 0);
    let next = AtomicU64::new(first);
    let end = first + seeds;
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let from = next.fetch_add(SEEDS_PER_FILE, Ordering::Relaxed);
                    if from >= end {
                        return;
                    }
                    try_seeds(from..end.min(from + SEEDS_PER_FILE));
                }
            });
        }
    });
}

#[expect(
    clippy::disallowed_methods,
    reason = "which seeds are tried is said by whoever runs the test"
)]
fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |number| number.parse().expect("a number"))
}

/// Tries seeds on one file, in a runtime that goes with what killed servers left.
fn try_seeds(seeds: std::ops::Range<u64>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let world = Arc::new(World::new().await);
        let mut store = world.open().await;
        for seed in seeds {
            let trying = Trying(seed);
            store = world.try_seed(seed, store).await;
            std::mem::forget(trying);
        }
    });
}

/// Says which seed it was when a test panics.
struct Trying(u64);

impl Drop for Trying {
    fn drop(&mut self) {
        let seed = self.0;
        eprintln!("seed {seed}: TENTERHOOK_FAULT_FIRST={seed} TENTERHOOK_FAULT_SEEDS=1");
    }
}

/// A folder in memory where there is one: ten thousand servers write a lot.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}
