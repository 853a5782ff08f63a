//! Errors of the host.

use std::path::PathBuf;

use tenterhook_admission::Refusal;
use tenterhook_ledger::Shortage;

use crate::digest::Digest;
use crate::lockdown::NotApplied;

/// What the host could not do. A guest's own failure is never one of these: it is an
/// [`Outcome`](crate::Outcome).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes were not accepted as a program.
    #[error("cannot accept the program")]
    Refused {
        /// Why not, for the uploader.
        #[source]
        refusal: Refusal,
    },
    /// The runtime did not start.
    #[error("cannot start the WebAssembly runtime")]
    Start {
        /// What went wrong.
        source: wasmtime::Error,
    },
    /// The guest runtime's threads did not start.
    #[error("cannot start the threads that run guests")]
    Threads {
        /// What went wrong.
        source: std::io::Error,
    },
    /// The lockdown could not be applied to some threads.
    #[error("cannot lock down {what}")]
    Lockdown {
        /// Which threads.
        what: &'static str,
        /// What went wrong.
        source: NotApplied,
    },
    /// A program could not be prepared to run.
    #[error("cannot prepare program {digest}")]
    Prepare {
        /// The program.
        digest: Digest,
        /// What went wrong.
        source: wasmtime::Error,
    },
    /// Compiled code could not be stored or read back.
    #[error("cannot use the code cache at {}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The compiler process could not be run.
    #[error("cannot run the compiler process")]
    Compiler {
        /// What went wrong.
        source: std::io::Error,
    },
    /// The sandbox failed in a way that the guest did not cause.
    #[error("cannot run program {digest}")]
    Run {
        /// The program.
        digest: Digest,
        /// What went wrong.
        source: wasmtime::Error,
    },
    /// The program needs more than this host can ever provide.
    #[error("cannot run program {digest}: this host has no room for it")]
    NoRoom {
        /// The program.
        digest: Digest,
        /// What there is not enough of.
        source: Shortage,
    },
    /// The thread that worked on a program panicked. Only this program is affected.
    #[error("the work on program {digest} panicked")]
    Panicked {
        /// The program.
        digest: Digest,
    },
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal }
    }
}
