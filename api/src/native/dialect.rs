//! The native dialect: what the code that all APIs share has to know of it.

use axum::response::Response;

use super::problem::{of_request, respond};
use crate::dialect::Dialect;
use crate::refusal::Refusal;
use crate::request_id::RequestId;

/// The native dialect.
pub(crate) struct Native;

impl Dialect for Native {
    fn error_media_type(&self) -> &'static str {
        "application/problem+json"
    }

    fn print(&self, refusal: &Refusal, id: &RequestId) -> Response {
        respond(&of_request(refusal, id))
    }
}
