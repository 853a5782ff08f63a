//! The threads that make programs ready: they use the code cache and start the
//! compiler's process, which the guests' threads may not.

use std::future::Future;
use std::io;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::digest::Digest;
use crate::error::Error;

/// A tokio runtime that starts when it is needed first. Its threads are held as
/// the thread is that needs it then.
#[derive(Default)]
pub(crate) struct LoadingThreads {
    runtime: OnceLock<io::Result<Runtime>>,
}

impl LoadingThreads {
    /// Starts the threads now, unless they have been.
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

    /// Runs what waits for files or processes. A panic is the program's alone.
    pub(crate) async fn run<T, F>(&self, digest: Digest, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let done = self.start()?.spawn(work).await;
        done.unwrap_or(Err(Error::Panicked { digest }))
    }

    /// Does work that keeps a thread busy.
    pub(crate) async fn block<T, F>(&self, digest: Digest, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        // From one of these threads, so that a new one is held as they are and not
        // as the caller is.
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
