//! Lists, which the server returns in pages.

use serde::de::DeserializeOwned;
use tenterhook_wire::List;

use super::{Client, Received};

/// Items per request, the most that the server returns.
const PAGE: usize = 1_000;

impl Client {
    /// Returns every item of a list, page by page.
    pub(crate) fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> anyhow::Result<Vec<Received<T>>> {
        self.newest(path, query, usize::MAX)
    }

    /// Returns the first items of a list, at most `pages` pages.
    pub(crate) fn newest<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        pages: usize,
    ) -> anyhow::Result<Vec<Received<T>>> {
        let mut items = Vec::new();
        let mut after = None;
        for _ in 0..pages {
            let page = self.page(path, query, PAGE, after.as_deref())?;
            items.extend(page.items);
            if page.next.is_none() {
                break;
            }
            after = page.next;
        }
        Ok(items)
    }

    /// Returns one page of a list.
    pub(crate) fn page<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        limit: usize,
        after: Option<&str>,
    ) -> anyhow::Result<List<Received<T>>> {
        let limit = limit.clamp(1, PAGE).to_string();
        let mut query = query.to_vec();
        query.push(("limit", &limit));
        query.extend(after.map(|after| ("after", after)));
        self.get(path, &query)
    }
}
