//! Why a hook has no event.

use std::fmt;

use crate::{EventFault, contract};

/// Why a hook could not read its event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The run has no event.
    Missing,
    /// The event file cannot be read.
    File(String),
    /// The event's data is not JSON.
    Data(String),
    /// The event file does not contain a valid event.
    Event(EventFault),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str(
                "this run has no event: bind the hook to a hook point, or try it with `tenterhook run --event`",
            ),
            Self::File(error) => write!(f, "cannot read {}: {error}", contract::EVENT_FILE),
            Self::Data(error) => write!(
                f,
                "cannot read the event's data as JSON: {error}; a hook that takes an `Event` can do without"
            ),
            Self::Event(fault) => write!(f, "cannot read the event: {fault}"),
        }
    }
}

impl std::error::Error for Unreadable {}
