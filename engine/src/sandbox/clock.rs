//! The clocks that a guest reads. They do not depend on the host's.
//!
//! A run's clock starts where it is told to, moves with the fuel that the guest burns, and by
//! exactly what the guest asks to sleep. So a guest sees the same times in every repetition,
//! and nothing of what else its host does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder};

use super::meter::{FUEL_PER_NS, Meter};
use crate::invocation::Pace;

/// One guest's clocks. All versions of WASI read the same ones.
#[derive(Clone)]
pub(crate) struct Clocks {
    /// In nanoseconds since 1970.
    start_ns: u64,
    slept_ns: Arc<AtomicU64>,
    meter: Arc<Meter>,
    pace: Pace,
}

impl Clocks {
    /// Starts clocks that move with the fuel of `meter`.
    pub(crate) fn new(start: SystemTime, pace: Pace, meter: &Arc<Meter>) -> Self {
        let start = start.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            start_ns: u64::try_from(start.as_nanos()).unwrap_or(u64::MAX),
            slept_ns: Arc::default(),
            meter: Arc::clone(meter),
            pace,
        }
    }

    /// Gives them to a component.
    pub(crate) fn install(&self, wasi: &mut WasiCtxBuilder) {
        wasi.wall_clock(self.clone()).monotonic_clock(self.clone());
    }

    /// Returns the nanoseconds since 1970.
    pub(crate) fn wall_ns(&self) -> u64 {
        self.start_ns.saturating_add(self.monotonic_ns())
    }

    /// Returns the nanoseconds since the run began.
    pub(crate) fn monotonic_ns(&self) -> u64 {
        let slept = self.slept_ns.load(Ordering::Relaxed);
        slept.saturating_add(self.meter.burnt() / FUEL_PER_NS)
    }

    /// Sleeps: the only place where a guest waits for time to pass.
    pub(crate) async fn sleep(&self, time: Duration) {
        // What a call costs at the end of a slice depends on whether it was ever pending, so
        // it always is: a timer may have expired when it is first polled.
        tokio::task::yield_now().await;
        if self.pace == Pace::Real {
            tokio::time::sleep(time).await;
        }
        let slept = self.slept_ns.load(Ordering::Relaxed);
        let slept = slept.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        self.slept_ns.store(slept, Ordering::Relaxed);
    }
}

impl HostWallClock for Clocks {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.wall_ns())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleep_moves_the_clock_by_what_was_asked_for() {
        for pace in [Pace::Real, Pace::Skip] {
            let start = UNIX_EPOCH + Duration::from_nanos(5);
            let clocks = Clocks::new(start, pace, &Arc::default());
            clocks.sleep(Duration::from_nanos(1_000)).await;
            assert_eq!((clocks.wall_ns(), clocks.monotonic_ns()), (1_005, 1_000));
        }
    }

    #[tokio::test]
    async fn a_clock_ends_at_the_largest_time() {
        let clocks = Clocks::new(UNIX_EPOCH, Pace::Skip, &Arc::default());
        clocks.sleep(Duration::MAX).await;
        assert_eq!(
            (clocks.wall_ns(), clocks.monotonic_ns()),
            (u64::MAX, u64::MAX)
        );
    }
}
