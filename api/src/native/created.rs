//! The reply to a call that has created something.

use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::extract::Json;

/// `201 Created` with the location.
pub(super) type Created<T> = (StatusCode, [(HeaderName, HeaderValue); 1], Json<T>);

/// Replies with what was created, at `{path}/{id}`.
pub(super) fn created<T>(path: &str, id: &str, body: T) -> Created<T> {
    let location =
        HeaderValue::from_str(&format!("{path}/{id}")).expect("our ids and paths are plain text");
    (
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(body),
    )
}
