//! An event of a session: attributes, and data as text.
//!
//! Hooks and webhooks get the same text. It is checked where it is accepted.

use serde::Serialize;
use serde_json::value::RawValue;
use tenterhook_delivery::Notification;
use tenterhook_dispatch::{EventData, ReceivedEvent};
use tenterhook_sdk::{Event, EventFault};

/// An event whose data nothing has parsed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SessionEvent {
    /// The attributes, without data.
    #[serde(flatten)]
    pub(crate) attributes: Event,
    /// The data.
    pub(crate) data: Box<RawValue>,
}

impl TryFrom<SessionEvent> for ReceivedEvent {
    type Error = EventFault;

    fn try_from(event: SessionEvent) -> Result<Self, EventFault> {
        let text = String::from(Box::<str>::from(event.data));
        let data = EventData::json(text.into()).expect("it was printed as JSON");
        Self::new(event.attributes, Some(data))
    }
}

impl Notification for SessionEvent {
    fn attributes(&self) -> &Event {
        &self.attributes
    }

    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("attributes and text are always JSON")
    }
}
