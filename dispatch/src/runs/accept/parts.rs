//! Cuts what one request writes into parts, each stored by a transaction of its own,
//! so that others' commits come between. A task is never cut.

/// Rows that one part writes, about 20 ms of the writer: others wait no longer. A
/// request that causes no more is stored all or none.
pub(super) const PART: usize = 2_048;

/// Cuts `all` into parts of at most [`PART`] rows, in their order. What has more rows
/// alone is a part alone.
pub(super) fn parts<T>(all: Vec<T>, rows: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut parts = Vec::new();
    let (mut part, mut filled) = (Vec::new(), 0);
    for one in all {
        let rows = rows(&one);
        if filled + rows > PART && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            filled = 0;
        }
        filled += rows;
        part.push(one);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_are_bounded_and_nothing_is_lost_or_moved(
            all in proptest::collection::vec(0_usize..3 * PART, 0..60),
        ) {
            let parts = parts(all.clone(), |rows| *rows);
            for part in &parts {
                prop_assert!(!part.is_empty());
                prop_assert!(part.len() == 1 || part.iter().sum::<usize>() <= PART);
            }
            prop_assert_eq!(parts.concat(), all);
        }
    }

    #[test]
    fn a_batch_that_fits_into_one_part_is_not_split() {
        assert_eq!(parts(vec![1_000, 1_048], |rows| *rows).len(), 1);
        assert_eq!(parts(vec![1_000, 1_049], |rows| *rows).len(), 2);
    }
}
