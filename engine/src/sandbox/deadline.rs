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

/// When a run has to end, and the token that cancels it earlier.
#[derive(Clone)]
pub(crate) struct Deadline {
    at: Instant,
    cancel: CancellationToken,
}

/// Why a run was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Its time is up.
    Wall,
    /// It was cancelled.
    Cancelled,
}

impl Deadline {
    /// Starts a deadline that is `wall` from now.
    pub(crate) fn start(wall: Duration, cancel: CancellationToken) -> Self {
        let now = Instant::now();
        Self {
            // A time that the clock cannot represent becomes the longest that limits allow.
            at: now
                .checked_add(wall)
                .unwrap_or(now + crate::Limits::ceiling().wall),
            cancel,
        }
    }

    /// Returns why the run has to end now, if it has to.
    pub(crate) fn due(&self) -> Option<Cut> {
        if self.cancel.is_cancelled() {
            Some(Cut::Cancelled)
        } else if Instant::now() >= self.at {
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
            result = run => Ok(result),
            () = tokio::time::sleep_until(self.at.into()) => Err(Cut::Wall),
        }
    }
}
