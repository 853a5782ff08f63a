//! The lockdown of the one thread that mounts scratch file systems. It alone keeps the
//! right to mount; it has no sockets and starts nothing.
//!
//! Landlock would forbid mounting, so that layer is missing here.

use rustix::thread::CapabilitySet;

use super::Lockdown;
use super::calls::Calls;
use super::restrictions::{NotApplied, Restrictions};
use super::signals;

/// Locks down the calling thread, once it is in its own mount namespace.
pub(crate) fn lock_down_scratch_thread(lockdown: Lockdown) -> Result<(), NotApplied> {
    if lockdown == Lockdown::Off {
        return Ok(());
    }
    signals::block();
    let restrictions = Restrictions {
        capabilities: CapabilitySet::SYS_ADMIN,
        files: None,
        calls: Calls::of_scratch_thread()?,
    };
    restrictions.apply().map(drop)
}
