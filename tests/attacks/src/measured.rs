//! What one attack did to its host: measured in a process that does nothing else,
//! and handed over as JSON.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tenterhook_engine::{CodeCache, Engine, Kind, Limit, Outcome, Settings};
use tokio_util::sync::CancellationToken;

use crate::attack::Attack;
use crate::compilers;
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
    /// The most memory that a process held which compiled it.
    pub(crate) compiler_bytes: u64,
    /// How long after its deadline it ended, if that is what ended it.
    pub(crate) late_us: Option<u64>,
    /// How long after a cancellation it ended, if it takes long enough for one.
    pub(crate) cancelled_us: Option<u64>,
    /// Descriptors that were open afterwards and not before.
    pub(crate) descriptors_left: u64,
    /// The well-behaved hook on the idle engine.
    pub(crate) idle: Times,
    /// The well-behaved hook while as many attacks run as the engine has threads.
    pub(crate) beside: Times,
}

/// A run that is this short ends before it can be cancelled.
const CANCELLABLE: Duration = Duration::from_millis(30);

/// How long a run is in progress before it is cancelled.
const CANCEL_AFTER: Duration = Duration::from_millis(10);

/// Runs `attack` by `program`, first alone, then in a loop on every thread with
/// the well-behaved hook beside it. Compiled code is kept in `cache`.
pub(crate) fn measure(attack: &Attack, program: &[u8], cache: &Path) -> anyhow::Result<Measured> {
    let engine = Engine::start(Settings {
        cache: Some(CodeCache {
            folder: cache.join("code"),
            key: cache.join("code.key"),
            bytes: 1 << 30,
        }),
        compiler: Some(crate::compiler()),
        compile_limits: attack.compile,
        ..Settings::default()
    })?;
    let load = |kind, bytes| engine.threads().block_on(engine.load(kind, bytes));
    let hook = load(Kind::Script, honest::SCRIPT)?;
    let (target, accepting) = compilers::watch(|| Target::of(&engine, attack, program));
    let target = target?;
    // The first runs touch what all later ones share.
    honest::times(&engine, &hook)?;
    let idle = honest::times(&engine, &hook)?;

    let descriptors = settled(host::descriptors)?;
    let memory = host::memory_bytes()?;
    host::forget_peak()?;
    let ((answer, wall), refusing) = compilers::watch(|| {
        let started_at = Instant::now();
        let threads = engine.threads();
        let answer = threads.block_on(target.strike(&engine, attack.invocation()));
        (answer, started_at.elapsed())
    });
    let grown = host::memory_peak_bytes()?.saturating_sub(memory);
    let ending = Ending::of(attack.expected, &answer);
    let at_its_deadline = matches!(
        &answer,
        Ok(report) if report.outcome == Outcome::Stopped { limit: Limit::Wall }
    );
    let late = at_its_deadline.then(|| wall.saturating_sub(attack.limits.wall));
    let cancelled = match wall >= CANCELLABLE {
        true => cancel(&engine, attack, &target)?,
        false => None,
    };

    let (beside, all_as_expected) =
        in_a_loop(&engine, attack, &target, || honest::times(&engine, &hook));
    let left = until_tidy(|| Ok(host::descriptors()?.saturating_sub(descriptors)))?;
    Ok(Measured {
        stopped_by: ending.stopped_by,
        as_expected: ending.as_expected && all_as_expected,
        wall_us: u64::try_from(wall.as_micros())?,
        growth_bytes: grown,
        compiler_bytes: accepting.max(refusing),
        late_us: late.map(micros),
        cancelled_us: cancelled.map(micros),
        descriptors_left: left,
        idle,
        beside: beside?,
    })
}

/// Cancels a run of it; answers how long it went on after that.
fn cancel(engine: &Engine, attack: &Attack, target: &Target) -> anyhow::Result<Option<Duration>> {
    let Target::Accepted(program) = target else {
        return Ok(None);
    };
    let mut invocation = attack.invocation();
    let cancel = CancellationToken::new();
    invocation.cancel = cancel.clone();
    let run = engine.spawn(program, invocation);
    thread::sleep(CANCEL_AFTER);
    let cancelled_at = Instant::now();
    cancel.cancel();
    let report = engine.threads().block_on(run)??;
    let took = cancelled_at.elapsed();
    Ok((report.outcome == Outcome::Cancelled).then_some(took))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
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
