//! The condition of a filter that an index can answer.

use std::ops::Bound;

use tenterhook_dispatch::Lookup;

use super::identifier;
use super::metadata::CREATED;
use tenterhook_query::astra::{Condition, Filter, Operator};

/// What to look up for a filter: the most selective of its conditions, ids before names
/// before ranges. The others are matched against what is found.
pub(super) fn of(filter: &Filter) -> Lookup {
    let best = filter
        .conditions()
        .iter()
        .filter_map(|condition| {
            let lookup = read(condition)?;
            let rank = match lookup {
                Lookup::Ids(_) => 0,
                Lookup::Names(_) => 1,
                Lookup::NameRange(..) => 2,
                Lookup::CreatedRange(..) => 3,
                Lookup::All => 4,
            };
            Some((rank, lookup))
        })
        .min_by_key(|(rank, _)| *rank);
    best.map_or(Lookup::All, |(_, lookup)| lookup)
}

fn read(condition: &Condition) -> Option<Lookup> {
    let names = || condition.values().to_vec();
    match (condition.path(), condition.operator()) {
        ("id", Operator::Eq | Operator::In) => {
            let ids = condition.values().iter();
            // What is not an id matches nothing.
            Some(Lookup::Ids(
                ids.filter_map(|id| identifier::parse(id)).collect(),
            ))
        }
        ("name", Operator::Eq | Operator::In) => Some(Lookup::Names(names())),
        ("name", operator) => {
            let (from, to) = range(operator, names().pop()?);
            Some(Lookup::NameRange(from, to))
        }
        (path, Operator::Eq) if path == CREATED.0 => {
            let time = *condition.times()?.first()?;
            Some(Lookup::CreatedRange(
                Bound::Included(time),
                Bound::Included(time),
            ))
        }
        (path, operator) if path == CREATED.0 && operator != Operator::In => {
            let (from, to) = range(operator, *condition.times()?.first()?);
            Some(Lookup::CreatedRange(from, to))
        }
        _ => None,
    }
}

fn range<T>(operator: Operator, value: T) -> (Bound<T>, Bound<T>) {
    match operator {
        Operator::Lt => (Bound::Unbounded, Bound::Excluded(value)),
        Operator::Lte => (Bound::Unbounded, Bound::Included(value)),
        Operator::Gt => (Bound::Excluded(value), Bound::Unbounded),
        Operator::Gte => (Bound::Included(value), Bound::Unbounded),
        Operator::Eq | Operator::In => (Bound::Unbounded, Bound::Unbounded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenterhook_query::astra::{Compared, Vocabulary};

    #[test]
    fn the_most_selective_condition_is_looked_up() {
        let words = Vocabulary {
            members: &[],
            paths: &[
                ("id", Compared::Text),
                ("name", Compared::Text),
                ("description", Compared::Text),
                CREATED,
            ],
        };
        let of = |text: &str| of(&Filter::parse(text, &words).unwrap());
        let id = "0b7c1b3e-5a41-4f4c-9d8e-2f6a7c8d9e0f";
        assert_eq!(of("description eq 'x'"), Lookup::All);
        assert_eq!(
            of(&format!("name gt 'a',name eq 'b',id in 'x,{id}'")),
            Lookup::Ids(vec![id.parse().unwrap()])
        );
        assert_eq!(
            of("name gt 'a',name in 'b,c'"),
            Lookup::Names(vec!["b".into(), "c".into()])
        );
        assert_eq!(
            of("name gte 'a'"),
            Lookup::NameRange(Bound::Included("a".into()), Bound::Unbounded)
        );
        assert!(matches!(
            of("metadata.creationTimestamp lt '2031-01-02T03:04:05Z',description eq 'x'"),
            Lookup::CreatedRange(Bound::Unbounded, Bound::Excluded(_))
        ));
        assert!(matches!(
            of("metadata.creationTimestamp in '2031-01-02T03:04:05Z'"),
            Lookup::All
        ));
    }
}
