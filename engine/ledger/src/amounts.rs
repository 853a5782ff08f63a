//! An amount of each resource: what is requested, or what is held.

use crate::resource::Resource;

/// An amount of each resource; zero of all by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts([u64; Resource::ALL.len()]);

impl Amounts {
    /// Creates an amount of one resource.
    #[must_use]
    pub fn of(resource: Resource, amount: u64) -> Self {
        Self::default().and(resource, amount)
    }

    /// Adds an amount of one resource.
    #[must_use]
    pub fn and(mut self, resource: Resource, amount: u64) -> Self {
        self.add(resource, amount);
        self
    }

    /// Returns the amount of one resource.
    #[must_use]
    pub fn get(&self, resource: Resource) -> u64 {
        self.0[resource as usize]
    }

    /// Iterates over the resources with a non-zero amount, and their amounts.
    pub fn iter(&self) -> impl Iterator<Item = (Resource, u64)> {
        Resource::ALL
            .into_iter()
            .zip(self.0)
            .filter(|(_, amount)| *amount > 0)
    }

    /// Returns whether every amount is zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|amount| *amount == 0)
    }

    pub(crate) fn add(&mut self, resource: Resource, amount: u64) {
        let held = &mut self.0[resource as usize];
        *held = held.saturating_add(amount);
    }

    pub(crate) fn subtract(&mut self, resource: Resource, amount: u64) {
        let held = &mut self.0[resource as usize];
        *held = held.saturating_sub(amount);
    }

    pub(crate) fn set(&mut self, resource: Resource, amount: u64) {
        self.0[resource as usize] = amount;
    }
}
