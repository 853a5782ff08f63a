//! Compiling is hostile work: a small module can keep a compiler busy for minutes.
//!
//! So it happens in a process of its own that the kernel holds to limits, one at
//! a time. Without such a process (tests, `run` and `check` on one's own files)
//! it happens in this one, unbounded.

mod child;
mod worker;

use std::path::PathBuf;

use bytes::Bytes;
use tokio::sync::Semaphore;

pub use self::worker::compile_worker;
use crate::digest::Digest;
use crate::error::Error;
use crate::kind::Kind;
use crate::refusal::Refusal;
use crate::runtime::{GuestThreads, Runtime};

/// Turns checked bytes into compiled code.
pub(crate) struct Compiler {
    /// The program and arguments that start a compiler process.
    process: Option<Vec<PathBuf>>,
    /// One at a time: a compilation uses all cores by itself.
    turn: Semaphore,
}

impl Compiler {
    /// A compiler that runs in the process which these words start.
    pub(crate) fn new(process: Option<Vec<PathBuf>>) -> Self {
        Self {
            process: process.filter(|words| !words.is_empty()),
            turn: Semaphore::new(1),
        }
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
        let digest = Digest::of(&bytes);
        let compiled = match &self.process {
            Some(words) => {
                threads
                    .spawn(child::compile(words.clone(), kind, bytes))
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
        let code = compiled.unwrap_or(Err(Error::Panicked { digest }))?;
        code.map_err(|reason| Refusal::Compile { kind, reason }.into())
    }
}
