//! Whose request is written next: accounts share the writer by the rows that they write,
//! and what the server itself has to write comes before all of theirs.
//!
//! Pure, and knows nothing of what a request is. How many of an account wait at most is
//! [`queue`](mod@super::queue)'s concern.

use std::collections::{BTreeSet, HashMap, VecDeque};

/// Accounts remembered before those are forgotten that owe nothing.
const REMEMBERED: usize = 4_096;

/// For whom something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// The server itself: probes, claims, housekeeping. There is little of it at a time.
    Server,
    /// What became of an account's runs, which hold memory until it is written. It goes
    /// before all else of that account.
    Outcome(i64),
    /// Anything else of an account.
    Account(i64),
}

/// Requests that wait, each with the rows that it writes.
pub(super) struct Turns<T> {
    server: VecDeque<(usize, T)>,
    shares: HashMap<i64, Share<T>>,
    /// Accounts that have something waiting, by the rows that they have written.
    ready: BTreeSet<(u64, i64)>,
    /// What the account had written that took the last turn; none starts below it.
    level: u64,
}

struct Share<T> {
    outcomes: VecDeque<(usize, T)>,
    others: VecDeque<(usize, T)>,
    written: u64,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self {
            server: VecDeque::new(),
            shares: HashMap::new(),
            ready: BTreeSet::new(),
            level: 0,
        }
    }
}

impl<T> Turns<T> {
    /// Queues a request that writes so many rows. An account that was idle starts level
    /// with the others: it saves nothing up.
    pub(super) fn push(&mut self, of: Of, rows: usize, request: T) {
        let (account, is_outcome) = match of {
            Of::Server => return self.server.push_back((rows, request)),
            Of::Outcome(account) => (account, true),
            Of::Account(account) => (account, false),
        };
        if self.shares.len() > REMEMBERED {
            let level = self.level;
            self.shares
                .retain(|_, share| !share.is_empty() || share.written > level);
        }
        let share = self.shares.entry(account).or_insert_with(|| Share {
            outcomes: VecDeque::new(),
            others: VecDeque::new(),
            written: 0,
        });
        if share.is_empty() {
            share.written = share.written.max(self.level);
            self.ready.insert((share.written, account));
        }
        match is_outcome {
            true => share.outcomes.push_back((rows, request)),
            false => share.others.push_back((rows, request)),
        }
    }

    /// Takes the next request, if it writes no more than `most` rows.
    pub(super) fn take(&mut self, most: usize) -> Option<(usize, T)> {
        if let Some((rows, _)) = self.server.front() {
            let fits = *rows <= most;
            return fits.then(|| self.server.pop_front()).flatten();
        }
        let &(written, account) = self.ready.first()?;
        let share = self
            .shares
            .get_mut(&account)
            .expect("who is ready has a share");
        let line = match share.outcomes.is_empty() {
            false => &mut share.outcomes,
            true => &mut share.others,
        };
        let &(rows, _) = line.front().expect("who is ready has something waiting");
        if rows > most {
            return None;
        }
        let taken = line.pop_front();
        self.level = written;
        self.ready.pop_first();
        share.written = written.saturating_add(rows.max(1) as u64);
        if !share.is_empty() {
            self.ready.insert((share.written, account));
        }
        taken
    }

    pub(super) fn is_empty(&self) -> bool {
        self.server.is_empty() && self.ready.is_empty()
    }
}

impl<T> Share<T> {
    fn is_empty(&self) -> bool {
        self.outcomes.is_empty() && self.others.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: usize = usize::MAX;

    fn next<T>(turns: &mut Turns<T>) -> Option<T> {
        turns.take(ALL).map(|(_, request)| request)
    }

    #[test]
    fn a_flood_of_one_account_lets_another_write_next() {
        let mut turns = Turns::default();
        for part in 0..1_000 {
            turns.push(Of::Account(1), 2_048, part);
        }
        for part in 0..3 {
            assert_eq!(next(&mut turns), Some(part));
        }
        turns.push(Of::Account(2), 1, 7_777);
        assert_eq!(next(&mut turns), Some(7_777));
    }

    #[test]
    fn accounts_write_as_many_rows_as_each_other() {
        let mut turns = Turns::default();
        for _ in 0..1_000 {
            turns.push(Of::Account(1), 2_048, 1);
            turns.push(Of::Account(2), 64, 2);
        }
        let mut rows = [0; 3];
        for _ in 0..330 {
            let (written, of) = turns.take(ALL).unwrap();
            rows[of] += written;
        }
        assert!(rows[1].abs_diff(rows[2]) <= 2_048, "{rows:?}");
    }

    #[test]
    fn writes_of_the_server_precede_all_accounts() {
        let mut turns = Turns::default();
        turns.push(Of::Account(1), 1, "account");
        turns.push(Of::Server, 1, "probe");
        assert_eq!(next(&mut turns), Some("probe"));
        assert_eq!(next(&mut turns), Some("account"));
        assert!(turns.is_empty());
    }

    #[test]
    fn outcomes_precede_other_writes_of_their_account_and_not_other_accounts() {
        let mut turns = Turns::default();
        turns.push(Of::Account(1), 1, "event");
        turns.push(Of::Account(1), 1, "next event");
        turns.push(Of::Outcome(1), 4_000, "outcome");
        turns.push(Of::Account(2), 1, "other");
        assert_eq!(next(&mut turns), Some("outcome"));
        assert_eq!(next(&mut turns), Some("other"));
        assert_eq!(next(&mut turns), Some("event"));
        assert_eq!(next(&mut turns), Some("next event"));
    }

    #[test]
    fn a_returning_account_has_saved_up_no_credit() {
        let mut turns = Turns::default();
        for part in 0..100 {
            turns.push(Of::Account(1), 100, part);
        }
        for _ in 0..50 {
            next(&mut turns);
        }
        for _ in 0..100 {
            turns.push(Of::Account(2), 100, 1_000);
        }
        let first: Vec<_> = (0..10).filter_map(|_| next(&mut turns)).collect();
        let late = first.iter().filter(|part| **part == 1_000).count();
        assert!((5..=6).contains(&late), "{first:?}");
    }

    #[test]
    fn a_request_that_does_not_fit_remains_next() {
        let mut turns = Turns::default();
        turns.push(Of::Account(1), 10, "large");
        assert_eq!(turns.take(9), None);
        assert_eq!(turns.take(10), Some((10, "large")));
    }

    proptest! {
        #[test]
        fn every_request_is_taken_once_and_those_of_one_kind_in_their_order(
            pushes in proptest::collection::vec((0_i64..4, 0_u8..3, 1_usize..5_000, any::<bool>()), 0..200),
        ) {
            let mut turns = Turns::default();
            let mut taken = Vec::new();
            for (number, (account, kind, rows, takes)) in pushes.iter().enumerate() {
                let of = match kind {
                    0 => Of::Server,
                    1 => Of::Outcome(*account),
                    _ => Of::Account(*account),
                };
                turns.push(of, *rows, number);
                if *takes {
                    taken.extend(next(&mut turns));
                }
            }
            while let Some(number) = next(&mut turns) {
                taken.push(number);
            }
            prop_assert!(turns.is_empty());
            let mut last: HashMap<(u8, i64), usize> = HashMap::new();
            for number in &taken {
                let (account, kind, ..) = pushes[*number];
                let line = (kind, if kind == 0 { 0 } else { account });
                prop_assert!(last.insert(line, *number).is_none_or(|before| before < *number));
            }
            taken.sort_unstable();
            prop_assert_eq!(taken, (0..pushes.len()).collect::<Vec<_>>());
        }
    }
}
