//! The states of a maintenance session, and which may follow which.

use serde::{Deserialize, Serialize};

/// A state of a maintenance session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Projects are told that there will be maintenance, and when.
    Maintenance,
    /// Projects are asked to free capacity.
    ScaleIn,
    /// One host is emptied, so that there is one to begin with.
    PrepareMaintenance,
    /// The hosts that are empty are maintained.
    StartMaintenance,
    /// The next host is emptied.
    PlannedMaintenance,
    /// All hosts are maintained; projects are told.
    MaintenanceComplete,
    /// It ended well.
    MaintenanceDone,
    /// It failed, and waits to be resumed or removed.
    MaintenanceFailed,
}

/// The text is not a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a state is `MAINTENANCE`, `SCALE_IN`, `PREPARE_MAINTENANCE`, `START_MAINTENANCE`, `PLANNED_MAINTENANCE`, `MAINTENANCE_COMPLETE`, `MAINTENANCE_DONE` or `MAINTENANCE_FAILED`"
)]
pub struct NotAState;

/// Which state may follow which, without the resumption of a failed session by its
/// admin. Any state but the last two may be followed by `MAINTENANCE_FAILED`; that
/// is in the table as well.
pub const TRANSITIONS: &[(State, State)] = &[];
