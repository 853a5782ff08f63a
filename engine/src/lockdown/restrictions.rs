//! All restrictions for one kind of threads, prepared once and applied to each.

use rustix::thread::{CapabilitySet, set_no_new_privs};
use rustix::time::{ClockId, clock_gettime};

use super::calls::Calls;
use super::capabilities;
use super::files::Files;
use super::layers::Layers;

/// A layer that the kernel has could not be applied.
#[derive(Debug, thiserror::Error)]
#[error("{layer} failed")]
pub struct NotApplied {
    layer: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl NotApplied {
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

/// All restrictions for one kind of threads.
pub(super) struct Restrictions {
    /// The capabilities that they keep.
    pub(super) capabilities: CapabilitySet,
    /// `None` where the kernel has no Landlock or where mounting must stay possible.
    pub(super) files: Option<Files>,
    /// `None` where the kernel has no seccomp.
    pub(super) calls: Option<Calls>,
}

impl Restrictions {
    /// Applies them to the calling thread, irrevocably. Threads and processes that it
    /// starts afterwards inherit them.
    pub(super) fn apply(&self) -> Result<Layers, NotApplied> {
        // The vDSO is located once, on older kernels by reading a file.
        let _now = clock_gettime(ClockId::Monotonic);
        set_no_new_privs(true).map_err(|error| NotApplied::new("no_new_privs", error))?;
        if let Some(files) = &self.files {
            files.apply()?;
        }
        capabilities::keep(self.capabilities)?;
        // Last, since it forbids the calls that the others need.
        if let Some(calls) = &self.calls {
            calls.apply()?;
        }
        Ok(Layers {
            no_new_privileges: true,
            capabilities: true,
            landlock: self.files.is_some(),
            seccomp: self.calls.is_some(),
        })
    }
}
