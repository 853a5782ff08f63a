//! Nouns of one sort in memory, found by id, number, name or the time they were made.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::id::Number;
use crate::registry::lookup::Lookup;

/// What an index wants to know of a noun.
pub(crate) trait Indexed {
    fn id(&self) -> Uuid;
    fn number(&self) -> Number;
    /// Unique within the account, if it has one.
    fn name(&self) -> Option<&str>;
    fn created_at(&self) -> OffsetDateTime;

    /// Where it stands in lists.
    fn place(&self) -> SortKey {
        (self.created_at(), self.id())
    }
}

/// When a noun was made, and its id.
pub(crate) type SortKey = (OffsetDateTime, Uuid);

/// Nouns in list order.
pub(crate) type Listed<T> = BTreeMap<SortKey, Arc<T>>;

/// Nouns of one sort.
pub(crate) struct Index<T> {
    by_number: BTreeMap<Number, Arc<T>>,
    by_id: HashMap<Uuid, Arc<T>>,
    by_name: BTreeMap<String, Arc<T>>,
    listed: Listed<T>,
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Self {
            by_number: BTreeMap::new(),
            by_id: HashMap::new(),
            by_name: BTreeMap::new(),
            listed: Listed::new(),
        }
    }
}

impl<T: Indexed> Index<T> {
    /// Puts a noun in place of its former self.
    pub(crate) fn put(&mut self, noun: Arc<T>) {
        self.remove(noun.number());
        if let Some(name) = noun.name() {
            self.by_name.insert(name.to_owned(), Arc::clone(&noun));
        }
        self.by_id.insert(noun.id(), Arc::clone(&noun));
        self.listed.insert(noun.place(), Arc::clone(&noun));
        self.by_number.insert(noun.number(), noun);
    }

    pub(crate) fn remove(&mut self, number: Number) -> Option<Arc<T>> {
        let noun = self.by_number.remove(&number)?;
        self.by_id.remove(&noun.id());
        self.listed.remove(&noun.place());
        if let Some(name) = noun.name() {
            self.by_name.remove(name);
        }
        Some(noun)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_number.len()
    }

    /// All, by number.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<T>> {
        self.by_number.values()
    }

    pub(crate) fn by_number(&self, number: Number) -> Option<&Arc<T>> {
        self.by_number.get(&number)
    }

    pub(crate) fn by_id(&self, id: impl Borrow<Uuid>) -> Option<&Arc<T>> {
        self.by_id.get(id.borrow())
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&Arc<T>> {
        self.by_name.get(name)
    }

    /// Those that a look-up names, in the order of lists.
    pub(crate) fn find<'a>(
        &'a self,
        lookup: &'a Lookup,
    ) -> Box<dyn Iterator<Item = &'a Arc<T>> + 'a> {
        match lookup {
            Lookup::All => Box::new(self.listed.values()),
            Lookup::Ids(ids) => in_order(ids.iter().filter_map(|id| self.by_id(id))),
            Lookup::Names(names) => in_order(names.iter().filter_map(|name| self.by_name(name))),
            Lookup::NameRange(from, to) if is_empty(from, to) => Box::new(std::iter::empty()),
            Lookup::NameRange(from, to) => {
                let range = (
                    from.as_ref().map(String::as_str),
                    to.as_ref().map(String::as_str),
                );
                in_order(self.by_name.range::<str, _>(range).map(|(_, noun)| noun))
            }
            Lookup::CreatedRange(from, to) => Box::new(created(&self.listed, *from, *to)),
        }
    }
}

/// Those that were made between two times.
pub(super) fn created<T>(
    listed: &Listed<T>,
    from: Bound<OffsetDateTime>,
    to: Bound<OffsetDateTime>,
) -> impl Iterator<Item = &Arc<T>> {
    let range = (!is_empty(&from, &to)).then(|| {
        let from = match from {
            Bound::Included(at) => Bound::Included((at, Uuid::nil())),
            Bound::Excluded(at) => Bound::Excluded((at, Uuid::max())),
            Bound::Unbounded => Bound::Unbounded,
        };
        let to = match to {
            Bound::Included(at) => Bound::Included((at, Uuid::max())),
            Bound::Excluded(at) => Bound::Excluded((at, Uuid::nil())),
            Bound::Unbounded => Bound::Unbounded,
        };
        listed.range((from, to)).map(|(_, noun)| noun)
    });
    range.into_iter().flatten()
}

/// Each once, in the order of lists.
fn in_order<'a, T: Indexed + 'a>(
    found: impl Iterator<Item = &'a Arc<T>>,
) -> Box<dyn Iterator<Item = &'a Arc<T>> + 'a> {
    let mut found: Vec<_> = found.collect();
    found.sort_unstable_by_key(|noun| noun.place());
    found.dedup_by_key(|noun| noun.place());
    Box::new(found.into_iter())
}

/// Whether nothing can lie in a range; maps panic when asked for some of those.
pub(super) fn is_empty<T: PartialOrd>(from: &Bound<T>, to: &Bound<T>) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(first), Bound::Included(last)) => first > last,
        (
            Bound::Included(first) | Bound::Excluded(first),
            Bound::Included(last) | Bound::Excluded(last),
        ) => first >= last,
    }
}

#[cfg(test)]
#[path = "index/tests.rs"]
mod tests;
