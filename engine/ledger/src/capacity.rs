//! How much there is of a resource, and how much of it one holder may have.

use crate::resource::Resource;

/// How many times the free amount one holder may have, unless configured otherwise: a
/// holder alone then has up to three quarters, and a quarter is always left for the
/// next one.
const FACTOR: u64 = 3;

/// How many floors are kept free for newcomers, unless that is less than an eighth or
/// more than a third of the whole.
const FLOORS_KEPT: u64 = 4;

/// How much there is of one resource, and how it is shared.
///
/// It has three parts: the operator's [`reserve`](Self::reserve), what is kept for
/// [`strangers`](Self::strangers), and what accounts share.
///
/// Of the shared part an account may have at most [`factor`](Self::factor) times what is
/// free: the dynamic threshold by which switches share their buffers (Choudhury and
/// Hahne, 1998). Alone, it has `factor / (factor + 1)` of the whole; `n` accounts that
/// together want more than there is have `factor / (1 + n * factor)` each.
///
/// Under that rule alone many greedy accounts could together take almost everything. So
/// some is kept for newcomers, which counts as free only for an account below its
/// [`floor`](Self::floor): an account that holds nothing gets its floor at once, as long
/// as fewer accounts are greedy than there are floors in that part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// The whole amount.
    pub total: u64,
    /// The part that only [`Holder::Operator`](crate::Holder::Operator) may use.
    pub reserve: u64,
    /// What clients that have not presented a token may have together. `None`: each
    /// counts like an account.
    pub strangers: Option<Strangers>,
    /// How many times the free amount one holder may have.
    pub factor: u64,
    /// What a holder may always have, as long as that much is free.
    pub floor: u64,
    /// How many floors only holders below their floor may take, at most; see
    /// [`newcomers`](Self::newcomers).
    pub kept_floors: u64,
    /// What a holder may always have, even if nothing is free. Only for resources that
    /// stand for a right to proceed, not for something that must physically exist.
    pub certain: u64,
    /// The most that a holder may have, however much is free.
    pub each: u64,
}

/// What clients that have not presented a token have together of one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strangers {
    /// What is kept for them, whatever accounts want.
    pub kept: u64,
    /// The most that they may have together, however much is free. What goes beyond
    /// `kept` is what accounts leave, apart from the part for newcomers.
    pub most: u64,
    /// What one of them may always have, as long as that much is free. An eighth of
    /// `most` is kept for those below it.
    pub floor: u64,
}

/// How much of a resource is held, by kind of holder.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taken {
    /// By accounts, and by the operator beyond its reserve.
    pub(crate) by_accounts: u64,
    /// By clients that have not presented a token.
    pub(crate) by_strangers: u64,
}

impl Capacity {
    /// Creates a capacity without a reserve, with the default factor and a floor of one.
    /// Nothing is kept for newcomers or strangers.
    #[must_use]
    pub fn of(total: u64) -> Self {
        Self {
            total,
            reserve: 0,
            strangers: None,
            factor: FACTOR,
            floor: 1,
            kept_floors: 0,
            certain: 0,
            each: u64::MAX,
        }
    }

    /// Sets the reserve.
    #[must_use]
    pub fn with_reserve(self, reserve: u64) -> Self {
        Self { reserve, ..self }
    }

    /// Sets the part for strangers.
    #[must_use]
    pub fn with_strangers(self, strangers: Strangers) -> Self {
        Self {
            strangers: Some(strangers),
            ..self
        }
    }

    /// Sets the floor, and a part for newcomers: four floors, but at least an eighth and
    /// at most a third of what accounts share.
    #[must_use]
    pub fn with_floor(self, floor: u64) -> Self {
        Self {
            floor,
            kept_floors: FLOORS_KEPT,
            ..self
        }
    }

    /// Sets what each holder may always have.
    #[must_use]
    pub fn with_certain(self, certain: u64) -> Self {
        Self { certain, ..self }
    }

    /// Sets a bound on what one holder may have.
    #[must_use]
    pub fn with_each(self, each: u64) -> Self {
        Self { each, ..self }
    }

    /// Returns the most that one account can ever have: when everything is free.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.room(0, Taken::default())
    }

    /// Returns the most that one stranger can ever have.
    #[must_use]
    pub fn most_of_a_stranger(&self) -> u64 {
        self.room_of_a_stranger(0, Taken::default())
    }

    /// Returns what is kept for accounts that have less than their floor.
    #[must_use]
    pub fn newcomers(&self) -> u64 {
        if self.kept_floors == 0 {
            return 0;
        }
        let shared = self.total.saturating_sub(self.reserve);
        let shared = shared.saturating_sub(self.kept_for_strangers());
        self.floor
            .saturating_mul(self.kept_floors)
            .clamp(shared / 8, shared / 3)
    }

    fn kept_for_strangers(&self) -> u64 {
        self.strangers.map_or(0, |strangers| strangers.kept)
    }

    /// Returns what is free for accounts, including the part for newcomers.
    pub(crate) fn free(&self, taken: Taken) -> u64 {
        self.total
            .saturating_sub(self.reserve)
            .saturating_sub(taken.by_strangers.max(self.kept_for_strangers()))
            .saturating_sub(taken.by_accounts)
    }

    /// Returns how much more an account that has `held` may take while `taken` is in use.
    pub(crate) fn room(&self, held: u64, taken: Taken) -> u64 {
        let free = self.free(taken);
        let open = free.saturating_sub(self.newcomers());
        share(self.factor, held, open)
            .max(self.floor.saturating_sub(held))
            .min(free)
            .max(self.certain.saturating_sub(held))
            .min(self.each.saturating_sub(held))
    }

    /// Returns what is free for strangers.
    pub(crate) fn free_for_strangers(&self, taken: Taken) -> u64 {
        let free = self.free(taken);
        let Some(strangers) = self.strangers else {
            return free;
        };
        let kept = strangers.kept.saturating_sub(taken.by_strangers);
        let open = free.saturating_sub(self.newcomers());
        let left = strangers.most.saturating_sub(taken.by_strangers);
        kept.saturating_add(open).min(left)
    }

    /// Returns how much more a client that has `held` and has not presented a token may
    /// take.
    pub(crate) fn room_of_a_stranger(&self, held: u64, taken: Taken) -> u64 {
        let Some(strangers) = self.strangers else {
            return self.room(held, taken);
        };
        let free = self.free_for_strangers(taken);
        let open = free.saturating_sub(strangers.most / 8);
        share(self.factor, held, open)
            .max(strangers.floor.saturating_sub(held))
            .min(free)
            .min(self.each.saturating_sub(held))
    }
}

/// Returns what a holder may take under the dynamic threshold: the largest `n` with
/// `held + n <= factor * (free - n)`, so that the rule still holds afterwards.
fn share(factor: u64, held: u64, free: u64) -> u64 {
    factor
        .saturating_mul(free)
        .saturating_sub(held)
        .checked_div(factor.saturating_add(1))
        .unwrap_or(0)
}

/// The capacity of each resource. A capacity that is not set is unbounded, for tools that
/// run one program for one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacities([Capacity; Resource::ALL.len()]);

impl Capacities {
    /// Sets the capacity of one resource.
    #[must_use]
    pub fn with(mut self, resource: Resource, capacity: Capacity) -> Self {
        self.0[resource as usize] = capacity;
        self
    }

    pub(crate) fn set(&mut self, resource: Resource, capacity: Capacity) {
        self.0[resource as usize] = capacity;
    }

    /// Returns the capacity of one resource.
    #[must_use]
    pub fn get(&self, resource: Resource) -> &Capacity {
        &self.0[resource as usize]
    }
}

impl Default for Capacities {
    fn default() -> Self {
        let unbounded = Capacity {
            factor: u64::MAX,
            floor: u64::MAX,
            ..Capacity::of(u64::MAX)
        };
        Self([unbounded; Resource::ALL.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_accounts(by_accounts: u64) -> Taken {
        Taken {
            by_accounts,
            by_strangers: 0,
        }
    }

    #[test]
    fn a_holder_alone_leaves_a_quarter_to_the_next() {
        let capacity = Capacity::of(64);
        assert_eq!(capacity.most(), 48);
        assert_eq!(capacity.room(48, by_accounts(48)), 0);
        // The next one has its part at once, and leaves some too.
        assert_eq!(capacity.room(0, by_accounts(48)), 12);
    }

    #[test]
    fn a_capacity_of_one_can_be_taken() {
        assert_eq!(Capacity::of(1).most(), 1);
        assert_eq!(Capacity::of(1).with_floor(1).most(), 1);
        assert_eq!(Capacity::of(0).most(), 0);
    }

    #[test]
    fn the_reserve_is_not_shared() {
        let capacity = Capacity::of(100).with_reserve(20);
        assert_eq!(capacity.most(), 60);
        assert_eq!(capacity.room(0, by_accounts(80)), 0);
    }

    #[test]
    fn an_operator_can_bound_each_holder() {
        let capacity = Capacity::of(64).with_each(8).with_certain(1);
        assert_eq!(capacity.most(), 8);
        assert_eq!(capacity.room(8, by_accounts(8)), 0);
        assert_eq!(capacity.room(0, by_accounts(8)), 8);
    }

    #[test]
    fn the_newcomers_part_is_four_floors_within_an_eighth_and_a_third() {
        for (total, floor, newcomers) in [(64, 1, 8), (64, 3, 12), (64, 100, 21), (2, 1, 0)] {
            let capacity = Capacity::of(total).with_floor(floor);
            assert_eq!(capacity.newcomers(), newcomers, "{floor} of {total}");
        }
        assert_eq!(Capacity::of(64).newcomers(), 0);
    }

    #[test]
    fn a_holder_that_has_its_floor_gets_nothing_of_the_newcomers_part() {
        let capacity = Capacity::of(64).with_floor(2);
        assert_eq!(capacity.room(2, by_accounts(56)), 0);
        assert_eq!(capacity.room(1, by_accounts(56)), 1);
        assert_eq!(capacity.room(0, by_accounts(56)), 2);
    }

    #[test]
    fn a_guaranteed_amount_can_be_taken_when_nothing_is_free() {
        let capacity = Capacity::of(4).with_certain(1);
        assert_eq!(capacity.room(0, by_accounts(9)), 1);
        assert_eq!(capacity.room(1, by_accounts(9)), 0);
    }

    #[test]
    fn strangers_have_their_part_and_no_more_whatever_accounts_hold() {
        let strangers = Strangers {
            kept: 8,
            most: 16,
            floor: 1,
        };
        let capacity = Capacity::of(64).with_strangers(strangers).with_floor(1);
        assert_eq!(capacity.free_for_strangers(Taken::default()), 16);
        // Accounts take everything that is not kept for others.
        assert_eq!(capacity.free_for_strangers(by_accounts(49)), 8);
        assert_eq!(capacity.free_for_strangers(by_accounts(56)), 8);
        // Strangers that hold their maximum leave the rest to accounts.
        let taken = Taken {
            by_accounts: 0,
            by_strangers: 16,
        };
        assert_eq!(capacity.free_for_strangers(taken), 0);
        assert_eq!(capacity.free(taken), 48);
        assert_eq!(capacity.room_of_a_stranger(0, Taken::default()), 10);
    }

    #[test]
    fn a_resource_without_a_capacity_is_unbounded() {
        let capacities = Capacities::default();
        assert_eq!(capacities.get(Resource::Memory).most(), u64::MAX);
    }
}
