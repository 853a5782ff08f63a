//! The lock on a compiler process: it has its three streams, and nothing else.

use rustix::thread::CapabilitySet;

use super::calls::Calls;
use super::files::{Connect, Files};
use super::layers::Layers;
use super::lock::{Lock, NotHeld};

/// Holds the calling thread, and those it starts, to computing.
pub(crate) fn hold_compiler() -> Result<Layers, NotHeld> {
    let lock = Lock {
        capabilities: CapabilitySet::empty(),
        files: Files::none(Connect::No)?,
        calls: Calls::of_compiler()?,
    };
    lock.hold()
}
