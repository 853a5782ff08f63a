//! The lock on threads that run guests: no file outside the scratch, no socket,
//! no process, no other thread's business.

use std::os::fd::BorrowedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::abort;

use rustix::io::Errno;
use rustix::thread::CapabilitySet;

use super::Lockdown;
use super::calls::Calls;
use super::files::{Connect, Files, Use};
use super::layers::Layers;
use super::lock::{Lock, NotHeld};

/// The lock on threads that run guests.
pub(crate) struct GuestLock {
    lock: Option<Lock>,
    layers: Layers,
}

impl GuestLock {
    /// Makes the lock, with `scratch` the folder beneath which all scratch folders
    /// lie, and tries it on a thread made for that.
    pub(crate) fn new(lockdown: Lockdown, scratch: BorrowedFd<'_>) -> Result<Self, NotHeld> {
        if lockdown == Lockdown::Off {
            return Ok(Self {
                lock: None,
                layers: Layers::default(),
            });
        }
        let files = Files::none(Connect::No)?;
        let files = files.map(|files| files.allow(scratch, Use::Change));
        let lock = Lock {
            capabilities: CapabilitySet::empty(),
            files: files.transpose()?,
            calls: Calls::of_guests()?,
        };
        let tried = std::thread::scope(|scope| scope.spawn(|| lock.hold()).join());
        let layers =
            tried.unwrap_or_else(|_| Err(NotHeld::new("a thread to try it on", "panic")))?;
        Ok(Self {
            lock: Some(lock),
            layers,
        })
    }

    /// What it consists of in this kernel.
    pub(crate) fn layers(&self) -> Layers {
        self.layers
    }

    /// Holds the calling thread. A thread that cannot be held must not live: it
    /// ends the process.
    pub(crate) fn hold(&self) {
        let Some(lock) = &self.lock else {
            return;
        };
        if lock.calls.is_some() && is_held() {
            return;
        }
        let held = catch_unwind(AssertUnwindSafe(|| lock.hold()));
        if let Err(error) = held.unwrap_or_else(|_| Err(NotHeld::new("a thread", "panic"))) {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "cannot hold a thread that is to run guests");
            abort();
        }
    }
}

/// Whether the calling thread was started by one that is held, and so is held
/// itself: only under such a filter can this question be refused.
fn is_held() -> bool {
    // Not for its session: where that began outside a container the answer is zero,
    // which is no process.
    rustix::process::getpriority_process(None) == Err(Errno::PERM)
}
