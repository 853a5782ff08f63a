//! The clocks that a guest reads: the host's, or frozen ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder};

use crate::invocation::Clock;

/// One guest's clocks. All versions of WASI read the same ones.
#[derive(Clone, Debug)]
pub(crate) enum Clocks {
    /// The host's. The monotonic clock counts from the start of the run.
    Real { started_at: Instant },
    /// Time that passes only when the guest sleeps.
    ///
    /// It starts at the configured time. A sleep advances it at once, so a run with a
    /// frozen clock never waits and always sees the same times.
    Frozen {
        started_at: SystemTime,
        slept_ns: Arc<AtomicU64>,
    },
}

impl Clocks {
    /// Creates the clocks that an invocation asks for.
    pub(crate) fn new(clock: Clock) -> Self {
        match clock {
            Clock::Real => Self::Real {
                started_at: Instant::now(),
            },
            Clock::Frozen(started_at) => Self::Frozen {
                started_at,
                slept_ns: Arc::default(),
            },
        }
    }

    /// Gives them to a component.
    pub(crate) fn install(&self, wasi: &mut WasiCtxBuilder) {
        wasi.wall_clock(self.clone()).monotonic_clock(self.clone());
    }

    /// Returns the time since 1970.
    pub(crate) fn wall(&self) -> Duration {
        let now = match self {
            Self::Real { .. } => SystemTime::now(),
            Self::Frozen { started_at, .. } => *started_at,
        };
        now.duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .saturating_add(self.slept())
    }

    /// Returns the nanoseconds since some moment before the run.
    pub(crate) fn monotonic_ns(&self) -> u64 {
        match self {
            Self::Real { started_at } => nanos(started_at.elapsed()),
            Self::Frozen { .. } => nanos(self.slept()),
        }
    }

    /// Advances a frozen clock, as if that time had passed. Returns whether the clock is
    /// frozen; otherwise the caller has to wait.
    pub(crate) fn slept_through(&self, time: Duration) -> bool {
        match self {
            Self::Real { .. } => false,
            Self::Frozen { slept_ns, .. } => {
                let slept = slept_ns.load(Ordering::Relaxed).saturating_add(nanos(time));
                slept_ns.store(slept, Ordering::Relaxed);
                true
            }
        }
    }

    /// Sleeps for `time`: a frozen clock advances at once, otherwise this waits. It is the
    /// only place where a module's sleep takes time.
    pub(crate) async fn sleep(&self, time: Duration) {
        if !self.slept_through(time) {
            tokio::time::sleep(time).await;
        }
    }

    /// Returns whether time passes only when the guest sleeps.
    pub(crate) fn are_frozen(&self) -> bool {
        matches!(self, Self::Frozen { .. })
    }

    fn slept(&self) -> Duration {
        match self {
            Self::Real { .. } => Duration::ZERO,
            Self::Frozen { slept_ns, .. } => Duration::from_nanos(slept_ns.load(Ordering::Relaxed)),
        }
    }
}

impl HostWallClock for Clocks {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        self.wall()
    }
}

impl HostMonotonicClock for Clocks {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.monotonic_ns()
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
