//! The one deadline that interrupts everything a guest can do.
//!
//! Guest code is interrupted at the next tick of the epoch; a host call that waits is
//! dropped together with the run's future.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use wasmtime::{Store, UpdateDeadline};

use super::guest::Guest;
use crate::invocation::Pace;

/// When a run has to end, and the token that cancels it earlier.
#[derive(Clone)]
pub(crate) struct Deadline {
    at: Instant,
    cancel: CancellationToken,
    /// The wall-clock limit.
    wall: Duration,
    /// Cancelled once a skipped sleep has gone beyond it.
    overslept: CancellationToken,
}

/// The least time that a run is given which skips its sleep: it repeats another one, whose
/// host may have been faster.
const SKIPPING_WALL: Duration = Duration::from_secs(60);

/// Why a run was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Its time is up.
    Wall,
    /// It was cancelled.
    Cancelled,
}

impl Deadline {
    /// Starts a deadline that is `wall` from now; later if sleep is skipped, which is bounded
    /// by [`end_beyond`](Self::end_beyond) then.
    pub(crate) fn start(wall: Duration, pace: Pace, cancel: CancellationToken) -> Self {
        let now = Instant::now();
        let real = match pace {
            Pace::Real => wall,
            Pace::Skip => wall.max(SKIPPING_WALL),
        };
        Self {
            // A time that the clock cannot represent becomes the longest that limits allow.
            at: now
                .checked_add(real)
                .unwrap_or(now + crate::Limits::ceiling().wall),
            cancel,
            wall,
            overslept: CancellationToken::new(),
        }
    }

    /// Ends the run if its guest has slept longer than it may run, by its own clock.
    pub(crate) async fn end_beyond(&self, slept: Duration) {
        if slept > self.wall {
            self.overslept.cancel();
            std::future::pending::<()>().await;
        }
    }

    /// Returns why the run has to end now, if it has to.
    pub(crate) fn due(&self) -> Option<Cut> {
        if self.cancel.is_cancelled() {
            Some(Cut::Cancelled)
        } else if self.overslept.is_cancelled() || Instant::now() >= self.at {
            Some(Cut::Wall)
        } else {
            None
        }
    }

    /// Makes busy guest code stop at the deadline, and yield at every tick before.
    pub(crate) fn arm(&self, store: &mut Store<Guest>) {
        let deadline = self.clone();
        // The first tick may come at any moment. A short run that yielded at it would be
        // queued behind all busy ones for nothing, so each gets one whole tick.
        store.set_epoch_deadline(2);
        store.epoch_deadline_callback(move |store| {
            store.data().meter.take_tick();
            Ok(match deadline.due() {
                Some(_) => UpdateDeadline::Interrupt,
                None => {
                    store.data().yielded.store(true, Ordering::Relaxed);
                    UpdateDeadline::Yield(1)
                }
            })
        });
    }

    /// Waits for `run`, but not beyond the deadline.
    pub(crate) async fn enforce<T>(&self, run: impl Future<Output = T>) -> Result<T, Cut> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Cut::Cancelled),
            () = self.overslept.cancelled() => Err(Cut::Wall),
            result = run => Ok(result),
            () = tokio::time::sleep_until(self.at.into()) => Err(Cut::Wall),
        }
    }
}
