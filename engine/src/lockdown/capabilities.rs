//! Capabilities: the root privileges of a thread.

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

use super::restrictions::NotApplied;

/// Drops all capabilities except `kept` from the calling thread and those that it starts.
pub(super) fn keep(kept: CapabilitySet) -> Result<(), NotApplied> {
    let drop_others = || {
        let kept = capabilities(None)?.permitted & kept;
        set_capabilities(
            None,
            CapabilitySets {
                effective: kept,
                permitted: kept,
                inheritable: CapabilitySet::empty(),
            },
        )
    };
    drop_others().map_err(|error| NotApplied::new("dropping capabilities", error))
}
