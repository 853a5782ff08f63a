//! What a hook written in Rust starts with: its event, variables and answer.
//!
//! Nothing here talks to a host function of its own; it is plain files, standard
//! input and environment, so the same hook runs outside the sandbox as well.

use std::{env, fmt, fs, io};

use crate::contract;
use crate::{Event, Verdict};

/// One run of a hook, as the hook itself sees it.
#[derive(Debug)]
pub struct Hook {
    event: Event,
}

/// Why a hook could not read its event.
#[derive(Debug)]
pub enum Unreadable {
    /// The event file cannot be read.
    File(io::Error),
    /// The event file holds no event.
    Event(crate::Fault),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => write!(f, "cannot read {}: {error}", contract::EVENT_FILE),
            Self::Event(fault) => write!(f, "cannot read the event: {fault}"),
        }
    }
}

impl std::error::Error for Unreadable {}

impl Hook {
    /// Reads the event that this run is for.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] when the event file is missing or holds no event.
    pub fn open() -> Result<Self, Unreadable> {
        let json = fs::read(contract::EVENT_FILE).map_err(Unreadable::File)?;
        let event = Event::parse(&json).map_err(Unreadable::Event)?;
        Ok(Self { event })
    }

    /// The event that this run is for.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// The value of one of the hook point's parameters, by its documented name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<String> {
        variable(&format!(
            "{}{}",
            contract::env::PARAM_PREFIX,
            contract::upper_snake(name)
        ))
    }

    /// 1 at the first attempt; higher when the execution is being run again.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        variable(contract::env::ATTEMPT)
            .and_then(|text| text.parse().ok())
            .unwrap_or(1)
    }

    /// The name of the server that this run is for.
    #[must_use]
    pub fn server_name(&self) -> Option<String> {
        variable(contract::env::SERVER_NAME)
    }

    /// Leaves the hook's answer where the engine looks for it.
    ///
    /// # Errors
    ///
    /// When the file cannot be written, for instance over the file limit.
    pub fn answer(&self, verdict: &Verdict) -> io::Result<()> {
        fs::write(contract::VERDICT_FILE, verdict.to_json())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a guest's environment is the channel of its parameters"
)]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
