//! What delivery shares with the rest of a server: the time, room on the disk, and the
//! ledger.

use std::sync::Arc;

use tenterhook_clock::{SystemClock, Timepiece};
use tenterhook_ledger::Ledger;
use uuid::Uuid;

/// Room on the disk for what accounts are owed.
pub trait Disk: Send + Sync {
    /// Takes room for what is about to be kept for an account, in bytes.
    ///
    /// # Errors
    ///
    /// Why there is none, in words for the account.
    fn take(&self, account: Uuid, bytes: u64) -> Result<(), String>;
}

/// What delivery shares with the rest of a server.
#[derive(Clone)]
pub struct Surroundings {
    /// The time.
    pub timepiece: Timepiece,
    /// The room on the disk.
    pub disk: Arc<dyn Disk>,
    /// What says how many attempts are made at one time.
    pub ledger: Ledger,
}

impl Surroundings {
    /// The machine's clock, believed as it is, and a disk without an end: for who delivers
    /// and does nothing else.
    #[must_use]
    pub fn alone(ledger: Ledger) -> Self {
        Self {
            timepiece: Timepiece::start(Arc::new(SystemClock), None),
            disk: Arc::new(Endless),
            ledger,
        }
    }
}

/// Room without an end.
struct Endless;

impl Disk for Endless {
    fn take(&self, _account: Uuid, _bytes: u64) -> Result<(), String> {
        Ok(())
    }
}
