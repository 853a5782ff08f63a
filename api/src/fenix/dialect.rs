//! What Fenix does in its own way, for the code that all APIs share.

use axum::response::Response;
use http::{Extensions, HeaderMap, HeaderValue};
use tenterhook_dispatch::Error;

use super::error::{self, Problem};
use crate::credentials::{self, TokenPlace};
use crate::dialect::Dialect;
use crate::keystone;
use crate::refusal::Refusal;
use crate::request_id::RequestId;

/// Fenix's dialect.
pub(crate) struct Fenix;

impl Dialect for Fenix {
    fn print(&self, refusal: &Refusal, _: &RequestId) -> Response {
        error::print(refusal)
    }

    fn print_own(&self, carried: &mut Extensions, _: &RequestId) -> Option<Response> {
        let problem: Problem = carried.remove()?;
        Some(problem.print())
    }

    fn token_not_looked_up(&self, error: Error) -> Refusal {
        keystone::token_not_looked_up(&error)
    }

    fn token_places(&self) -> &'static [TokenPlace] {
        credentials::OPENSTACK
    }

    fn audits_bodies(&self) -> bool {
        true
    }

    fn challenge(&self, headers: &HeaderMap) -> HeaderValue {
        keystone::challenge(headers)
    }
}
