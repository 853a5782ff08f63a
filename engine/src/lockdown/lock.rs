//! Everything that one sort of threads gives up, made once and applied to each.

use rustix::thread::{CapabilitySet, set_no_new_privs};
use rustix::time::{ClockId, clock_gettime};

use super::calls::Calls;
use super::capabilities;
use super::files::Files;
use super::layers::Layers;

/// A layer that the kernel has could not be applied.
#[derive(Debug, thiserror::Error)]
#[error("{layer} failed")]
pub struct NotHeld {
    layer: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl NotHeld {
    pub(super) fn new(
        layer: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            layer,
            source: source.into(),
        }
    }
}

/// Everything that one sort of threads gives up.
pub(super) struct Lock {
    /// What they keep of root's power.
    pub(super) capabilities: CapabilitySet,
    /// `None` where the kernel cannot or where mounting must stay possible.
    pub(super) files: Option<Files>,
    /// `None` where the kernel cannot.
    pub(super) calls: Option<Calls>,
}

impl Lock {
    /// Applies it to the calling thread, for good. Threads and processes that it
    /// starts afterwards are held as well.
    pub(super) fn hold(&self) -> Result<Layers, NotHeld> {
        // Where the kernel put its fast clock is found out once, and in older kernels
        // by reading a file.
        let _now = clock_gettime(ClockId::Monotonic);
        set_no_new_privs(true).map_err(|error| NotHeld::new("no_new_privs", error))?;
        if let Some(files) = &self.files {
            files.hold()?;
        }
        capabilities::keep(self.capabilities)?;
        // Last, since it forbids the calls that the others need.
        if let Some(calls) = &self.calls {
            calls.hold()?;
        }
        Ok(Layers {
            no_new_privileges: true,
            capabilities: true,
            landlock: self.files.is_some(),
            seccomp: self.calls.is_some(),
        })
    }
}
