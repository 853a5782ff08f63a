//! What deliveries share with the rest of a server: the clock, the disk and the ledger.

use std::sync::Arc;

use tenterhook_clock::{SystemClock, Timepiece};
use tenterhook_ledger::Ledger;
use uuid::Uuid;

/// Disk space for the deliveries of accounts.
pub trait Disk: Send + Sync {
    /// Reserves space for what is about to be stored for an account, in bytes.
    ///
    /// # Errors
    ///
    /// Why there is none, in words for the account.
    fn take(&self, account: Uuid, bytes: u64) -> Result<(), String>;
}

/// What deliveries share with the rest of a server.
#[derive(Clone)]
pub struct Surroundings {
    /// The clock.
    pub timepiece: Timepiece,
    /// The disk space.
    pub disk: Arc<dyn Disk>,
    /// Limits how many attempts are made at once.
    pub ledger: Ledger,
}

impl Surroundings {
    /// Creates surroundings with the machine's clock, trusted as it is, and an unlimited
    /// disk: for a process that only delivers.
    #[must_use]
    pub fn alone(ledger: Ledger) -> Self {
        Self {
            timepiece: Timepiece::start(Arc::new(SystemClock), None),
            disk: Arc::new(Unlimited),
            ledger,
        }
    }
}

/// A disk without a limit.
struct Unlimited;

impl Disk for Unlimited {
    fn take(&self, _account: Uuid, _bytes: u64) -> Result<(), String> {
        Ok(())
    }
}
