//! How sessions are kept and driven.

use tenterhook_session::Patience;

/// How sessions are kept and driven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Sessions that an account may have at one time, those that are over included.
    /// Default: 3, as Fenix.
    pub sessions: usize,
    /// How long a session waits for others.
    pub patience: Patience,
    /// Where projects reach this server, such as `https://maintenance.example`.
    /// Default: the address by which the session was created.
    pub public_url: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sessions: 3,
            patience: Patience::default(),
            public_url: None,
        }
    }
}
