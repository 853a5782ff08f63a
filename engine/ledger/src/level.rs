//! How a resource stands: what there is of it, and what is held.

use crate::resource::Resource;

/// How a resource stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Which one.
    pub resource: Resource,
    /// All that there is; `u64::MAX` if it has no bound.
    pub total: u64,
    /// What of it only the operator may use.
    pub reserve: u64,
    /// What of it only an account may take that has less than its floor.
    pub newcomers: u64,
    /// What clients without a token may hold of it together; `u64::MAX` if each counts
    /// like an account.
    pub strangers_most: u64,
    /// What is held.
    pub taken: u64,
    /// What of that clients hold that have shown no token.
    pub strangers: u64,
    /// The most that was held at one time.
    pub peak: u64,
    /// How often somebody got nothing.
    pub refused: u64,
    /// How many hold some.
    pub holders: usize,
}
