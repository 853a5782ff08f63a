//! How Nova says no.

use axum::response::{IntoResponse as _, Response};

use crate::refusal::Refusal;
use crate::request_id::RequestId;

/// Says a refusal as Nova does, and one for lack of a token as Keystone does.
pub(crate) fn say(refusal: &Refusal, _id: &RequestId) -> Response {
    refusal.status().into_response()
}
