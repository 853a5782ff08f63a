//! The well-behaved hook: how long it takes, alone and beside an attack.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tenterhook_engine::{Engine, Invocation, Program};

/// The hook.
pub(crate) const SCRIPT: &[u8] = b"echo hi\n";

/// Runs at least, so that there is a 99th percentile.
const RUNS: usize = 100;

/// How long it is run at least.
const WINDOW: Duration = Duration::from_millis(400);

/// How long a hook takes from the call to its report, in microseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Times {
    /// The median.
    pub(crate) median_us: u64,
    /// What 99 of 100 runs stay below.
    pub(crate) slow_us: u64,
}

/// Runs the hook in a loop.
///
/// # Errors
///
/// When one of its runs does not succeed.
pub(crate) fn times(engine: &Engine, hook: &Program) -> anyhow::Result<Times> {
    let began_at = Instant::now();
    let mut times = Vec::with_capacity(RUNS);
    while times.len() < RUNS || began_at.elapsed() < WINDOW {
        let started_at = Instant::now();
        let invocation = Invocation {
            name: "hook".into(),
            ..Invocation::default()
        };
        let run = engine.spawn(hook, invocation);
        let report = engine.threads().block_on(run)??;
        times.push(started_at.elapsed());
        anyhow::ensure!(
            report.outcome.is_success() && report.stdout == b"hi\n",
            "the well-behaved hook {}",
            report.outcome
        );
    }
    times.sort_unstable();
    let at = |index: usize| u64::try_from(times[index].as_micros());
    Ok(Times {
        median_us: at(times.len() / 2)?,
        slow_us: at(times.len() * 99 / 100)?,
    })
}
