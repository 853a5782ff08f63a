//! Capabilities: the parts of root's power that a thread has.

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

use super::lock::NotHeld;

/// Leaves the calling thread no more than `kept`, and those it starts likewise.
pub(super) fn keep(kept: CapabilitySet) -> Result<(), NotHeld> {
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
    drop_others().map_err(|error| NotHeld::new("dropping capabilities", error))
}
