//! Lists of the native API: `{items, next?}`, and their cursor.
//!
//! A cursor names a place in the order of its list. It does not name an item, which may be
//! deleted before the next page is asked for.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use tenterhook_wire::List;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::endpoint::{Endpoint, Shape};
use crate::refusal::Refusal;

/// Items in a page by default.
const DEFAULT_LIMIT: u32 = 100;

/// Most items in a page.
const MAX_LIMIT: u32 = tenterhook_dispatch::PAGE_MAX;

impl Endpoint {
    /// The call responds with one page of a list.
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

    /// The place of the last item of the page before.
    pub(crate) fn after<I: FromStr>(&self) -> Result<Option<I>, Refusal> {
        let read = |text: &String| {
            text.parse()
                .map_err(|_| Refusal::invalid("?after", "must be the `next` of the page before"))
        };
        self.after.as_ref().map(read).transpose()
    }

    /// Cuts a page out of a list that is sorted by `place`. The next page goes on behind
    /// the last item's place, whether or not that item still exists by then.
    pub(crate) fn cut<T, P>(&self, all: Vec<T>, place: impl Fn(&T) -> P) -> Result<List<T>, Refusal>
    where
        P: Ord + ToString + FromStr,
    {
        let (limit, after) = (self.limit()? as usize, self.after::<P>()?);
        let is_behind = |item: &T| after.as_ref().is_none_or(|after| place(item) > *after);
        let mut items: Vec<T> = all.into_iter().filter(is_behind).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items
            .last()
            .filter(|_| more)
            .map(|last| place(last).to_string());
        Ok(List { items, next })
    }
}

/// A place in a list that is sorted by when its items were created, and by their ids where
/// that is the same: `1796094000000000.0198c0de-…`, the time in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    micros: i64,
    id: Uuid,
}

impl Place {
    /// The place of an item.
    pub(crate) fn new(created_at: OffsetDateTime, id: Uuid) -> Self {
        let micros = created_at.unix_timestamp_nanos().div_euclid(1_000);
        Self {
            micros: i64::try_from(micros).expect("our times lie within ten thousand years"),
            id,
        }
    }

    /// When the item was created, and its id.
    pub(crate) fn parts(self) -> (OffsetDateTime, Uuid) {
        let nanos = i128::from(self.micros) * 1_000;
        let created_at = OffsetDateTime::from_unix_timestamp_nanos(nanos);
        (
            created_at.expect("a place that was read is in range"),
            self.id,
        )
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.micros, self.id)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (micros, id) = text.split_once('.').ok_or(())?;
        let micros = micros.parse::<i64>().map_err(|_| ())?;
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).map_err(|_| ())?;
        let id = id.parse().map_err(|_| ())?;
        Ok(Self { micros, id })
    }
}

/// Builds a page from the rows that the store returned for `limit`: a full one has a next.
pub(crate) fn rows<T, I: ToString>(items: Vec<T>, limit: u32, id: impl Fn(&T) -> I) -> List<T> {
    let full = items.len() >= limit as usize;
    let next = items
        .last()
        .filter(|_| full)
        .map(|last| id(last).to_string());
    List { items, next }
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

    fn place(second: i64, id: u128) -> Place {
        let created_at = OffsetDateTime::from_unix_timestamp(second).unwrap();
        Place::new(created_at, Uuid::from_u128(id))
    }

    #[test]
    fn a_page_continues_after_an_item_that_was_deleted_meanwhile() {
        let mut all = vec![place(7, 9), place(8, 1), place(8, 2), place(9, 0)];
        let first = PageQuery::new(Some(2), None).cut(all.clone(), |p| *p);
        let first = first.unwrap();
        assert_eq!(first.items, all[..2]);
        all.remove(1);
        let second = PageQuery::new(Some(2), first.next).cut(all.clone(), |p| *p);
        let second = second.unwrap();
        assert_eq!((second.items, second.next), (all[1..].to_vec(), None));
    }

    #[test]
    fn only_a_cursor_that_was_printed_can_be_read_back() {
        for place in [place(0, 0), place(1_796_094_000, u128::MAX), place(-1, 7)] {
            assert_eq!(place.to_string().parse(), Ok(place));
            let (created_at, id) = place.parts();
            assert_eq!(Place::new(created_at, id), place);
        }
        for text in [
            "",
            ".",
            "7",
            "0198c0de-7a1b-4c3d-8e4f-5a6b7c8d9e0f",
            "7.x",
            "x.0198c0de-7a1b-4c3d-8e4f-5a6b7c8d9e0f",
            "9223372036854775807.0198c0de-7a1b-4c3d-8e4f-5a6b7c8d9e0f",
        ] {
            let page = PageQuery::new(None, Some(text.into()));
            assert!(page.after::<Place>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_limit_out_of_range_is_refused() {
        assert!(PageQuery::new(Some(0), None).limit().is_err());
        assert!(PageQuery::new(Some(MAX_LIMIT + 1), None).limit().is_err());
    }
}
