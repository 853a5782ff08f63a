//! The threads that load programs: they use the code cache and start the compiler process,
//! which the guests' threads may not.

use std::future::Future;
use std::io;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::digest::Digest;
use crate::error::Error;

/// A tokio runtime that starts when it is first needed. Its threads inherit the
/// restrictions of the thread that starts it.
#[derive(Default)]
pub(crate) struct LoadingThreads {
    runtime: OnceLock<io::Result<Runtime>>,
}

impl LoadingThreads {
    /// Starts the threads, unless they were started already.
    pub(crate) fn start(&self) -> Result<&Handle, Error> {
        let started = self.runtime.get_or_init(|| {
            Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("loader")
                .enable_all()
                .build()
        });
        match started {
            Ok(runtime) => Ok(runtime.handle()),
            Err(error) => Err(Error::Threads {
                source: io::Error::new(error.kind(), error.to_string()),
            }),
        }
    }

    /// Runs a future that waits for files or processes. A panic affects only this program.
    pub(crate) async fn run<T, F>(&self, digest: Digest, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let done = self.start()?.spawn(work).await;
        done.unwrap_or(Err(Error::Panicked { digest }))
    }

    /// Runs blocking work.
    pub(crate) async fn block<T, F>(&self, digest: Digest, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        // From one of these threads, so that a new thread inherits their restrictions and
        // not the caller's.
        let done = async { tokio::task::spawn_blocking(work).await };
        let done = async move { done.await.unwrap_or(Err(Error::Panicked { digest })) };
        self.run(digest, done).await
    }
}

impl Drop for LoadingThreads {
    fn drop(&mut self) {
        // As for the guests' threads: not on a thread of another runtime.
        if let Some(Ok(runtime)) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
