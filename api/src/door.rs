//! What one client may take of the server before its request is understood.
//!
//! All of it is always bounded. `docs/limits.md` lists these bounds with those
//! that are not settings.

use std::time::Duration;

use http::Extensions;

/// Bounds on connections and on how slowly a request may arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Door {
    /// Connections at one time. When all places are taken, those that have waited
    /// longest for a request give way to newcomers. Default: 768, below the usual
    /// limit of 1,024 descriptors, with room for the database and files.
    pub connections: u32,
    /// Time in which a request's head must arrive, counted from the connection or
    /// from the last answer. Default: 30 s, long for any client and short for an
    /// attacker.
    pub head: Duration,
    /// The longest pause between two pieces of a body. Default: 20 s.
    pub body_pause: Duration,
    /// Time for a whole body, to which one second is added for each 64 KiB that it
    /// may have. Default: 30 s; a phone is faster.
    pub body: Duration,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            connections: 768,
            head: Duration::from_secs(30),
            body_pause: Duration::from_secs(20),
            body: Duration::from_secs(30),
        }
    }
}

impl Door {
    /// The door through which this request came.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or_default()
    }
}
