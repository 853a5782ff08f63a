//! Measures what it costs to find some of many sources: through the index by id,
//! name and time, beside a search through all of them.
//!
//! Not a test: it prints medians and asserts nothing about time. The folder for
//! the database may be named first.

#![expect(clippy::print_stdout, reason = "a measurement is read by a person")]

use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tenterhook_dispatch::{
    AccountId, Dispatcher, Lookup, NewSource, PrincipalId, Settings, Source, Visibility,
};
use tenterhook_engine::Engine;
use tenterhook_store::Sqlite;

/// How many sources there are at each measurement.
const SIZES: [usize; 3] = [100, 1_000, 10_000];
/// Sources made at one time, so that they share commits.
const MAKERS: usize = 8;
/// Times that each look-up is done.
const TIMES: usize = 501;
/// Sources that a range holds.
const RANGE: usize = 10;

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

    println!(
        "{:>8}  {:<28}{:>6}  {:>10}",
        "sources", "look-up", "found", "median"
    );
    let mut made = 0;
    for size in SIZES {
        fill(&dispatcher, account, made..size).await;
        made = size;
        let mut sources = dispatcher
            .sources()
            .find(account, &Lookup::All, None, |source| !source.preloaded)
            .await
            .expect("they are in memory");
        let wanted = sources.swap_remove(size / 2);
        let name = wanted.name.clone();
        let created = sources[size / 2 - 1 - RANGE].created_at;
        let name_to = name_of(size / 2 + RANGE);
        for (what, lookup) in [
            ("one id", Lookup::Ids(vec![wanted.id.as_uuid()])),
            ("one name", Lookup::Names(vec![name.clone()])),
            (
                "a range of names",
                Lookup::NameRange(Bound::Included(name_of(size / 2)), Bound::Excluded(name_to)),
            ),
            (
                "a range of times",
                Lookup::CreatedRange(Bound::Excluded(created), Bound::Excluded(wanted.created_at)),
            ),
        ] {
            measure(&dispatcher, account, size, what, &lookup, |_| true).await;
        }
        measure(
            &dispatcher,
            account,
            size,
            "one name, searched for",
            &Lookup::All,
            |source| source.name == name,
        )
        .await;
    }
}

fn name_of(place: usize) -> String {
    format!("source-{place:05}")
}

async fn fill(dispatcher: &Dispatcher, account: AccountId, places: std::ops::Range<usize>) {
    let places: Vec<_> = places.collect();
    for some in places.chunks(MAKERS) {
        let makers: Vec<_> = some
            .iter()
            .map(|place| {
                let new = NewSource {
                    name: name_of(*place),
                    bytes: format!("echo {place}\n").into(),
                    kind: None,
                    description: String::new(),
                    visibility: Visibility::Readable,
                    labels: Vec::new(),
                    created_by: PrincipalId::SYSTEM,
                };
                let dispatcher = dispatcher.clone();
                tokio::spawn(
                    async move { dispatcher.sources().create(account, new, Vec::new()).await },
                )
            })
            .collect();
        for maker in makers {
            let made = maker.await.expect("a maker does not panic");
            made.expect("the source is new");
        }
    }
}

async fn measure(
    dispatcher: &Dispatcher,
    account: AccountId,
    size: usize,
    what: &str,
    lookup: &Lookup,
    keep: impl Fn(&Source) -> bool + Send + Copy,
) {
    let mut took = Vec::with_capacity(TIMES);
    let mut found = 0;
    for _ in 0..TIMES {
        let begin = Instant::now();
        let sources = dispatcher.sources().find(account, lookup, None, keep).await;
        took.push(begin.elapsed());
        found = sources.expect("they are in memory").len();
    }
    took.sort_unstable();
    let median: Duration = took[TIMES / 2];
    println!(
        "{size:>8}  {what:<28}{found:>6}  {:>7.1} µs",
        median.as_secs_f64() * 1e6
    );
}
