//! croit's dialect: what the code that all APIs share has to know of it.

use axum::response::Response;

use super::error;
use crate::dialect::Dialect;
use crate::refusal::Refusal;
use crate::request_id::RequestId;

/// croit's dialect.
pub(crate) struct Croit;

impl Dialect for Croit {
    fn print(&self, refusal: &Refusal, _: &RequestId) -> Response {
        error::print(refusal)
    }
}
