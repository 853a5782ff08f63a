//! How sessions are stored and driven.

use tenterhook_session::Timeouts;

/// How sessions are stored and driven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Sessions that an account may have at one time, finished ones included.
    /// Default: 3, as Fenix.
    pub sessions: usize,
    /// How long a session waits for others.
    pub timeouts: Timeouts,
    /// Where projects reach this server, such as `https://maintenance.example`.
    /// Default: the address by which the session was created.
    pub public_url: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sessions: 3,
            timeouts: Timeouts::default(),
            public_url: None,
        }
    }
}
