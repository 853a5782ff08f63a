//! What the clock has shown, in the store, and waits that were stretched by a clock that was
//! set back.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::error::Error;

/// What the clock has shown.
#[async_trait]
pub trait ClockStore: Send + Sync {
    /// Shortens each wait for a retry that ends further in the future than it was to last, or
    /// than the policy of its hook allows where that is not known: the clock was set back
    /// after it was stored. For the start, when no task is owned.
    async fn shorten_waits(&self, now: OffsetDateTime) -> Result<(), Error>;

    /// Reads the latest time that was taken to be right; `None` if none is stored.
    async fn clock_seen(&self) -> Result<Option<OffsetDateTime>, Error>;

    /// Stores a time that is taken to be right.
    async fn see_clock(&self, at: OffsetDateTime) -> Result<(), Error>;
}
