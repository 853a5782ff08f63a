//! Lists, which the server returns in pages.

use anyhow::bail;
use serde_json::Value;

use super::Client;

/// Items per request, the most that the server returns.
const PAGE: usize = 1_000;

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
        let limit = limit.clamp(1, PAGE).to_string();
        let mut query = query.to_vec();
        query.push(("limit", &limit));
        query.extend(after.map(|after| ("after", after)));
        let mut page = self.get(path, &query)?;
        let Value::Array(items) = page["items"].take() else {
            bail!(
                "{} does not respond like a Tenterhook server",
                self.endpoint.server
            );
        };
        Ok((items, page["next"].as_str().map(str::to_owned)))
    }
}
