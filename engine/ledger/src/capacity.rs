//! How much there is of a resource, and how much of it one holder may have.

use crate::resource::Resource;

/// How many times what is free one holder may have, unless said otherwise: alone it
/// then has up to three quarters, and there is always a quarter for who comes next.
const FACTOR: u64 = 3;

/// How much there is of one resource, and how it is shared.
///
/// A holder may have at most [`factor`](Self::factor) times what is free: the dynamic
/// threshold by which switches share their buffers (Choudhury and Hahne, 1998). Alone,
/// it has `factor / (factor + 1)` of all; `n` that want more than there is have
/// `factor / (1 + n * factor)` each. What stays free is there for the next holder at
/// once, so that nobody has to wait until another's work ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// All that there is.
    pub total: u64,
    /// What of it only [`Holder::Operator`](crate::Holder::Operator) may use.
    pub reserve: u64,
    /// How many times what is free one holder may have.
    pub factor: u64,
    /// What a holder may have in any case, as long as so much is free.
    pub floor: u64,
    /// What a holder may have at most, however much is free.
    pub each: u64,
}

impl Capacity {
    /// A capacity without a reserve, with the usual factor, of which each holder may
    /// have one in any case.
    #[must_use]
    pub fn of(total: u64) -> Self {
        Self {
            total,
            reserve: 0,
            factor: FACTOR,
            floor: 1,
            each: u64::MAX,
        }
    }

    /// The same with a reserve.
    #[must_use]
    pub fn with_reserve(self, reserve: u64) -> Self {
        Self { reserve, ..self }
    }

    /// The same with another floor.
    #[must_use]
    pub fn with_floor(self, floor: u64) -> Self {
        Self { floor, ..self }
    }

    /// The same with a bound on what one holder may have.
    #[must_use]
    pub fn with_each(self, each: u64) -> Self {
        Self { each, ..self }
    }

    /// The most that one holder can ever have, when all is free.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.room(0, 0)
    }

    /// How much more a holder that has `held` may take while `taken` are in use.
    pub(crate) fn room(&self, held: u64, taken: u64) -> u64 {
        let free = self
            .total
            .saturating_sub(self.reserve)
            .saturating_sub(taken);
        // held + n <= factor * (free - n), so that the rule still holds afterwards.
        let share = self
            .factor
            .saturating_mul(free)
            .saturating_sub(held)
            .checked_div(self.factor.saturating_add(1))
            .unwrap_or(0);
        let floor = self.floor.saturating_sub(held);
        share
            .max(floor)
            .min(free)
            .min(self.each.saturating_sub(held))
    }
}

/// The capacity of each resource. What is not set is without bound, for tools that run
/// one program for one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacities([Capacity; Resource::ALL.len()]);

impl Capacities {
    /// The same with this capacity for one resource.
    #[must_use]
    pub fn with(mut self, resource: Resource, capacity: Capacity) -> Self {
        self.0[resource as usize] = capacity;
        self
    }

    pub(crate) fn set(&mut self, resource: Resource, capacity: Capacity) {
        self.0[resource as usize] = capacity;
    }

    /// The capacity of one resource.
    #[must_use]
    pub fn get(&self, resource: Resource) -> &Capacity {
        &self.0[resource as usize]
    }
}

impl Default for Capacities {
    fn default() -> Self {
        let unbounded = Capacity {
            total: u64::MAX,
            reserve: 0,
            factor: u64::MAX,
            floor: u64::MAX,
            each: u64::MAX,
        };
        Self([unbounded; Resource::ALL.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_alone_leaves_a_quarter_to_who_comes_next() {
        let capacity = Capacity::of(64);
        assert_eq!(capacity.most(), 48);
        assert_eq!(capacity.room(48, 48), 0);
        // The next one has its part at once, and leaves some too.
        assert_eq!(capacity.room(0, 48), 12);
    }

    #[test]
    fn one_of_one_can_be_had() {
        assert_eq!(Capacity::of(1).most(), 1);
        assert_eq!(Capacity::of(0).most(), 0);
    }

    #[test]
    fn the_reserve_is_nobodys_share() {
        let capacity = Capacity::of(100).with_reserve(20);
        assert_eq!(capacity.most(), 60);
        assert_eq!(capacity.room(0, 80), 0);
    }

    #[test]
    fn an_operator_can_bound_what_each_may_have() {
        let capacity = Capacity::of(64).with_each(8);
        assert_eq!(capacity.most(), 8);
        assert_eq!(capacity.room(8, 8), 0);
        assert_eq!(capacity.room(0, 8), 8);
    }

    #[test]
    fn what_has_no_capacity_is_without_bound() {
        let capacities = Capacities::default();
        assert_eq!(capacities.get(Resource::Memory).most(), u64::MAX);
    }
}
