//! Lists, which the server returns in pages.

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tenterhook_engine::json;

use super::Client;

/// Items per request, the most that the server returns.
const PAGE: usize = 1_000;

/// A page of a list.
#[derive(Deserialize)]
struct Page {
    items: Vec<Box<RawValue>>,
    next: Option<String>,
}

impl Client {
    /// Returns every item of a list, page by page.
    pub(crate) fn list(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut after = None;
        loop {
            let (some, next) = self.page(path, query, PAGE, after.as_deref())?;
            items.extend(some);
            if next.is_none() {
                return Ok(items);
            }
            after = next;
        }
    }

    /// Returns the newest items of a list, at most `pages` pages.
    pub(crate) fn newest(
        &self,
        path: &str,
        query: &[(&str, &str)],
        pages: usize,
    ) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut after = None;
        for _ in 0..pages {
            let (some, next) = self.page(path, query, PAGE, after.as_deref())?;
            items.extend(some);
            if next.is_none() {
                break;
            }
            after = next;
        }
        Ok(items)
    }

    /// Returns one page of a list, and where the next one begins.
    pub(crate) fn page(
        &self,
        path: &str,
        query: &[(&str, &str)],
        limit: usize,
        after: Option<&str>,
    ) -> anyhow::Result<(Vec<Value>, Option<String>)> {
        let (items, next) = self.raw_page(path, query, limit, after)?;
        Ok((items.iter().map(|item| json::nearest(item)).collect(), next))
    }

    /// Returns one page of a list as it was sent, and where the next one begins.
    pub(crate) fn raw_page(
        &self,
        path: &str,
        query: &[(&str, &str)],
        limit: usize,
        after: Option<&str>,
    ) -> anyhow::Result<(Vec<Box<RawValue>>, Option<String>)> {
        let limit = limit.clamp(1, PAGE).to_string();
        let mut query = query.to_vec();
        query.push(("limit", &limit));
        query.extend(after.map(|after| ("after", after)));
        let response = self.get_raw(path, &query)?;
        let page: Page = serde_json::from_str(response.get()).with_context(|| self.foreign())?;
        Ok((page.items, page.next))
    }
}
