//! The clocks that a guest reads: the host's, or ones that stand still.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder};

use crate::invocation::Clock;

/// Time that passes only when the guest sleeps.
///
/// It starts at the time that was asked for. A sleep moves it on at once, so a
/// run with a frozen clock never waits and always sees the same times.
#[derive(Clone, Debug)]
pub(crate) struct FrozenClock {
    started_at: SystemTime,
    slept_ns: Arc<AtomicU64>,
}

impl FrozenClock {
    /// Moves the clock on, as if that time had passed.
    pub(crate) fn sleep(&self, time: Duration) {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let slept = self.slept_ns.load(Ordering::Relaxed).saturating_add(ns);
        self.slept_ns.store(slept, Ordering::Relaxed);
    }

    fn slept(&self) -> Duration {
        Duration::from_nanos(self.slept_ns.load(Ordering::Relaxed))
    }
}

impl HostWallClock for FrozenClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        let start = self.started_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        start.saturating_add(self.slept())
    }
}

impl HostMonotonicClock for FrozenClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.slept_ns.load(Ordering::Relaxed)
    }
}

/// Gives a guest the clocks that its invocation asks for.
///
/// Returns the frozen clock, for the calls that sleep; `None` for the real ones.
pub(crate) fn install(clock: Clock, wasi: &mut WasiCtxBuilder) -> Option<FrozenClock> {
    let Clock::Frozen(started_at) = clock else {
        return None;
    };
    let frozen = FrozenClock {
        started_at,
        slept_ns: Arc::default(),
    };
    wasi.wall_clock(frozen.clone()).monotonic_clock(frozen.clone());
    Some(frozen)
}
