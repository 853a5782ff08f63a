//! Whose turn it is: accounts share the node by the fuel that they have spent.
//!
//! The account that has spent least goes first, so a flood of one delays only
//! its own hooks. An account that was idle starts level with the others: it
//! saves nothing up. Pure, and knows nothing of what it queues.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::id::AccountId;

/// What every run costs at least, in fuel: the work around the guest's own.
const BASE: u64 = 2_000_000;

/// Accounts remembered before those are forgotten that owe nothing.
const REMEMBERED: usize = 4_096;

/// Turns that wait, by account.
pub(crate) struct FairQueue<T> {
    shares: HashMap<AccountId, Share<T>>,
    /// Accounts that have a turn waiting and room to take it, by what they have spent.
    ready: BTreeSet<(u64, AccountId)>,
    /// Turns of one account that may be taken at one time.
    per_account: usize,
    /// What the account spent that took the last turn; nobody starts below it.
    level: u64,
}

/// What a turn was charged before it was known what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charge(u64);

struct Share<T> {
    waiting: VecDeque<T>,
    taken: usize,
    spent: u64,
    /// What its turns cost lately; charged in advance, so that a burst of turns
    /// does not go for nothing.
    usual: u64,
}

impl<T> FairQueue<T> {
    pub(crate) fn new(per_account: usize) -> Self {
        Self {
            shares: HashMap::new(),
            ready: BTreeSet::new(),
            per_account: per_account.max(1),
            level: 0,
        }
    }

    /// Queues a turn.
    pub(crate) fn push(&mut self, account: AccountId, turn: T) {
        if self.shares.len() > REMEMBERED {
            let level = self.level;
            self.shares
                .retain(|_, share| !share.is_idle() || share.spent > level);
        }
        let level = self.level;
        let share = self.shares.entry(account).or_insert_with(|| Share {
            waiting: VecDeque::new(),
            taken: 0,
            spent: level,
            usual: BASE,
        });
        if share.is_idle() {
            share.spent = share.spent.max(level);
        }
        share.waiting.push_back(turn);
        if share.taken < self.per_account {
            self.ready.insert((share.spent, account));
        }
    }

    /// Takes the next turn, with what it was charged in advance.
    pub(crate) fn pop(&mut self) -> Option<(AccountId, T, Charge)> {
        let (spent, account) = self.ready.pop_first()?;
        self.level = spent;
        let share = self
            .shares
            .get_mut(&account)
            .expect("who is ready has a share");
        let turn = share
            .waiting
            .pop_front()
            .expect("who is ready has a turn waiting");
        let charge = Charge(share.usual);
        share.taken += 1;
        share.spent = share.spent.saturating_add(charge.0);
        if share.taken < self.per_account && !share.waiting.is_empty() {
            self.ready.insert((share.spent, account));
        }
        Some((account, turn, charge))
    }

    /// Gives a turn back that has used so much fuel.
    pub(crate) fn done(&mut self, account: AccountId, charge: Charge, fuel: u64) {
        let Some(share) = self.shares.get_mut(&account) else {
            return;
        };
        self.ready.remove(&(share.spent, account));
        let cost = fuel.saturating_add(BASE);
        share.spent = share.spent.saturating_add(cost).saturating_sub(charge.0);
        share.usual = share.usual / 8 * 7 + cost / 8;
        share.taken = share.taken.saturating_sub(1);
        if !share.waiting.is_empty() {
            self.ready.insert((share.spent, account));
        }
    }

    /// Gives a turn back that was not used.
    pub(crate) fn pass(&mut self, account: AccountId, charge: Charge) {
        if let Some(share) = self.shares.get_mut(&account) {
            self.ready.remove(&(share.spent, account));
            share.spent = share.spent.saturating_sub(charge.0);
            share.taken = share.taken.saturating_sub(1);
            if !share.waiting.is_empty() {
                self.ready.insert((share.spent, account));
            }
        }
    }

    /// Turns that wait.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &T> {
        self.shares.values().flat_map(|share| &share.waiting)
    }
}

impl<T> Share<T> {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.taken == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_flood_of_one_account_does_not_delay_the_turn_of_another() {
        let (flood, quiet) = (AccountId::generate(), AccountId::generate());
        let mut queue = FairQueue::new(4);
        for turn in 0..1_000 {
            queue.push(flood, turn);
        }
        for _ in 0..10 {
            let (account, _, charge) = queue.pop().unwrap();
            queue.done(account, charge, 1_000_000_000);
        }
        queue.push(quiet, 7);
        assert_eq!(queue.pop().unwrap().1, 7);
    }

    #[test]
    fn who_spends_half_as_much_gets_twice_as_many_turns() {
        let (dear, cheap) = (AccountId::generate(), AccountId::generate());
        let mut queue = FairQueue::new(1);
        for turn in 0..4_000 {
            queue.push(dear, turn);
            queue.push(cheap, turn);
        }
        let mut turns = HashMap::new();
        for _ in 0..3_000 {
            let (account, _, charge) = queue.pop().unwrap();
            *turns.entry(account).or_insert(0) += 1;
            queue.done(
                account,
                charge,
                if account == dear {
                    2_000_000_000
                } else {
                    1_000_000_000
                },
            );
        }
        let ratio = f64::from(turns[&cheap]) / f64::from(turns[&dear]);
        assert!((1.9..2.1).contains(&ratio), "{ratio}");
    }

    #[test]
    fn an_account_takes_no_more_turns_at_one_time_than_it_may() {
        let account = AccountId::generate();
        let mut queue = FairQueue::new(2);
        for turn in 0..5 {
            queue.push(account, turn);
        }
        let (_, _, charge) = queue.pop().unwrap();
        assert!(queue.pop().is_some());
        assert!(queue.pop().is_none());
        queue.pass(account, charge);
        assert_eq!(queue.pop().unwrap().1, 2);
    }

    proptest! {
        #[test]
        fn every_turn_that_is_queued_is_taken_once_and_in_its_accounts_order(
            pushes in proptest::collection::vec((0_usize..4, 0_u64..5_000_000_000), 0..200),
        ) {
            let accounts: Vec<_> = (0..4).map(|_| AccountId::generate()).collect();
            let mut queue = FairQueue::new(1);
            for (turn, (account, fuel)) in pushes.iter().enumerate() {
                queue.push(accounts[*account], (turn, *fuel));
            }
            let mut last: HashMap<AccountId, usize> = HashMap::new();
            let mut taken = 0;
            while let Some((account, (turn, fuel), charge)) = queue.pop() {
                prop_assert!(last.insert(account, turn).is_none_or(|before| before < turn));
                taken += 1;
                queue.done(account, charge, fuel);
            }
            prop_assert_eq!(taken, pushes.len());
        }
    }
}
