//! What can be delivered: an event whose data is a value, or is kept as text.

use tenterhook_sdk::Event;

/// An event that subscriptions may want.
pub trait Notification: Sync {
    /// Returns what it is recognised by. Its data is not looked at.
    fn attributes(&self) -> &Event;

    /// Prints the event whole, in the structured form: the body of its deliveries.
    fn to_json(&self) -> Vec<u8>;
}

impl Notification for Event {
    fn attributes(&self) -> &Event {
        self
    }

    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an event holds nothing that JSON cannot express")
    }
}
