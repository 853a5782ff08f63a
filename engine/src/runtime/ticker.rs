//! The thread that advances the epoch, at which busy guests yield.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::lockdown::GuestLockdown;

/// Time between two ticks. A busy guest yields its thread this often; with 1 ms a timer
/// beside spinning guests was late by at most 3 ms.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// Advances an engine's epoch until it is dropped.
pub(crate) struct Ticker {
    stop: Arc<AtomicBool>,
    ticks: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts ticking, on a thread that is locked down like those of guests.
    pub(crate) fn start(
        engine: &wasmtime::Engine,
        lockdown: Arc<GuestLockdown>,
    ) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let ticks = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&ticks);
        let engine = engine.weak();
        let thread = thread::Builder::new().name("epoch".into()).spawn(move || {
            lockdown.apply();
            while !stopped.load(Ordering::Relaxed) {
                thread::sleep(TICK);
                let Some(engine) = engine.upgrade() else {
                    return;
                };
                engine.increment_epoch();
                counted.fetch_add(1, Ordering::Relaxed);
            }
        })?;
        Ok(Self {
            stop,
            ticks,
            thread: Some(thread),
        })
    }

    /// Returns the counter of ticks.
    pub(crate) fn ticks(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.ticks)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A ticker that panicked has nothing left to stop.
            let _ = thread.join();
        }
    }
}
