//! Why a request is not carried out, before any API has printed it.
//!
//! Shared code and handlers of every API refuse with these; the API that the
//! request was for prints it ([`crate::dialect`]). What only one API refuses is a
//! [`Rejection`](crate::rejection::Rejection) of its own. A hook that failed is not
//! among them: its run was carried out.

mod causes;

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tenterhook_dispatch::Unavailable;
use tenterhook_ledger::Shortage;

/// One thing that is wrong with a request's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidField {
    /// Where: a JSON pointer into the body, `?name` for a query parameter,
    /// or empty for the whole.
    pub(crate) pointer: String,
    /// What is wrong and what to send instead.
    pub(crate) detail: String,
}

/// Why a request is not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No token, or not a valid name and password.
    Unauthenticated(&'static str),
    /// A token, but not a valid one.
    InvalidToken,
    /// The token's role is not enough.
    Forbidden {
        /// The least role that would do.
        needs: &'static str,
    },
    /// Nothing is served at this path.
    NoRoute,
    /// Something is served at this path, but not with this method.
    WrongMethod,
    /// The reply cannot be given in a form that the client accepts.
    NotAcceptable {
        /// The media types that can be given.
        offered: &'static str,
    },
    /// The body cannot be read at all.
    Unreadable(String),
    /// The body, or one part of the request, is larger than is read.
    TooLarge {
        /// The most that is read, in bytes.
        limit_bytes: u64,
        /// How large it is, if the client has declared it or all of it was received.
        size_bytes: Option<u64>,
    },
    /// The body comes in a form that is not read here.
    UnsupportedMedia(String),
    /// The body did not arrive in time.
    TooSlow,
    /// The request can be read, but asks for something that makes no sense.
    Invalid(Vec<InvalidField>),
    /// The path names something that does not exist.
    NotFound {
        /// What sort of thing.
        noun: String,
        /// Its id, as it was asked for.
        id: String,
    },
    /// Another one has this name already.
    NameTaken {
        /// The name.
        name: String,
    },
    /// It is built-in, or the operator manages it.
    ReadOnly {
        /// What sort of thing.
        noun: String,
        /// Its name or id.
        id: String,
    },
    /// Its content is never shown.
    Withheld {
        /// What sort of thing.
        noun: String,
        /// Its name or id.
        id: String,
    },
    /// The hook would pass values that others have set to a program of the caller's
    /// choice.
    ForeignValues {
        /// The lowest role that may.
        needs: &'static str,
        /// What else helps.
        detail: String,
    },
    /// Execution hooks are switched off for the account.
    HooksDisabled,
    /// It cannot be done while others refer to it, or in its present state.
    Conflict(String),
    /// The request's precondition failed: it was changed since.
    ChangedMeanwhile {
        /// What sort of thing.
        noun: String,
        /// Its name or id.
        id: String,
    },
    /// The uploaded program was not accepted.
    InvalidProgram {
        /// The digest of what was uploaded, where it is at hand.
        digest: Option<String>,
        /// Why not.
        reason: String,
    },
    /// Too many logins or tokens from there were wrong.
    TooManyFailures {
        /// When the next one will be looked at.
        retry_after: Duration,
    },
    /// Tokens cannot be looked up at the moment.
    TokensUnavailable,
    /// Too many requests are waiting.
    TooBusy,
    /// There is not enough room on the disk, for the account or for all.
    DiskFull(String),
    /// The database cannot be used at the moment, for a reason that has a remedy.
    Unavailable(Unavailable),
    /// There is not enough of something that tenants share.
    Shortage(Shortage),
    /// The request does not name one valid host.
    InvalidHost(&'static str),
    /// The position to resume from is not one in this output.
    InvalidPosition,
    /// The server failed. The cause is in the log.
    Internal,
}

impl Refusal {
    /// One fault in the body or the query.
    pub(crate) fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![InvalidField {
            pointer: pointer.into(),
            detail: detail.into(),
        }])
    }

    /// Logs the cause, of which the client learns nothing.
    pub(crate) fn internal(cause: &dyn std::error::Error) -> Self {
        log(cause);
        Self::Internal
    }

    /// The status that goes with it where an API has no rule of its own.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated(_) | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::Forbidden { .. }
            | Self::ReadOnly { .. }
            | Self::Withheld { .. }
            | Self::ForeignValues { .. }
            | Self::HooksDisabled => StatusCode::FORBIDDEN,
            Self::NoRoute | Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable { .. } => StatusCode::NOT_ACCEPTABLE,
            Self::Unreadable(_) | Self::InvalidHost(_) | Self::InvalidPosition => {
                StatusCode::BAD_REQUEST
            }
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Invalid(_) | Self::InvalidProgram { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NameTaken { .. } | Self::Conflict(_) => StatusCode::CONFLICT,
            Self::ChangedMeanwhile { .. } => StatusCode::PRECONDITION_FAILED,
            Self::TooManyFailures { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::TooBusy | Self::TokensUnavailable | Self::Shortage(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::DiskFull(_) | Self::Unavailable(Unavailable::DiskFull) => {
                StatusCode::INSUFFICIENT_STORAGE
            }
            Self::Unavailable(Unavailable::Locked | Unavailable::TooLong) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What is wrong, in one sentence for the client.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Unauthenticated(detail) => (*detail).to_owned(),
            Self::InvalidToken => {
                "the token is unknown, was revoked or has expired; use another one".to_owned()
            }
            Self::TokensUnavailable => {
                "tokens cannot be looked up at the moment; try again later".to_owned()
            }
            Self::Forbidden { needs } => format!("this call needs the role `{needs}`"),
            Self::NoRoute => "nothing is served at this path".to_owned(),
            Self::WrongMethod => {
                "this path is not served with this method; see the Allow header".to_owned()
            }
            Self::NotAcceptable { offered } => {
                format!("the reply can be given as {offered}; ask for one of them")
            }
            Self::Unreadable(detail)
            | Self::UnsupportedMedia(detail)
            | Self::Conflict(detail)
            | Self::ForeignValues { detail, .. }
            | Self::DiskFull(detail) => detail.clone(),
            Self::TooLarge {
                limit_bytes,
                size_bytes,
            } => match size_bytes {
                Some(size) => format!("{size} bytes; at most {limit_bytes} are accepted here"),
                None => format!("more than {limit_bytes} bytes are not accepted here"),
            },
            Self::TooSlow => "the body did not arrive in time".to_owned(),
            Self::Invalid(faults) => faults
                .iter()
                .map(InvalidField::to_string)
                .collect::<Vec<_>>()
                .join("; "),
            Self::NotFound { noun, id } => format!("there is no {noun} `{id}`"),
            Self::NameTaken { name } => {
                format!("the name `{name}` is already in use; choose another")
            }
            Self::ReadOnly { noun, id } => {
                format!("the {noun} `{id}` is read-only; create your own instead")
            }
            Self::Withheld { noun, id } => {
                format!("the {noun} `{id}` is private: its text is never shown")
            }
            Self::HooksDisabled => {
                "execution hooks are switched off for this account; an admin can switch them on"
                    .to_owned()
            }
            Self::ChangedMeanwhile { noun, id } => format!(
                "the {noun} `{id}` was changed by someone else; read it again and retry"
            ),
            Self::InvalidProgram { reason, .. } => reason.clone(),
            Self::TooManyFailures { .. } => {
                "too many logins or tokens from your address were wrong; wait for the seconds in Retry-After"
                    .to_owned()
            }
            Self::Unavailable(why) => unavailable(*why),
            Self::TooBusy => "the server is too busy; try again later".to_owned(),
            Self::Shortage(shortage) if shortage.is_lasting() => {
                format!("{shortage}; this server can never provide that much")
            }
            Self::Shortage(shortage) => {
                format!("{shortage}; try again after the seconds in Retry-After")
            }
            Self::InvalidHost(fault) => format!("the `Host` header {fault}; send one"),
            Self::InvalidPosition => "`Last-Event-ID` or `after` is not the id of an event of \
                 this output; leave it out to start from the beginning"
                .to_owned(),
            Self::Internal => {
                "the server failed; the request id leads to the cause in its log".to_owned()
            }
        }
    }
}

impl std::fmt::Display for InvalidField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pointer.as_str() {
            "" => f.write_str(&self.detail),
            pointer => write!(
                f,
                "`{}` {}",
                pointer.trim_start_matches(['/', '?']),
                self.detail
            ),
        }
    }
}

/// Logs a failure of the server, with its causes on one line.
fn log(cause: &dyn std::error::Error) {
    let mut chain = cause.to_string();
    let mut next = cause.source();
    while let Some(source) = next {
        chain.push_str(": ");
        chain.push_str(&source.to_string());
        next = source.source();
    }
    tracing::error!(error = %chain.escape_debug(), "a request could not be carried out");
}

/// What keeps the database from working, and who can do what about it.
fn unavailable(why: Unavailable) -> String {
    let remedy = match why {
        Unavailable::DiskFull => {
            "the operator has to free some, or to move the data folder to a larger one; then try again"
        }
        Unavailable::Locked => {
            "try again after the seconds in Retry-After; the operator can end what holds it"
        }
        Unavailable::TooLong => {
            "ask for fewer rows or for a shorter time, or try again after the seconds in Retry-After"
        }
    };
    format!("{why}; {remedy}")
}

/// The refusal travels in the response's extensions until [`crate::edge`] has
/// the API print it.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests;
