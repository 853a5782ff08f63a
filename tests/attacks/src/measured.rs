//! What one attack did to its host: measured in a process that does nothing else,
//! and handed over as JSON.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tenterhook_engine::{Engine, Kind, Outcome, Settings};
use tokio_util::sync::CancellationToken;

use crate::attack::Attack;
use crate::ending::Ending;
use crate::honest::{self, Times};
use crate::host;
use crate::target::Target;

/// How long the engine may take to tidy up behind the last run.
const TIDY: Duration = Duration::from_secs(3);

/// What one attack did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// What stopped it.
    pub(crate) stopped_by: String,
    /// Whether its row expects that, of all its runs.
    pub(crate) as_expected: bool,
    /// From the call to the report or the refusal.
    pub(crate) wall_us: u64,
    /// How far the host's memory grew at its peak while one run was in progress.
    pub(crate) growth_bytes: u64,
    /// Descriptors that were open afterwards and not before.
    pub(crate) descriptors_left: u64,
    /// Files of scratch folders that were there afterwards.
    pub(crate) files_left: u64,
    /// The well-behaved hook on the idle engine.
    pub(crate) idle: Times,
    /// The well-behaved hook while as many attacks run as the engine has threads.
    pub(crate) beside: Times,
}

/// Runs `attack` by `program`, first alone, then in a loop on every thread with
/// the well-behaved hook beside it. Compiled code is kept in `cache`.
pub(crate) fn measure(attack: &Attack, program: &[u8], cache: &Path) -> anyhow::Result<Measured> {
    let scratch = tempfile::tempdir()?;
    let engine = Engine::start(Settings {
        cache: Some(cache.to_owned()),
        scratch: scratch.path().to_owned(),
        compiler: Some(crate::compiler()),
        ..Settings::default()
    })?;
    let load = |kind, bytes| engine.threads().block_on(engine.load(kind, bytes));
    let hook = load(Kind::Script, honest::SCRIPT)?;
    let target = Target::of(&engine, attack, program)?;
    // The first runs touch what all later ones share.
    honest::times(&engine, &hook)?;
    let idle = honest::times(&engine, &hook)?;

    let descriptors = settled(host::descriptors)?;
    let memory = host::memory_bytes()?;
    host::forget_peak()?;
    let started_at = Instant::now();
    let answer = engine
        .threads()
        .block_on(target.strike(&engine, attack.invocation()));
    let wall = started_at.elapsed();
    let mut grown = host::memory_peak_bytes()?.saturating_sub(memory);
    if let (Ok(report), true) = (&answer, target.has_files_in_memory(&engine)) {
        // The kernel counts a memory file system apart from the process.
        grown += report.usage.files_bytes;
    }
    let ending = Ending::of(attack.expected, &answer);

    let (beside, all_as_expected) =
        in_a_loop(&engine, attack, &target, || honest::times(&engine, &hook));
    let left = until_tidy(|| Ok(host::descriptors()?.saturating_sub(descriptors)))?;
    Ok(Measured {
        stopped_by: ending.stopped_by,
        as_expected: ending.as_expected && all_as_expected,
        wall_us: u64::try_from(wall.as_micros())?,
        growth_bytes: grown,
        descriptors_left: left,
        files_left: until_tidy(|| host::entries(scratch.path()))?,
        idle,
        beside: beside?,
    })
}

/// Does something while as many attacks run in a loop as the engine has threads,
/// and cancels those that are in progress at its end. Also answers whether all
/// others ended as expected; a panic of the host is none of that.
fn in_a_loop<T>(
    engine: &Engine,
    attack: &Attack,
    target: &Target,
    meanwhile: impl FnOnce() -> T,
) -> (T, bool) {
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let over = Arc::new(AtomicBool::new(false));
    let cancel = CancellationToken::new();
    let expected = attack.expected;
    let attackers: Vec<_> = (0..threads)
        .map(|_| {
            let (over, target, engine) = (Arc::clone(&over), target.clone(), engine.clone());
            let mut invocation = attack.invocation();
            invocation.cancel = cancel.clone();
            thread::spawn(move || {
                let mut good = true;
                while !over.load(Ordering::Relaxed) {
                    good &= target
                        .strike_as_a_server(&engine, invocation.clone())
                        .is_ok_and(|answer| {
                            let cancelled = matches!(&answer, Ok(report) if report.outcome == Outcome::Cancelled);
                            cancelled || Ending::of(expected, &answer).as_expected
                        });
                }
                good
            })
        })
        .collect();
    let done = meanwhile();
    over.store(true, Ordering::Relaxed);
    cancel.cancel();
    let mut good = true;
    for attacker in attackers {
        good &= attacker.join().expect("an attacker does not panic");
    }
    (done, good)
}

/// A count, once it stays what it is.
fn settled(count: impl Fn() -> anyhow::Result<u64>) -> anyhow::Result<u64> {
    let mut last = count()?;
    loop {
        thread::sleep(Duration::from_millis(50));
        let now = count()?;
        if now == last {
            return Ok(now);
        }
        last = now;
    }
}

/// A count of what is left behind, once it is nothing or time is up: the engine
/// takes folders apart behind the scenes.
fn until_tidy(count: impl Fn() -> anyhow::Result<u64>) -> anyhow::Result<u64> {
    let until = Instant::now() + TIDY;
    loop {
        let left = count()?;
        if left == 0 || Instant::now() > until {
            return Ok(left);
        }
        thread::sleep(Duration::from_millis(10));
    }
}
