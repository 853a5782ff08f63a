//! The lock on the one thread that mounts scratch file systems. It alone keeps
//! the right to; it has no sockets and starts nothing.
//!
//! Landlock would forbid it to mount, so that layer is missing here.

use rustix::thread::CapabilitySet;

use super::Lockdown;
use super::calls::Calls;
use super::lock::{Lock, NotHeld};

/// Holds the calling thread, once it is in its own mount namespace.
pub(crate) fn hold_scratch_thread(lockdown: Lockdown) -> Result<(), NotHeld> {
    if lockdown == Lockdown::Off {
        return Ok(());
    }
    let lock = Lock {
        capabilities: CapabilitySet::SYS_ADMIN,
        files: None,
        calls: Calls::of_scratch_thread()?,
    };
    lock.hold().map(drop)
}
