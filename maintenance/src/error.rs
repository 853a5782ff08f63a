//! What could not be done, in variants that an API can express in its dialect.

use tenterhook_session::{NotResumed, NotTaken, State};

/// What could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such session, or the caller may not see it.
    #[error("there is no session `{0}`")]
    NoSession(uuid::Uuid),
    /// The session has no such project, or the caller may not speak for it.
    #[error("the session has no project `{0}`")]
    NoProject(String),
    /// There is no constraint for this id.
    #[error("there is no constraint for `{0}`")]
    NoConstraint(String),
    /// The account has as many sessions as it may.
    #[error("too many sessions")]
    TooMany,
    /// A host belongs to another session that runs.
    #[error("the host `{host}` belongs to the session `{session}` until that ends or is removed")]
    HostTaken {
        /// The host.
        host: String,
        /// The session that has it.
        session: uuid::Uuid,
    },
    /// A field does not follow its rules, or names what is not there.
    #[error("`{field}` {reason}")]
    Invalid {
        /// The member, as a path such as `actions[1].plugin`.
        field: String,
        /// What is wrong and what to send instead.
        reason: String,
    },
    /// A reply was not taken.
    #[error(transparent)]
    NotTaken(#[from] NotTaken),
    /// Only a failed session can be resumed.
    #[error("the session is in {now}, and only one in MAINTENANCE_FAILED can be resumed", now = _0.as_str())]
    NotFailed(State),
    /// The dispatcher could not do its part.
    #[error(transparent)]
    Dispatch(#[from] tenterhook_dispatch::Error),
    /// Delivery could not do its part.
    #[error(transparent)]
    Delivery(#[from] tenterhook_delivery::Error),
    /// The store could not do its part.
    #[error("cannot {doing}")]
    Store {
        /// What was to be done.
        doing: &'static str,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<NotResumed> for Error {
    fn from(error: NotResumed) -> Self {
        match error {
            NotResumed::NotFailed(now) => Self::NotFailed(now),
            NotResumed::AtTheEnd(_) => Self::Invalid {
                field: "state".to_owned(),
                reason: error.to_string(),
            },
        }
    }
}
