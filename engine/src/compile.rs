//! Compiling hostile input: a small module can keep a compiler busy for minutes.
//!
//! So it happens in a separate process with limits that the kernel enforces, a few at a
//! time and one per account. Without such a process (tests, `run` and `check` on one's
//! own files) it happens in this one, unbounded.

mod child;
mod limits;
mod progress;
mod queue;
mod worker;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use tenterhook_admission::{Kind, Refusal, one_line};
use tenterhook_ledger::{Capacity, Guard, Holder, Ledger, Resource};

pub use self::limits::CompileLimits;
use self::queue::CompileQueue;
pub use self::worker::compile_worker;
use crate::digest::Digest;
use crate::error::Error;
use crate::lockdown::Lockdown;
use crate::runtime::{GuestThreads, LoadingThreads, Runtime};

/// Concurrent compilations. One uses all cores by itself; a second one is for the account
/// whose small program would otherwise wait for another account's bomb.
const AT_ONE_TIME: u64 = 2;

/// Memory that a compilation is charged for: a base for any program, and so many bytes
/// for each of the program's. Some hostile ones take more before their time is up;
/// `docs/ATTACKS.md` has the figures.
const COMPILER_BYTES: u64 = 64 << 20;
const BYTES_PER_BYTE: u64 = 16;

/// Turns checked bytes into compiled code.
pub(crate) struct Compiler {
    /// The program and arguments that start a compiler process.
    process: Option<Vec<PathBuf>>,
    limits: CompileLimits,
    lockdown: Lockdown,
    queue: CompileQueue,
    ledger: Ledger,
    count: AtomicU64,
    micros: AtomicU64,
}

impl Compiler {
    /// Creates a compiler that runs, within `limits`, in the process that this command
    /// line starts.
    pub(crate) fn new(
        process: Option<Vec<PathBuf>>,
        limits: CompileLimits,
        lockdown: Lockdown,
        ledger: &Ledger,
    ) -> Self {
        let capacity = Capacity::of(AT_ONE_TIME).with_each(1);
        ledger.provide(Resource::Compilations, capacity);
        Self {
            process: process.filter(|words| !words.is_empty()),
            limits,
            lockdown,
            queue: CompileQueue::new(ledger.clone()),
            ledger: ledger.clone(),
            count: AtomicU64::new(0),
            micros: AtomicU64::new(0),
        }
    }

    /// Returns how many compilations there were, and how many microseconds they took.
    pub(crate) fn usage(&self) -> (u64, u64) {
        (
            self.count.load(Ordering::Relaxed),
            self.micros.load(Ordering::Relaxed),
        )
    }

    /// Compiles one module or component once it is the holder's turn.
    pub(crate) async fn compile(
        &self,
        holder: Holder,
        runtime: &Runtime,
        threads: &GuestThreads,
        loading: &LoadingThreads,
        kind: Kind,
        bytes: Bytes,
    ) -> Result<Vec<u8>, Error> {
        let mut turn = self.queue.take(holder).await;
        self.charge(turn.guard_mut(), bytes.len() as u64);
        let started_at = Instant::now();
        let digest = Digest::of(&bytes);
        let compiled = match &self.process {
            // Not on the guests' threads, which cannot start processes.
            Some(words) => {
                let child = child::compile(words.clone(), self.limits, self.lockdown, kind, bytes);
                loading.run(digest, child).await
            }
            None => {
                let wasm = runtime.wasm.clone();
                threads
                    .handle()
                    .spawn_blocking(move || worker::precompile(&wasm, kind, &bytes))
                    .await
                    .map_err(|_| Error::Panicked { digest })
            }
        };
        drop(turn);
        let micros = u64::try_from(started_at.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        compiled?.map_err(|reason| {
            let reason = one_line(&reason);
            Refusal::Compile { kind, reason }.into()
        })
    }

    /// Charges the memory of a compilation, as far as its holder has room for it: one that
    /// waited for more would block others, and may itself hold what it waits for. The
    /// rest, of two compilations at most, comes from the part of the host's memory that
    /// the ledger does not share out.
    fn charge(&self, turn: &mut Guard, size: u64) {
        let wanted = COMPILER_BYTES.saturating_add(size.saturating_mul(BYTES_PER_BYTE));
        let wanted = wanted.min(self.limits.memory);
        let room = self.ledger.room(turn.holder(), Resource::Memory);
        let _taken_meanwhile = turn.grow(Resource::Memory, wanted.min(room));
    }
}
