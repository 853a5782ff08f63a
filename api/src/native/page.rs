//! Lists of the native face: `{items, next?}`, and their cursor.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::endpoint::{Endpoint, Shape};
use crate::refusal::Refusal;

/// Items in a page unless the client says otherwise.
const DEFAULT_LIMIT: u32 = 100;

/// Most items in a page.
const MAX_LIMIT: u32 = tenterhook_dispatch::PAGE_MAX;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// Where the next page begins: send it as `after`. Absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

impl Endpoint {
    /// The call answers with one page of a list.
    pub(super) fn answers_items<T: ToSchema>(self) -> Self {
        let mut list = Shape::json::<List<T>>();
        list.refers_to.extend(Shape::json::<T>().refers_to);
        self.answers_as(200, &list)
    }
}

/// The query parameters of a page.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    limit: Option<u32>,
    after: Option<String>,
}

impl PageQuery {
    /// Reads the two parameters where a list has others beside them.
    pub(crate) fn new(limit: Option<u32>, after: Option<String>) -> Self {
        Self { limit, after }
    }

    /// The number of items to return.
    pub(crate) fn limit(&self) -> Result<u32, Refusal> {
        match self.limit {
            None => Ok(DEFAULT_LIMIT),
            Some(limit @ 1..=MAX_LIMIT) => Ok(limit),
            Some(_) => Err(Refusal::invalid(
                "?limit",
                format!("must be from 1 to {MAX_LIMIT}"),
            )),
        }
    }

    /// The last item of the page before.
    pub(crate) fn after<I: std::str::FromStr>(&self) -> Result<Option<I>, Refusal> {
        let read = |text: &String| {
            text.parse()
                .map_err(|_| Refusal::invalid("?after", "must be the `next` of the page before"))
        };
        self.after.as_ref().map(read).transpose()
    }

    /// Cuts a page out of a list that is sorted by a number.
    pub(crate) fn cut<T>(
        &self,
        all: Vec<T>,
        number: impl Fn(&T) -> i32,
    ) -> Result<List<T>, Refusal> {
        let (limit, after) = (
            self.limit()? as usize,
            self.after::<i32>()?.unwrap_or(i32::MIN),
        );
        let mut items: Vec<T> = all
            .into_iter()
            .filter(|item| number(item) > after)
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items
            .last()
            .filter(|_| more)
            .map(|last| number(last).to_string());
        Ok(List { items, next })
    }

    /// Cuts a page out of a list whose items have an id and an order of their own.
    pub(crate) fn cut_by_id<T, I>(
        &self,
        mut all: Vec<T>,
        id: impl Fn(&T) -> I,
    ) -> Result<List<T>, Refusal>
    where
        I: ToString + std::str::FromStr + PartialEq,
    {
        let limit = self.limit()? as usize;
        if let Some(after) = self.after::<I>()? {
            let last = all.iter().position(|item| id(item) == after);
            let deleted = || {
                Refusal::invalid(
                    "?after",
                    "references a deleted item; start again without it",
                )
            };
            all.drain(..=last.ok_or_else(deleted)?);
        }
        let more = all.len() > limit;
        all.truncate(limit);
        let next = all.last().filter(|_| more).map(|last| id(last).to_string());
        Ok(List { items: all, next })
    }
}

impl<T> List<T> {
    /// Builds a page from the rows that the store returned for `limit`: a full one has a
    /// next.
    pub(crate) fn of_page<I: ToString>(items: Vec<T>, limit: u32, id: impl Fn(&T) -> I) -> Self {
        let full = items.len() >= limit as usize;
        let next = items
            .last()
            .filter(|_| full)
            .map(|last| id(last).to_string());
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_until_the_end() {
        let all = vec![1, 3, 4, 9];
        let first = PageQuery::new(Some(2), None)
            .cut(all.clone(), |n| *n)
            .unwrap();
        assert_eq!(
            (first.items, first.next.as_deref()),
            (vec![1, 3], Some("3"))
        );
        let second = PageQuery::new(Some(2), Some("3".into()))
            .cut(all, |n| *n)
            .unwrap();
        assert_eq!((second.items, second.next), (vec![4, 9], None));
    }

    #[test]
    fn pages_of_a_list_without_numbers_follow_each_other_too() {
        let all = vec![7, 2, 9];
        let first = PageQuery::new(Some(2), None)
            .cut_by_id(all.clone(), |n| *n)
            .unwrap();
        assert_eq!(
            (first.items, first.next.as_deref()),
            (vec![7, 2], Some("2"))
        );
        let second = PageQuery::new(Some(2), Some("2".into()))
            .cut_by_id(all.clone(), |n| *n)
            .unwrap();
        assert_eq!((second.items, second.next), (vec![9], None));
        assert!(
            PageQuery::new(None, Some("8".into()))
                .cut_by_id(all, |n| *n)
                .is_err()
        );
    }

    #[test]
    fn a_limit_out_of_range_is_refused() {
        assert!(PageQuery::new(Some(0), None).limit().is_err());
        assert!(PageQuery::new(Some(MAX_LIMIT + 1), None).limit().is_err());
    }
}
