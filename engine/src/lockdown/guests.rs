//! The lockdown of threads that run guests: no files, no sockets, no processes, no signals
//! to others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::abort;

use rustix::io::Errno;
use rustix::thread::CapabilitySet;

use super::Lockdown;
use super::calls::Calls;
use super::files::{Connect, Files};
use super::layers::Layers;
use super::restrictions::{NotApplied, Restrictions};
use super::signals;

/// The lockdown of threads that run guests.
pub(crate) struct GuestLockdown {
    restrictions: Option<Restrictions>,
    layers: Layers,
}

impl GuestLockdown {
    /// Prepares the lockdown, and tries it on a thread that is started for that.
    pub(crate) fn new(lockdown: Lockdown) -> Result<Self, NotApplied> {
        if lockdown == Lockdown::Off {
            return Ok(Self {
                restrictions: None,
                layers: Layers::default(),
            });
        }
        let restrictions = Restrictions {
            capabilities: CapabilitySet::empty(),
            files: Files::none(Connect::No)?,
            calls: Calls::of_guests()?,
        };
        let tried = std::thread::scope(|scope| scope.spawn(|| restrictions.apply()).join());
        let layers =
            tried.unwrap_or_else(|_| Err(NotApplied::new("a thread to try it on", "panic")))?;
        Ok(Self {
            restrictions: Some(restrictions),
            layers,
        })
    }

    /// Returns the layers that it has on this kernel.
    pub(crate) fn layers(&self) -> Layers {
        self.layers
    }

    /// Applies the lockdown to the calling thread. A guest thread without it must not
    /// exist, so a failure aborts the process.
    pub(crate) fn apply(&self) {
        let Some(restrictions) = &self.restrictions else {
            return;
        };
        signals::block();
        if restrictions.calls.is_some() && is_inherited() {
            return;
        }
        let applied = catch_unwind(AssertUnwindSafe(|| restrictions.apply()));
        if let Err(error) = applied.unwrap_or_else(|_| Err(NotApplied::new("a thread", "panic"))) {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "cannot lock down a thread that is to run guests");
            abort();
        }
    }
}

/// Returns whether the calling thread inherited the lockdown from the thread that started
/// it: only under such a filter is this call refused.
fn is_inherited() -> bool {
    // Not `getsid`: where the session began outside the container it returns zero, which
    // is not a process.
    rustix::process::getpriority_process(None) == Err(Errno::PERM)
}
