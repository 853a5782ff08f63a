//! How Fenix says no: `{"error": "<text>"}`, but for two bodies that it has had from
//! its first day.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::keystone;
use crate::refusal::Refusal;

/// Says a refusal as Fenix does, and one for lack of a token as Keystone does.
pub(crate) fn say(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Unauthenticated(_) | Refusal::InvalidToken => keystone::say(),
        // 422 is an id in a path that cannot be one; a body is 400.
        Refusal::Invalid(_) => with_text(StatusCode::BAD_REQUEST, &refusal.detail()),
        Refusal::Internal => body(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({"status": 500, "message": "Unknown Error"}),
        ),
        refusal => with_text(refusal.status(), &refusal.detail()),
    }
}

fn with_text(status: StatusCode, text: &str) -> Response {
    body(status, &json!({ "error": text }))
}

fn body(status: StatusCode, value: &Value) -> Response {
    let kind = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, kind)], value.to_string()).into_response()
}
