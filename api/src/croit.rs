//! The croit face: its hook API, tasks, login and tokens, under `/api`.
//!
//! Field names and status codes are croit's. Where its documents are silent,
//! our readings stand in `docs/api-croit.md`.

mod api_tokens;
pub(crate) mod error;
mod execute;
mod form;
mod hook_points;
mod hook_scripts;
mod hooks;
mod login;
mod negotiation;
mod scripts;
mod servers;
mod tasks;

use axum::response::{IntoResponse, Response};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenterhook_dispatch::{Error, Noun};
use tenterhook_query::croit::{Fault, Page, Pagination};
use utoipa::ToSchema;

use crate::auth::Access;
use crate::endpoint::Endpoint;
use crate::extract::Json;
use crate::openapi;
use crate::refusal::Refusal;

/// Every call of this face.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let document = Endpoint::new(
        Method::GET,
        "/api/swagger.json",
        Access::Everyone,
        "get_swagger",
        openapi::get_swagger,
    )
    .summary("Answers with the OpenAPI document of this face")
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

/// The number of what was made.
#[derive(Debug, Serialize, ToSchema)]
struct GeneratedId {
    id: i32,
}

/// The query of every list.
#[derive(Debug, Deserialize)]
struct Paged {
    pagination: Option<String>,
}

impl Paged {
    fn read(&self) -> Result<Option<Pagination>, Refusal> {
        // An empty parameter is what a client sends that has nothing to ask.
        let said = self.pagination.as_deref().filter(|text| !text.is_empty());
        Ok(said.map(Pagination::parse).transpose()?)
    }

    /// Answers with the bare list, or with a page if one was asked for.
    async fn list<T: Serialize>(&self, rows: Vec<T>) -> Result<Response, Refusal> {
        match self.read()? {
            None => Ok(Json(rows).into_response()),
            Some(pagination) => Ok(Json(cut(pagination, values(rows)?).await?).into_response()),
        }
    }

    /// Answers with a page, whether one was asked for or not.
    async fn page<T: Serialize>(&self, rows: Vec<T>) -> Result<Response, Refusal> {
        let pagination = self.read()?.unwrap_or_default();
        Ok(Json(cut(pagination, values(rows)?).await?).into_response())
    }
}

/// Cuts a page out of rows, in steps: a filter may take its time, and others their turn.
async fn cut(pagination: Pagination, rows: Vec<Value>) -> Result<Page, Refusal> {
    let mut sifting = pagination.sift(rows);
    loop {
        if let Some(page) = sifting.step()? {
            return Ok(page);
        }
        tokio::task::yield_now().await;
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::invalid("", fault.to_string())
    }
}

fn values<T: Serialize>(rows: Vec<T>) -> Result<Vec<Value>, Refusal> {
    rows.into_iter()
        .map(|row| serde_json::to_value(row).map_err(|error| Refusal::internal(&error)))
        .collect()
}

/// A body refers to something that is not there: that is the body's fault, and
/// not an unknown path.
fn dangling(error: Error) -> Refusal {
    match error {
        Error::NotFound { what, id } => {
            let field = match what {
                Noun::Source => "/scriptId",
                Noun::HookPoint => "/event",
                Noun::Server => "/serverIds",
                _ => "",
            };
            Refusal::invalid(
                field,
                format!("names the {what} `{id}`, which does not exist"),
            )
        }
        error => error.into(),
    }
}
