//! What could not be done.

/// What could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The account has no such subscription.
    #[error("there is no webhook `{0}`")]
    NotFound(String),
    /// A field does not follow its rules.
    #[error("`{field}` {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong and what to send instead.
        reason: String,
    },
    /// The account has as many subscriptions as it may.
    #[error("the account has {0} webhooks, which is the most")]
    TooMany(usize),
    /// There can never be an attempt on this host.
    #[error("cannot make an attempt")]
    NoRoom {
        /// What there is none of.
        source: tenterhook_ledger::Shortage,
    },
    /// The store could not do its part.
    #[error("cannot {doing}")]
    Store {
        /// What was to be done.
        doing: &'static str,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// A field that does not follow its rules.
    pub(crate) fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            reason: reason.into(),
        }
    }
}
