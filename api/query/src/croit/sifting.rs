//! A list that is being filtered, a part of it at a time.

use std::time::{Duration, Instant};
use std::vec;

use serde_json::Value;

use super::{Page, Pagination, PaginationFault, order};

/// Longest that a filter may look at a list. Ordinary ones take some milliseconds
/// for the longest list; some regular expressions take as many for every row.
const TIMEOUT: Duration = Duration::from_millis(500);

/// After how long a step ends, once it has looked at a row.
const STEP: Duration = Duration::from_millis(2);

/// A list that is being filtered.
#[derive(Debug)]
pub struct Sifting {
    pagination: Pagination,
    rows: vec::IntoIter<Value>,
    kept: Vec<Value>,
    /// How long the steps have taken, without what lay between them.
    took: Duration,
}

impl Sifting {
    pub(super) fn new(pagination: Pagination, rows: Vec<Value>) -> Self {
        Self {
            pagination,
            rows: rows.into_iter(),
            kept: Vec::new(),
            took: Duration::ZERO,
        }
    }

    /// Looks at more of the rows, for about two milliseconds. Once all were looked at, those
    /// that passed are sorted and cut, and this is the page.
    ///
    /// # Errors
    ///
    /// A [`PaginationFault`] if the filter takes too long: half a second for all rows.
    pub fn step(&mut self) -> Result<Option<Page>, PaginationFault> {
        let started_at = Instant::now();
        for row in self.rows.by_ref() {
            if self.pagination.filter.keeps(&row) {
                self.kept.push(row);
            }
            if started_at.elapsed() > STEP {
                break;
            }
        }
        self.took += started_at.elapsed();
        if self.rows.len() == 0 {
            return Ok(Some(self.page()));
        }
        if self.took > TIMEOUT {
            return Err(PaginationFault::new(
                "where",
                "takes too long for this list; ask for less",
            ));
        }
        Ok(None)
    }

    fn page(&mut self) -> Page {
        let Pagination {
            after,
            limit,
            ref order,
            ..
        } = self.pagination;
        let mut kept = std::mem::take(&mut self.kept);
        kept.sort_by(|a, b| order::compare(order, a, b));
        let total = kept.len();
        let cut = kept.into_iter().skip(after);
        Page {
            data: cut.take(limit.unwrap_or(usize::MAX)).collect(),
            total,
            after,
            limit,
        }
    }
}
