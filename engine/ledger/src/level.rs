//! The level of a resource: how much there is, and how much is held.

use crate::resource::Resource;

/// The level of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The resource.
    pub resource: Resource,
    /// The whole amount; `u64::MAX` if it has no bound.
    pub total: u64,
    /// The part that only the operator may use.
    pub reserve: u64,
    /// The part that only an account below its floor may take.
    pub newcomers: u64,
    /// What clients without a token may hold together; `u64::MAX` if each counts like an
    /// account.
    pub strangers_most: u64,
    /// What is held.
    pub taken: u64,
    /// The part of `taken` that clients without a token hold.
    pub strangers: u64,
    /// The most that was held at one time.
    pub peak: u64,
    /// How many requests were refused.
    pub refused: u64,
    /// The number of holders.
    pub holders: usize,
}
