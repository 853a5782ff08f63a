//! An index answers as a search through everything would.

use proptest::prelude::*;

use std::ops::Bound;

use super::*;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Thing {
    number: i32,
    name: Option<String>,
    at: i64,
}

impl Indexed for Thing {
    fn id(&self) -> Uuid {
        // Not in the order of the numbers.
        Uuid::from_u128(u128::from(u32::MAX - self.number.unsigned_abs()))
    }
    fn number(&self) -> Number {
        Number::new(self.number)
    }
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
    fn created_at(&self) -> OffsetDateTime {
        time(self.at)
    }
}

fn time(at: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at).unwrap()
}

fn bound<T: Clone + std::fmt::Debug>(
    of: impl Strategy<Value = T>,
) -> impl Strategy<Value = Bound<T>> {
    (of, 0..3).prop_map(|(value, which)| match which {
        0 => Bound::Included(value),
        1 => Bound::Excluded(value),
        _ => Bound::Unbounded,
    })
}

fn lookup() -> impl Strategy<Value = Lookup> {
    let name = || "[ab]{0,2}";
    let at = || (0..6_i64).prop_map(time);
    let id = (1..12_u32).prop_map(|number| Uuid::from_u128(u128::from(u32::MAX - number)));
    prop_oneof![
        Just(Lookup::All),
        proptest::collection::vec(id, 0..4).prop_map(Lookup::Ids),
        proptest::collection::vec(name(), 0..4).prop_map(Lookup::Names),
        (bound(name()), bound(name())).prop_map(|(from, to)| Lookup::NameRange(from, to)),
        (bound(at()), bound(at())).prop_map(|(from, to)| Lookup::CreatedRange(from, to)),
    ]
}

fn wanted(thing: &Thing, lookup: &Lookup) -> bool {
    use std::ops::RangeBounds as _;
    match lookup {
        Lookup::All => true,
        Lookup::Ids(ids) => ids.contains(&thing.id()),
        Lookup::Names(names) => thing.name.as_ref().is_some_and(|name| names.contains(name)),
        Lookup::NameRange(from, to) => thing
            .name
            .as_ref()
            .is_some_and(|name| (from.clone(), to.clone()).contains(name)),
        Lookup::CreatedRange(from, to) => (*from, *to).contains(&thing.created_at()),
    }
}

proptest! {
    #[test]
    fn an_index_finds_the_same_as_a_search(
        steps in proptest::collection::vec((1..10_i32, proptest::option::of("[ab]{0,2}"), 0..5_i64, any::<bool>()), 0..40),
        lookup in lookup(),
    ) {
        let mut index = Index::default();
        let mut things: Vec<Thing> = Vec::new();
        for (number, name, at, keep) in steps {
            let name = name.filter(|name| things.iter().all(|other| other.number == number || other.name.as_ref() != Some(name)));
            things.retain(|thing| thing.number != number);
            if keep {
                let thing = Thing { number, name, at };
                index.put(Arc::new(thing.clone()));
                things.push(thing);
            } else {
                index.remove(Number::new(number));
            }
        }
        things.retain(|thing| wanted(thing, &lookup));
        things.sort_by_key(Thing::place);
        let found: Vec<_> = index.find(&lookup).map(|thing| Thing::clone(thing)).collect();
        prop_assert_eq!(found, things);
    }
}
