//! Compiling is hostile work: a small module can keep a compiler busy for minutes.
//!
//! So it happens in a process of its own that the kernel holds to limits, one at
//! a time. Without such a process (tests, `run` and `check` on one's own files)
//! it happens in this one, unbounded.

mod child;
mod limits;
mod worker;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use tenterhook_admission::{Kind, Refusal, one_line};
use tokio::sync::Semaphore;

pub use self::limits::CompileLimits;
pub use self::worker::compile_worker;
use crate::digest::Digest;
use crate::error::Error;
use crate::runtime::{GuestThreads, Runtime};

/// Turns checked bytes into compiled code.
pub(crate) struct Compiler {
    /// The program and arguments that start a compiler process.
    process: Option<Vec<PathBuf>>,
    limits: CompileLimits,
    /// One at a time: a compilation uses all cores by itself.
    turn: Semaphore,
    count: AtomicU64,
    micros: AtomicU64,
}

impl Compiler {
    /// A compiler that runs, within `limits`, in the process which these words start.
    pub(crate) fn new(process: Option<Vec<PathBuf>>, limits: CompileLimits) -> Self {
        Self {
            process: process.filter(|words| !words.is_empty()),
            limits,
            turn: Semaphore::new(1),
            count: AtomicU64::new(0),
            micros: AtomicU64::new(0),
        }
    }

    /// How many compilations there were, and how many microseconds they took.
    pub(crate) fn bill(&self) -> (u64, u64) {
        (
            self.count.load(Ordering::Relaxed),
            self.micros.load(Ordering::Relaxed),
        )
    }

    /// Compiles one module or component.
    pub(crate) async fn compile(
        &self,
        runtime: &Runtime,
        threads: &GuestThreads,
        kind: Kind,
        bytes: Bytes,
    ) -> Result<Vec<u8>, Error> {
        let _turn = self.turn.acquire().await;
        let started_at = Instant::now();
        let digest = Digest::of(&bytes);
        let compiled = match &self.process {
            Some(words) => {
                threads
                    .spawn(child::compile(words.clone(), self.limits, kind, bytes))
                    .await
            }
            None => {
                let wasm = runtime.wasm.clone();
                threads
                    .handle()
                    .spawn_blocking(move || Ok(worker::precompile(&wasm, kind, &bytes)))
                    .await
            }
        };
        let micros = u64::try_from(started_at.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        let code = compiled.unwrap_or(Err(Error::Panicked { digest }))?;
        code.map_err(|reason| {
            let reason = one_line(&reason);
            Refusal::Compile { kind, reason }.into()
        })
    }
}
