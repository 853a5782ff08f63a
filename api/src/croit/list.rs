//! Lists, bare or cut into pages as `pagination` asks.

use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenterhook_query::croit::{Page, Pagination, PaginationFault};

use crate::extract::Json;
use crate::refusal::Refusal;

/// The query of every list.
#[derive(Debug, Deserialize)]
pub(super) struct Paged {
    pub(super) pagination: Option<String>,
}

impl Paged {
    pub(super) fn read(&self) -> Result<Option<Pagination>, Refusal> {
        // Some clients send an empty parameter when they have nothing to ask.
        let asked = self.pagination.as_deref().filter(|text| !text.is_empty());
        Ok(asked.map(Pagination::parse).transpose()?)
    }

    /// Replies with the bare list, or with a page if one was asked for.
    pub(super) async fn list<T: Serialize>(&self, rows: Vec<T>) -> Result<Response, Refusal> {
        match self.read()? {
            None => Ok(Json(rows).into_response()),
            Some(pagination) => Ok(Json(cut(pagination, values(rows)?).await?).into_response()),
        }
    }

    /// Replies with a page, whether one was asked for or not.
    pub(super) async fn page<T: Serialize>(&self, rows: Vec<T>) -> Result<Response, Refusal> {
        let pagination = self.read()?.unwrap_or_default();
        Ok(Json(cut(pagination, values(rows)?).await?).into_response())
    }
}

/// Cuts a page out of rows, in steps: a slow filter leaves room for other work.
pub(super) async fn cut(pagination: Pagination, rows: Vec<Value>) -> Result<Page, Refusal> {
    let mut sifting = pagination.sift(rows);
    loop {
        if let Some(page) = sifting.step()? {
            return Ok(page);
        }
        tokio::task::yield_now().await;
    }
}

impl From<PaginationFault> for Refusal {
    fn from(fault: PaginationFault) -> Self {
        Self::invalid("", fault.to_string())
    }
}

fn values<T: Serialize>(rows: Vec<T>) -> Result<Vec<Value>, Refusal> {
    rows.into_iter()
        .map(|row| serde_json::to_value(row).map_err(|error| Refusal::internal(&error)))
        .collect()
}
