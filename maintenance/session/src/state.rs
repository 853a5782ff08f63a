//! The states of a maintenance session, and which may follow which.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A state of a maintenance session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Projects are notified that there will be maintenance, and when.
    Maintenance,
    /// Projects are asked to free capacity.
    ScaleIn,
    /// One host is emptied, so that there is one to begin with.
    PrepareMaintenance,
    /// The hosts that are empty are maintained.
    StartMaintenance,
    /// The next host is emptied.
    PlannedMaintenance,
    /// All hosts are maintained; projects are notified.
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
pub const TRANSITIONS: &[(State, State)] = &[
    (State::Maintenance, State::ScaleIn),
    (State::Maintenance, State::PrepareMaintenance),
    (State::Maintenance, State::StartMaintenance),
    (State::Maintenance, State::MaintenanceFailed),
    (State::ScaleIn, State::ScaleIn),
    (State::ScaleIn, State::PrepareMaintenance),
    (State::ScaleIn, State::StartMaintenance),
    (State::ScaleIn, State::MaintenanceFailed),
    (State::PrepareMaintenance, State::ScaleIn),
    (State::PrepareMaintenance, State::StartMaintenance),
    (State::PrepareMaintenance, State::MaintenanceFailed),
    (State::StartMaintenance, State::PlannedMaintenance),
    (State::StartMaintenance, State::MaintenanceComplete),
    (State::StartMaintenance, State::MaintenanceFailed),
    (State::PlannedMaintenance, State::StartMaintenance),
    (State::PlannedMaintenance, State::MaintenanceFailed),
    (State::MaintenanceComplete, State::MaintenanceDone),
    (State::MaintenanceComplete, State::MaintenanceFailed),
];

impl State {
    /// All states, in the order in which a session may meet them.
    pub const ALL: [Self; 8] = [
        Self::Maintenance,
        Self::ScaleIn,
        Self::PrepareMaintenance,
        Self::StartMaintenance,
        Self::PlannedMaintenance,
        Self::MaintenanceComplete,
        Self::MaintenanceDone,
        Self::MaintenanceFailed,
    ];

    /// Its name, as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Maintenance => "MAINTENANCE",
            Self::ScaleIn => "SCALE_IN",
            Self::PrepareMaintenance => "PREPARE_MAINTENANCE",
            Self::StartMaintenance => "START_MAINTENANCE",
            Self::PlannedMaintenance => "PLANNED_MAINTENANCE",
            Self::MaintenanceComplete => "MAINTENANCE_COMPLETE",
            Self::MaintenanceDone => "MAINTENANCE_DONE",
            Self::MaintenanceFailed => "MAINTENANCE_FAILED",
        }
    }

    /// Whether a session in this state does nothing more by itself.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::MaintenanceDone | Self::MaintenanceFailed)
    }

    /// Whether projects are asked in this state, and so may answer to it.
    #[must_use]
    pub fn asks(self) -> bool {
        !self.is_over() && self != Self::StartMaintenance
    }

    /// Whether [`TRANSITIONS`] lets `next` follow it.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        TRANSITIONS.contains(&(self, next))
    }

    /// What may follow it, `MAINTENANCE_FAILED` included, in the order of the table.
    pub fn successors(self) -> impl Iterator<Item = Self> {
        TRANSITIONS
            .iter()
            .filter(move |(from, _)| *from == self)
            .map(|(_, to)| *to)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = NotAState;

    fn from_str(text: &str) -> Result<Self, NotAState> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(NotAState)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_back_from_its_name_and_from_json() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{state}\""));
        }
        assert_eq!("maintenance".parse::<State>(), Err(NotAState));
    }

    #[test]
    fn every_state_but_the_last_two_may_fail_and_those_two_lead_nowhere() {
        for state in State::ALL {
            assert_eq!(
                state.may_become(State::MaintenanceFailed),
                !state.is_over(),
                "{state}"
            );
            assert_eq!(state.successors().count() == 0, state.is_over(), "{state}");
        }
    }

    #[test]
    fn the_table_has_no_row_twice() {
        let rows: std::collections::BTreeSet<_> = TRANSITIONS.iter().collect();
        assert_eq!(rows.len(), TRANSITIONS.len());
    }
}
