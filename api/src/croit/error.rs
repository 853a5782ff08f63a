//! The croit API's errors: `{"error": "<text>"}` and the right status.
//!
//! croit documents no error body; its clients look at the status. A name that is taken is
//! 400 there, and so is whatever a body asks for that is not possible.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::refusal::Refusal;

/// Prints a refusal the way croit would.
pub(super) fn print(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::Invalid(_) | Refusal::InvalidProgram { .. } | Refusal::NameTaken { .. } => {
            StatusCode::BAD_REQUEST
        }
        other => other.status(),
    };
    let body = json!({ "error": refusal.detail() }).to_string();
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
