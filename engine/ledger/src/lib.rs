//! One owner for everything that tenants share.
//!
//! A [`Resource`] has a [`Capacity`], a reserve that only the operator may use, and a
//! fair share for each [`Holder`]. Taking some of it returns a [`Guard`], or a
//! [`Shortage`] that names the resource, the amount and when to retry. No other module
//! keeps a counter of what tenants share. The ledger is not a queue: who waits, and in
//! which order, is up to the caller.

mod amounts;
mod capacity;
mod guard;
mod holder;
mod host;
mod ledger;
mod level;
mod listener;
mod resource;
mod shortage;
mod waits;

pub use crate::amounts::Amounts;
pub use crate::capacity::{Capacities, Capacity, Strangers};
pub use crate::guard::Guard;
pub use crate::holder::Holder;
pub use crate::host::{Host, HostAmount, free_disk, raise_descriptors};
pub use crate::ledger::Ledger;
pub use crate::level::Level;
pub use crate::listener::Listener;
pub use crate::resource::{Resource, Unit};
pub use crate::shortage::{Scope, Shortage};
pub use crate::waits::Waits;
