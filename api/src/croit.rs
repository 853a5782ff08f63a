//! The croit API: hooks, tasks, login and tokens, under `/api`.
//!
//! Field names and status codes are croit's. Where its documents are silent, our readings
//! are in `docs/api-croit.md`.

mod api_tokens;
mod dialect;
mod error;
mod execute;
mod form;
mod hook_points;
mod hook_scripts;
mod hooks;
mod list;
mod login;
mod negotiation;
mod scripts;
mod servers;
mod tasks;

use http::Method;

pub(crate) use self::dialect::Croit;
use crate::auth::Access;
use crate::endpoint::Endpoint;
use crate::openapi;

/// Every call of this API.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let document = Endpoint::new(
        Method::GET,
        "/api/swagger.json",
        Access::Everyone,
        "get_swagger",
        openapi::get_swagger,
    )
    .summary("Returns the OpenAPI document of this API")
    .answers_raw(200, &["application/json"]);
    [
        scripts::endpoints(),
        execute::endpoints(),
        hooks::endpoints(),
        hook_points::endpoints(),
        hook_scripts::endpoints(),
        tasks::endpoints(),
        login::endpoints(),
        api_tokens::endpoints(),
        servers::endpoints(),
        vec![document],
    ]
    .into_iter()
    .flatten()
    .collect()
}
