//! How the fault of an event becomes a refusal.

use tenterhook_sdk::EventFault;

use crate::refusal::Refusal;

/// Names the attribute that is wrong, of the event at `pointer`.
pub(super) fn refuse(pointer: &str, fault: EventFault) -> Refusal {
    let pointer = match fault.attribute {
        "" => pointer.to_owned(),
        attribute => format!("{pointer}/{attribute}"),
    };
    Refusal::invalid(pointer, fault.detail)
}
