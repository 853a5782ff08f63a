//! How Fenix says no.

use axum::response::{IntoResponse as _, Response};

use crate::refusal::Refusal;

/// Says a refusal as Fenix does.
pub(crate) fn say(refusal: &Refusal) -> Response {
    refusal.status().into_response()
}
