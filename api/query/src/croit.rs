//! croit's `pagination` parameter: sort, filter and cut a list, in JSON.
//!
//! A list is filtered first, sorted second and cut last. The rows are the very
//! objects that would be sent, so every field that a client sees can be named.
//! This is not the cursor of the native API.

mod condition;
mod filter;
mod number;
mod order;
mod sifting;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::filter::Filter;
use self::order::Order;
pub use self::sifting::Sifting;

/// Longest `pagination` parameter that is read, in bytes. A query with every
/// operator on every field stays under a quarter of it.
const MAX_BYTES: usize = 16 * 1024;

/// What a client asked of a list.
#[derive(Debug, Default)]
pub struct Pagination {
    after: usize,
    limit: Option<usize>,
    order: Vec<Order>,
    filter: Filter,
}

/// One page of a list, in the shape that croit calls `PaginationResponse`.
#[derive(Debug, Serialize)]
pub struct Page {
    /// The rows of this page.
    pub data: Vec<Value>,
    /// How many rows passed the filter.
    pub total: usize,
    /// How many of them come before this page.
    pub after: usize,
    /// The asked size of a page, if one was asked for.
    pub limit: Option<usize>,
}

/// What is wrong with a `pagination` parameter, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaginationFault(String);

/// Longest [`PaginationFault`], in characters. It may quote what was sent.
const FAULT_MAX_CHARS: usize = 1_000;

impl PaginationFault {
    fn new(at: &str, detail: impl std::fmt::Display) -> Self {
        let text = if at.is_empty() {
            format!("`pagination`: {detail}")
        } else {
            let at: String = at.chars().take(80).collect();
            format!("`pagination`: `{at}` {detail}")
        };
        let plain = |c: char| match c {
            '\u{2028}' | '\u{2029}' => char::REPLACEMENT_CHARACTER,
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        };
        Self(text.chars().map(plain).take(FAULT_MAX_CHARS).collect())
    }
}

impl std::fmt::Display for PaginationFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PaginationFault {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WirePagination {
    after: Option<i64>,
    limit: Option<i64>,
    sort_by: Option<Vec<Order>>,
    #[serde(rename = "where")]
    filter: Option<Value>,
}

impl Pagination {
    /// Reads the parameter after its URL encoding has been taken off.
    ///
    /// # Errors
    ///
    /// A [`PaginationFault`] that names the first place which is wrong.
    pub fn parse(text: &str) -> Result<Self, PaginationFault> {
        if text.len() > MAX_BYTES {
            return Err(PaginationFault::new(
                "",
                format_args!("must not be longer than {MAX_BYTES} bytes"),
            ));
        }
        let wire: WirePagination = serde_json::from_str(text).map_err(|error| {
            PaginationFault::new("", format_args!("cannot be read as JSON: {error}"))
        })?;
        let order = wire.sort_by.unwrap_or_default();
        if order.len() > order::MAX_COLUMNS {
            let most = order::MAX_COLUMNS;
            return Err(PaginationFault::new(
                "sortBy",
                format_args!("names more than {most} columns"),
            ));
        }
        Ok(Self {
            after: count("after", wire.after)?.unwrap_or(0),
            limit: count("limit", wire.limit)?,
            order,
            filter: wire
                .filter
                .as_ref()
                .map(Filter::parse)
                .transpose()?
                .unwrap_or_default(),
        })
    }

    /// Begins to filter, sort and cut `rows`.
    #[must_use]
    pub fn sift(self, rows: Vec<Value>) -> Sifting {
        Sifting::new(self, rows)
    }
}

fn count(field: &str, given: Option<i64>) -> Result<Option<usize>, PaginationFault> {
    given
        .map(|n| {
            usize::try_from(n).map_err(|_| PaginationFault::new(field, "must not be negative"))
        })
        .transpose()
}

/// The value of `column` in `row`; a dot leads into an object.
fn field<'a>(row: &'a Value, column: &str) -> &'a Value {
    static NULL: Value = Value::Null;
    match row.get(column) {
        Some(value) => value,
        None => column
            .split('.')
            .try_fold(row, |value, name| value.get(name))
            .unwrap_or(&NULL),
    }
}

#[cfg(test)]
mod tests;
