//! The threads that run guests, separate from those that serve requests.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::lockdown::GuestLockdown;

/// A tokio runtime for guests alone.
///
/// It checks timers after every poll (`event_interval` 1): with the default of 61 a timer
/// beside busy guests was late by 300 ms.
pub(crate) struct GuestThreads {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl GuestThreads {
    /// Starts `threads` threads. Each of them, and each thread for blocking work, is locked
    /// down before it does anything else.
    pub(crate) fn start(threads: usize, lockdown: Arc<GuestLockdown>) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("guest")
            .event_interval(1)
            .on_thread_start(move || lockdown.apply())
            // No I/O driver: any thread that has one may handle a signal.
            .enable_time()
            .build()
            .map_err(|source| Error::Threads { source })?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    /// Runs `future` on these threads.
    pub(crate) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Returns the handle, for timers and blocking work.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for GuestThreads {
    fn drop(&mut self) {
        // Dropping a runtime waits for its threads, which is not allowed on a
        // thread of another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
