//! Whose turn it is: accounts share the node by what they have cost it.
//!
//! The account that has cost least goes first, so a flood of one delays only its own
//! hooks. An account that was idle starts level with the others: it saves nothing up.
//! Pure, and knows nothing of what it queues, nor of what there is to share out: who
//! takes a turn decides whether there is room for it.

use std::collections::{BTreeSet, HashMap, VecDeque};

use tenterhook_engine::Report;

use crate::id::AccountId;

/// What every run costs at least, in fuel: the work around the guest's own.
const BASE: u64 = 2_000_000;

/// Fuel that a microsecond of processor time costs at least. The prices of host calls
/// are made for this rate, and a loop that does nothing but burn fuel burns more; one
/// that waits for memory with every step burns a hundredth of it, and pays for the time.
const FUEL_PER_CPU_US: u64 = 10_000;

/// Fuel that a microsecond of a run slot costs. A tenth of the above, for a slot is not
/// a core; yet who holds many on a busy machine keeps others from beginning.
const FUEL_PER_SLOT_US: u64 = 1_000;

/// Accounts remembered before those are forgotten that owe nothing.
const REMEMBERED: usize = 4_096;

/// What a run has cost the host, in fuel.
pub(crate) fn cost(report: &Report) -> u64 {
    let usage = &report.usage;
    let cpu = usage.cpu_us.saturating_mul(FUEL_PER_CPU_US);
    let slot = report.awake_us.saturating_mul(FUEL_PER_SLOT_US);
    usage.fuel.max(cpu).saturating_add(slot)
}

/// Turns that wait, by account.
pub(crate) struct FairQueue<T> {
    shares: HashMap<AccountId, Share<T>>,
    /// Accounts that have a turn waiting and may have room to take it, by what they
    /// have spent.
    ready: BTreeSet<(u64, AccountId)>,
    /// Accounts that had no room when they were asked.
    blocked: Vec<AccountId>,
    /// What the account spent that took the last turn; no account starts below it.
    level: u64,
}

/// What a turn was charged before it was known what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charge(u64);

/// What becomes of the turn that is next.
pub(crate) enum Decision<D> {
    /// It is taken.
    Take(D),
    /// There is no room for it; others may have some.
    Wait,
}

struct Share<T> {
    waiting: VecDeque<T>,
    taken: usize,
    blocked: bool,
    spent: u64,
    /// What its turns cost lately; charged in advance, so that a burst of turns
    /// is not free.
    usual: u64,
}

impl<T> FairQueue<T> {
    pub(crate) fn new() -> Self {
        Self {
            shares: HashMap::new(),
            ready: BTreeSet::new(),
            blocked: Vec::new(),
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
            blocked: false,
            spent: level,
            usual: BASE,
        });
        if share.is_idle() {
            share.spent = share.spent.max(level);
        }
        share.waiting.push_back(turn);
        self.enlist(account);
    }

    /// Takes the next turn that `decide` has room for, with what it was charged in
    /// advance. Accounts whose first turn finds no room are passed over until
    /// [`unblock`](Self::unblock).
    pub(crate) fn take<D>(
        &mut self,
        mut decide: impl FnMut(AccountId, &T) -> Decision<D>,
    ) -> Option<(AccountId, T, Charge, D)> {
        loop {
            let &(spent, account) = self.ready.first()?;
            let share = self
                .shares
                .get_mut(&account)
                .expect("who is ready has a share");
            let first = share
                .waiting
                .front()
                .expect("who is ready has a turn waiting");
            match decide(account, first) {
                Decision::Wait => {
                    share.blocked = true;
                    self.blocked.push(account);
                    self.ready.pop_first();
                }
                Decision::Take(decided) => {
                    let turn = share.waiting.pop_front()?;
                    let charge = Charge(share.usual);
                    share.taken += 1;
                    self.level = spent;
                    self.spend(account, |spent| spent.saturating_add(charge.0));
                    return Some((account, turn, charge, decided));
                }
            }
        }
    }

    /// Something was given back: accounts that had no room are asked again.
    pub(crate) fn unblock(&mut self) {
        for account in std::mem::take(&mut self.blocked) {
            if let Some(share) = self.shares.get_mut(&account) {
                share.blocked = false;
            }
            self.enlist(account);
        }
    }

    /// Gives a turn back that has cost this much.
    pub(crate) fn done(&mut self, account: AccountId, charge: Charge, cost: u64) {
        let cost = cost.saturating_add(BASE);
        if let Some(share) = self.shares.get_mut(&account) {
            share.usual = share.usual / 8 * 7 + cost / 8;
            share.taken = share.taken.saturating_sub(1);
        }
        self.spend(account, |spent| {
            spent.saturating_add(cost).saturating_sub(charge.0)
        });
    }

    /// Charges an account what it has cost beside its turns.
    pub(crate) fn charge(&mut self, account: AccountId, cost: u64) {
        self.spend(account, |spent| spent.saturating_add(cost));
    }

    /// Gives a turn back that was not used.
    pub(crate) fn pass(&mut self, account: AccountId, charge: Charge) {
        if let Some(share) = self.shares.get_mut(&account) {
            share.taken = share.taken.saturating_sub(1);
        }
        self.spend(account, |spent| spent.saturating_sub(charge.0));
    }

    /// The same, and it waits again, before all others of its account.
    pub(crate) fn put_back(&mut self, account: AccountId, charge: Charge, turn: T) {
        if let Some(share) = self.shares.get_mut(&account) {
            share.waiting.push_front(turn);
        }
        self.pass(account, charge);
    }

    /// Turns that wait.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &T> {
        self.shares.values().flat_map(|share| &share.waiting)
    }

    /// Whether anybody waits.
    pub(crate) fn is_waited_for(&self) -> bool {
        !self.ready.is_empty() || !self.blocked.is_empty()
    }

    /// Changes what an account has spent, by which those that are ready are ordered.
    fn spend(&mut self, account: AccountId, change: impl FnOnce(u64) -> u64) {
        if let Some(share) = self.shares.get_mut(&account) {
            self.ready.remove(&(share.spent, account));
            share.spent = change(share.spent);
        }
        self.enlist(account);
    }

    /// Makes an account ready if it has a turn waiting and is not blocked.
    fn enlist(&mut self, account: AccountId) {
        if let Some(share) = self.shares.get(&account)
            && !share.waiting.is_empty()
            && !share.blocked
        {
            self.ready.insert((share.spent, account));
        }
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
    use tenterhook_engine::{Outcome, Usage};

    use super::*;

    const SECOND: u64 = 1_000_000;

    fn next<T>(queue: &mut FairQueue<T>) -> Option<(AccountId, T, Charge)> {
        let taken = queue.take(|_, _| Decision::Take(()));
        taken.map(|(account, turn, charge, ())| (account, turn, charge))
    }

    fn report(fuel: u64, cpu_us: u64, awake_us: u64) -> Report {
        Report {
            outcome: Outcome::Exited { status: 0 },
            usage: Usage {
                fuel,
                cpu_us,
                ..Usage::default()
            },
            stdout: Vec::new(),
            stderr: Vec::new(),
            dropped_bytes: 0,
            files_digest: None,
            verdict: None,
            verdict_fault: None,
            awake_us,
        }
    }

    #[test]
    fn a_flood_of_one_account_does_not_delay_the_turn_of_another() {
        let (flood, quiet) = (AccountId::generate(), AccountId::generate());
        let mut queue = FairQueue::new();
        for turn in 0..1_000 {
            queue.push(flood, turn);
        }
        for _ in 0..10 {
            let (account, _, charge) = next(&mut queue).unwrap();
            queue.done(account, charge, 1_000_000_000);
        }
        queue.push(quiet, 7);
        assert_eq!(next(&mut queue).unwrap().1, 7);
    }

    /// How many turns the first of two accounts gets for each of the other.
    fn ratio(of: &Report, to: &Report) -> f64 {
        let accounts = [AccountId::generate(), AccountId::generate()];
        let mut queue = FairQueue::new();
        for turn in 0..4_000 {
            queue.push(accounts[0], turn);
            queue.push(accounts[1], turn);
        }
        let mut turns = [0_u32; 2];
        for _ in 0..3_000 {
            let (account, _, charge) = next(&mut queue).unwrap();
            let which = usize::from(account == accounts[1]);
            turns[which] += 1;
            queue.done(account, charge, cost([of, to][which]));
        }
        f64::from(turns[0]) / f64::from(turns[1])
    }

    #[test]
    fn an_account_that_uses_half_as_much_gets_twice_as_many_turns() {
        let ratio = ratio(&report(1_000_000_000, 0, 0), &report(2_000_000_000, 0, 0));
        assert!((1.9..2.1).contains(&ratio), "{ratio}");
    }

    #[test]
    fn a_loop_that_misses_the_cache_gets_no_more_processor_time_than_a_tight_one() {
        // Both take a second of a core; fuel sees a hundredth of the first.
        let missing = report(80_000_000, SECOND, SECOND);
        let tight = report(10_000_000_000, SECOND, SECOND);
        let ratio = ratio(&missing, &tight);
        assert!((0.95..1.05).contains(&ratio), "{ratio}");
    }

    #[test]
    fn an_account_that_holds_an_idle_slot_is_charged_for_it() {
        let (idle, brief) = (report(0, 0, SECOND), report(0, 0, SECOND / 2));
        let ratio = ratio(&brief, &idle);
        assert!((1.9..2.1).contains(&ratio), "{ratio}");
    }

    #[test]
    fn an_account_without_room_does_not_keep_others_waiting() {
        let mut accounts = [AccountId::generate(), AccountId::generate()];
        // Of two that have spent the same, the lower is asked first.
        accounts.sort();
        let [full, other] = accounts;
        let mut queue = FairQueue::new();
        queue.push(full, 1);
        queue.push(full, 2);
        queue.push(other, 3);
        let only = |wanted: AccountId| {
            move |account: AccountId, _: &i32| match account == wanted {
                true => Decision::Take(()),
                false => Decision::Wait,
            }
        };
        assert_eq!(queue.take(only(other)).unwrap().1, 3);
        // It is not asked again for every turn of another.
        assert!(queue.take(|_, _| Decision::Take(())).is_none());
        queue.push(full, 4);
        assert!(queue.take(|_, _| Decision::Take(())).is_none());
        assert!(queue.is_waited_for());
        queue.unblock();
        for turn in [1, 2, 4] {
            assert_eq!(next(&mut queue).unwrap().1, turn);
        }
        assert!(!queue.is_waited_for());
    }

    #[test]
    fn when_no_account_has_room_the_first_in_line_stays_first() {
        let accounts = [AccountId::generate(), AccountId::generate()];
        let mut queue = FairQueue::new();
        queue.push(accounts[0], 1);
        queue.push(accounts[1], 2);
        let mut asked = None;
        let taken = queue.take(|account, _| {
            asked.get_or_insert(account);
            Decision::<()>::Wait
        });
        assert!(taken.is_none());
        queue.unblock();
        assert_eq!(Some(next(&mut queue).unwrap().0), asked);
    }

    #[test]
    fn a_turn_that_is_returned_is_the_next_of_its_account_and_costs_nothing() {
        let account = AccountId::generate();
        let mut queue = FairQueue::new();
        queue.push(account, 1);
        queue.push(account, 2);
        let before = queue.shares[&account].spent;
        let (_, turn, charge) = next(&mut queue).unwrap();
        queue.put_back(account, charge, turn);
        assert_eq!(queue.shares[&account].spent, before);
        assert_eq!(next(&mut queue).unwrap().1, 1);
        assert_eq!(next(&mut queue).unwrap().1, 2);
    }

    proptest! {
        #[test]
        fn every_turn_that_is_queued_is_taken_once_and_in_its_accounts_order(
            pushes in proptest::collection::vec((0_usize..4, 0_u64..5_000_000_000, 0_u8..4), 0..200),
        ) {
            let accounts: Vec<_> = (0..4).map(|_| AccountId::generate()).collect();
            let mut queue = FairQueue::new();
            for (turn, (account, fuel, mood)) in pushes.iter().enumerate() {
                queue.push(accounts[*account], (turn, *fuel, *mood));
            }
            let mut moods: Vec<_> = pushes.iter().map(|(_, _, mood)| *mood).collect();
            let mut last: HashMap<AccountId, usize> = HashMap::new();
            let mut taken = 0;
            while queue.is_waited_for() {
                // Each finds no room as often as its mood says.
                let decide = |_, turn: &(usize, u64, u8)| match moods[turn.0] {
                    0 => Decision::Take(()),
                    _ => { moods[turn.0] -= 1; Decision::Wait }
                };
                let Some((account, (turn, fuel, _), charge, ())) = queue.take(decide) else {
                    queue.unblock();
                    continue;
                };
                prop_assert!(last.insert(account, turn).is_none_or(|before| before < turn));
                taken += 1;
                queue.done(account, charge, fuel);
            }
            prop_assert_eq!(taken, pushes.len());
        }
    }
}
