//! Why an API does not carry out a request: for a reason that all APIs share, or for a
//! problem of its own.
//!
//! It travels in the reply's extensions until [`crate::edge`] has the API print it. What
//! it looks like is up to the API: see [`crate::dialect`].

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tenterhook_dispatch::Error;
use tenterhook_ledger::Shortage;

use crate::refusal::Refusal;

/// A problem that only one API has.
pub(crate) trait OwnProblem: Clone + Send + Sync + 'static {
    /// The status that goes with it.
    fn status(&self) -> StatusCode;
}

/// Why an API does not carry out a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rejection<P> {
    /// For a reason that all APIs share.
    Shared(Refusal),
    /// For a problem of its own.
    Own(P),
}

impl<P: OwnProblem> IntoResponse for Rejection<P> {
    fn into_response(self) -> Response {
        match self {
            Self::Shared(refusal) => refusal.into_response(),
            Self::Own(problem) => {
                let mut response = problem.status().into_response();
                response.extensions_mut().insert(problem);
                response
            }
        }
    }
}

impl<P> From<Refusal> for Rejection<P> {
    fn from(refusal: Refusal) -> Self {
        Self::Shared(refusal)
    }
}

impl<P> From<Error> for Rejection<P> {
    fn from(error: Error) -> Self {
        Self::Shared(error.into())
    }
}

impl<P> From<Shortage> for Rejection<P> {
    fn from(shortage: Shortage) -> Self {
        Self::Shared(shortage.into())
    }
}
