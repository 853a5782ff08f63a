//! Errors of subscriptions and deliveries, named for what could not be done.

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
    /// This host has no resources for an attempt, now or later.
    #[error("cannot make an attempt")]
    NoRoom {
        /// The resource that is missing.
        source: tenterhook_ledger::Shortage,
    },
    /// The store has failed.
    #[error("cannot {doing}")]
    Store {
        /// What it was to do.
        doing: &'static str,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Creates the error of a field that does not follow its rules.
    pub(crate) fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            reason: reason.into(),
        }
    }
}
