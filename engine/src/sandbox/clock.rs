//! The clocks that a guest reads. They do not depend on the host's.
//!
//! A run's clock starts where it is told to, moves with the fuel that the guest burns, and by
//! exactly what the guest asks to sleep. So a guest sees the same times in every repetition,
//! and nothing of what else its host does.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder};

use super::deadline::Deadline;
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
    deadline: Deadline,
}

impl Clocks {
    /// Starts clocks that move with the fuel of `meter`.
    pub(crate) fn new(
        start: SystemTime,
        pace: Pace,
        meter: &Arc<Meter>,
        deadline: &Deadline,
    ) -> Self {
        let start = start.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            start_ns: nanos(start),
            deadline: deadline.clone(),
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
        match self.pace {
            Pace::Real => pending_once(tokio::time::sleep(time)).await,
            Pace::Skip => pending_once(std::future::ready(())).await,
        }
        let slept = self.slept_ns.load(Ordering::Relaxed);
        let slept = slept.saturating_add(nanos(time));
        self.slept_ns.store(slept, Ordering::Relaxed);
        if self.pace == Pace::Skip {
            self.deadline.end_beyond(Duration::from_nanos(slept)).await;
        }
    }
}

/// Waits for a future, and is pending once even if it is ready at once: what a call costs at
/// the end of a slice depends on whether it was ever pending, and a timer may have expired
/// when it is first polled.
async fn pending_once(future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    let mut is_first = true;
    let mut is_over = false;
    poll_fn(|context| {
        is_over = is_over || future.as_mut().poll(context).is_ready();
        match (std::mem::take(&mut is_first), is_over) {
            (true, true) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            (false, true) => Poll::Ready(()),
            (_, false) => Poll::Pending,
        }
    })
    .await;
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
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
    use tokio_util::sync::CancellationToken;

    use super::*;

    /// One that no sleep reaches.
    fn deadline(pace: Pace) -> Deadline {
        Deadline::start(Duration::MAX, pace, CancellationToken::new())
    }

    #[tokio::test]
    async fn a_sleep_moves_the_clock_by_what_was_asked_for() {
        for pace in [Pace::Real, Pace::Skip] {
            let start = UNIX_EPOCH + Duration::from_nanos(5);
            let clocks = Clocks::new(start, pace, &Arc::default(), &deadline(pace));
            clocks.sleep(Duration::from_nanos(1_000)).await;
            assert_eq!((clocks.wall_ns(), clocks.monotonic_ns()), (1_005, 1_000));
        }
    }

    #[tokio::test]
    async fn a_clock_ends_at_the_largest_time() {
        let deadline = deadline(Pace::Skip);
        let clocks = Clocks::new(UNIX_EPOCH, Pace::Skip, &Arc::default(), &deadline);
        clocks.sleep(Duration::MAX).await;
        assert_eq!(
            (clocks.wall_ns(), clocks.monotonic_ns()),
            (u64::MAX, u64::MAX)
        );
    }
}
