//! Readiness, failure and closing of the store. Opening is each store's own.

use async_trait::async_trait;

use crate::error::Error;
use crate::readiness::NotReady;

/// Readiness, failure and closing.
#[async_trait]
pub trait LifecycleStore: Send + Sync {
    /// Checks readiness by writing something, unless that has just succeeded. Ends within a
    /// few seconds.
    async fn ready(&self) -> Result<(), NotReady>;

    /// Waits until the store can never write again, and returns the reason.
    async fn gone(&self) -> String;

    /// Writes everything to its place and closes. No call after this one succeeds.
    async fn close(&self) -> Result<(), Error>;
}
