//! Bounds on slow clients: how long one may take to send a request and to receive its
//! reply.
//!
//! All of it is always bounded. How many connections and requests there may be is the
//! ledger's matter. `docs/limits.md` lists these bounds with those that are not settings.

use std::time::Duration;

use http::Extensions;

/// Marks a reply that goes on until its client leaves, or what it follows ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endless;

/// Bounds on how slowly a request may arrive and a reply may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Door {
    /// Time in which a request's head must arrive, counted from its first byte, or from
    /// the connection for the first one. Default: 30 s, long for any client and short
    /// for an attacker.
    pub head: Duration,
    /// Time that a connection is kept open between two requests. Default: 75 s, longer
    /// than proxies keep theirs, so that none sends a request into a closing connection.
    pub keep_alive: Duration,
    /// The longest pause between two pieces of a body. Default: 20 s.
    pub body_pause: Duration,
    /// Time that a body may take beyond what [`body_rate`](Self::body_rate) grants it.
    /// Default: 30 s.
    pub body: Duration,
    /// Bytes a second that a body has to arrive with. Default: 16 KiB; a phone is
    /// faster, one that trickles to hold a place is not.
    pub body_rate: u64,
    /// [`body`](Self::body) for calls that need no token. Default: 10 s; a login is one
    /// packet.
    pub strangers_body: Duration,
    /// The longest that a client may take nothing of a reply. Default: 30 s.
    pub reply: Duration,
    /// Bytes a second that a client has to take while there is something to send.
    /// Default: 16 KiB.
    pub reply_rate: u64,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            body_pause: Duration::from_secs(20),
            body: Duration::from_secs(30),
            body_rate: 16 * 1024,
            strangers_body: Duration::from_secs(10),
            reply: Duration::from_secs(30),
            reply_rate: 16 * 1024,
        }
    }
}

impl Door {
    /// The bounds for this request.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or_default()
    }

    /// The same for a call that needs no token.
    pub(crate) fn for_strangers(self) -> Self {
        Self {
            body: self.body.min(self.strangers_body),
            body_pause: self.body_pause.min(self.strangers_body),
            ..self
        }
    }
}
