//! Errors in Fenix's form: `{"error": "<text>"}`, but for two bodies that it has had from
//! its first day.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use hyper::ext::ReasonPhrase;
use serde_json::{Value, json};
use tenterhook_maintenance::Error;

use crate::keystone;
use crate::refusal::Refusal;
use crate::rejection::OwnProblem;

/// The text for a session that does not exist, and for one of another account.
const NO_SESSION: &str = "Invalid session";

/// Errors that no other API has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// A call that takes no body was given one.
    UnwantedBody,
    /// The body is invalid.
    Content(String),
    /// The session does not exist, and the call's list of statuses has 404.
    NoSession,
    /// Something else of this id does not exist.
    NotFound(String),
    /// An id in the path cannot be processed.
    Unprocessable(String),
    /// Another session has one of the hosts.
    Conflict(String),
    /// The account has as many sessions as it may.
    TooMany,
}

impl Problem {
    /// A member of the body that does not follow its rules.
    pub(super) fn member(field: &str, reason: &str) -> Self {
        Self::Content(format!("`{field}` {reason}"))
    }

    /// Prints it.
    pub(super) fn print(&self) -> Response {
        match self {
            Self::UnwantedBody => reply(self.status(), &json!({})),
            Self::TooMany => {
                let mut response = with_text(self.status(), self.detail());
                // The status is in no standard, and HTTP libraries have no reason phrase for it.
                let reason = ReasonPhrase::from_static(b"Bandwidth Limit Exceeded");
                response.extensions_mut().insert(reason);
                response
            }
            problem => with_text(problem.status(), problem.detail()),
        }
    }

    /// What is wrong, in one sentence for the client.
    pub(super) fn detail(&self) -> &str {
        match self {
            Self::UnwantedBody => "this call takes no body",
            Self::Content(text)
            | Self::NotFound(text)
            | Self::Unprocessable(text)
            | Self::Conflict(text) => text,
            Self::NoSession => NO_SESSION,
            Self::TooMany => "Too many sessions",
        }
    }
}

impl OwnProblem for Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::UnwantedBody | Self::Content(_) => StatusCode::BAD_REQUEST,
            Self::NoSession | Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooMany => StatusCode::from_u16(509).expect("509 is a status"),
        }
    }
}

/// Why Fenix does not carry out a request.
pub(super) type Rejection = crate::rejection::Rejection<Problem>;

impl From<Problem> for Rejection {
    fn from(problem: Problem) -> Self {
        Self::Own(problem)
    }
}

/// For calls whose list of statuses has 404.
impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        let problem = match error {
            Error::NoSession(_) => Problem::NoSession,
            error @ Error::NoConstraint(_) => Problem::NotFound(error.to_string()),
            error @ (Error::NoProject(_) | Error::NotFailed(_)) => {
                Problem::Unprocessable(error.to_string())
            }
            error @ Error::HostTaken { .. } => Problem::Conflict(error.to_string()),
            Error::TooMany => Problem::TooMany,
            error @ (Error::Invalid { .. } | Error::NotTaken(_)) => {
                Problem::Content(error.to_string())
            }
            Error::Dispatch(error) => return error.into(),
            Error::Delivery(error) => return Refusal::from(error).into(),
            error => return Refusal::internal(&error).into(),
        };
        problem.into()
    }
}

/// For calls whose list of statuses has 422 in place of 404.
pub(super) fn unprocessable(error: Error) -> Rejection {
    match error {
        Error::NoSession(_) => Problem::Unprocessable(NO_SESSION.to_owned()).into(),
        error => error.into(),
    }
}

/// Writes a refusal as Fenix does, and one for lack of a token as Keystone does.
pub(super) fn print(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Unauthenticated(_) | Refusal::InvalidToken => keystone::unauthorized(),
        Refusal::TokensUnavailable => keystone::unavailable(),
        // 422 is for ids in paths; a body is 400.
        Refusal::Invalid(_) => with_text(StatusCode::BAD_REQUEST, &refusal.detail()),
        Refusal::Internal => reply(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({"status": 500, "message": "Unknown Error"}),
        ),
        refusal => with_text(refusal.status(), &refusal.detail()),
    }
}

fn with_text(status: StatusCode, text: &str) -> Response {
    reply(status, &json!({ "error": text }))
}

fn reply(status: StatusCode, value: &Value) -> Response {
    let kind = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, kind)], value.to_string()).into_response()
}
