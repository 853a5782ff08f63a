//! Nova's dialect: what the code that all APIs share has to know of it.

use axum::response::Response;
use http::{Extensions, HeaderMap, HeaderValue};
use tenterhook_dispatch::Error;

use super::fault::{self, Fault};
use super::heading::heading;
use crate::credentials::{self, TokenPlace};
use crate::dialect::Dialect;
use crate::keystone;
use crate::refusal::Refusal;
use crate::request_id::RequestId;

/// Nova's dialect.
pub(crate) struct Nova;

impl Dialect for Nova {
    fn print(&self, refusal: &Refusal, _: &RequestId) -> Response {
        fault::print(refusal)
    }

    fn print_own(&self, carried: &mut Extensions, _: &RequestId) -> Option<Response> {
        let fault: Fault = carried.remove()?;
        Some(fault.print(None))
    }

    fn token_not_looked_up(&self, error: Error) -> Refusal {
        keystone::token_not_looked_up(&error)
    }

    fn token_places(&self) -> &'static [TokenPlace] {
        credentials::OPENSTACK
    }

    fn challenge(&self, headers: &HeaderMap) -> HeaderValue {
        keystone::challenge(headers)
    }

    fn reply_headers(&self, headers: &HeaderMap, id: &RequestId) -> HeaderMap {
        heading(headers, id)
    }
}
