//! What the dispatcher asks of a database: one trait per noun, and [`Store`], which is all of
//! them.
//!
//! One conformance suite checks a store against this documentation. Rules about names, sizes
//! and defaults are kept by the dispatcher; a store keeps uniqueness, references and
//! durability.

mod accounts;
mod apps;
mod claims;
mod clock;
mod control;
mod damage;
mod executions;
mod hooks;
mod identity;
mod lifecycle;
mod overrides;
mod recovery;
mod results;
mod retention;
mod servers;
mod sources;
mod tasks;

use std::future::Future;
use std::pin::Pin;

pub use self::accounts::AccountStore;
pub use self::apps::AppStore;
pub use self::claims::ClaimStore;
pub use self::clock::ClockStore;
pub use self::control::ControlStore;
pub use self::damage::DamageStore;
pub use self::executions::ExecutionStore;
pub use self::hooks::HookStore;
pub use self::identity::IdentityStore;
pub use self::lifecycle::LifecycleStore;
pub use self::overrides::OverrideStore;
pub use self::recovery::RecoveryStore;
pub use self::results::ResultStore;
pub use self::retention::RetentionStore;
pub use self::servers::ServerStore;
pub use self::sources::SourceStore;
pub use self::tasks::TaskStore;
use crate::error::Error;

/// The answer to a call that is queued when it returns.
pub type Queued<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// A durable store of all nouns. It is implemented by implementing the trait of each.
///
/// A change that was answered with `Ok` survives `kill -9` and power failure.
/// Nouns to insert carry [`Number::UNASSIGNED`](crate::Number::UNASSIGNED); they come back
/// with the number that the store has given them. Identifiers that callers may choose are unique
/// within an account only: one account cannot learn of another's.
pub trait Store:
    AccountStore
    + IdentityStore
    + AppStore
    + OverrideStore
    + ServerStore
    + SourceStore
    + HookStore
    + DamageStore
    + TaskStore
    + ExecutionStore
    + ResultStore
    + ControlStore
    + ClaimStore
    + RecoveryStore
    + ClockStore
    + RetentionStore
    + LifecycleStore
{
}

impl<S> Store for S where
    S: AccountStore
        + IdentityStore
        + AppStore
        + OverrideStore
        + ServerStore
        + SourceStore
        + HookStore
        + DamageStore
        + TaskStore
        + ExecutionStore
        + ResultStore
        + ControlStore
        + ClaimStore
        + RecoveryStore
        + ClockStore
        + RetentionStore
        + LifecycleStore
{
}
