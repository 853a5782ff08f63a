//! What became of a run, seen from the guest's side.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a run ended. Every way a guest can end is one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Outcome {
    /// The guest exited with this status, 0 to 255.
    Exited {
        /// The exit status; 0 is success.
        status: u8,
    },
    /// The guest reached one of its limits and was stopped.
    Stopped {
        /// The limit that it reached.
        limit: Limit,
    },
    /// The guest trapped.
    Trapped(Trap),
    /// The run was cancelled.
    Cancelled,
}

/// A bound that a guest can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::fuel`](crate::Limits::fuel) is used up.
    Fuel,
    /// [`Limits::memory`](crate::Limits::memory) was not enough, and the guest gave up.
    Memory,
    /// [`Limits::wall`](crate::Limits::wall) has passed.
    Wall,
    /// The guest kept printing far beyond [`Limits::output`](crate::Limits::output).
    Output,
    /// It needed what its limits allow but its host does not have; not its own fault.
    Host,
}

/// Why a guest trapped, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trap {
    /// What went wrong, in one line.
    pub reason: String,
    /// The guest's frames, innermost first; at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backtrace: Vec<String>,
}

impl Outcome {
    /// Returns whether the guest ended by itself with status 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Exited { status: 0 })
    }

    /// Returns whether an equal run would end like this again. One that was interrupted from
    /// outside, by time, a client or its host, may end in any other way.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        match self {
            Self::Exited { .. } | Self::Trapped(_) => true,
            Self::Stopped { limit } => !matches!(limit, Limit::Wall | Limit::Host),
            Self::Cancelled => false,
        }
    }
}

impl Limit {
    /// Returns the name in lower case, as it appears in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fuel => "fuel",
            Self::Memory => "memory",
            Self::Wall => "wall",
            Self::Output => "output",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited { status } => write!(f, "exited with status {status}"),
            Self::Stopped { limit: Limit::Host } => {
                f.write_str("stopped because its host had no more memory for it")
            }
            Self::Stopped { limit } => write!(f, "stopped at its {limit} limit"),
            Self::Trapped(trap) => write!(f, "trapped: {}", trap.reason),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_have_one_flat_form_in_json() {
        let json = |outcome: &Outcome| serde_json::to_string(outcome).unwrap();
        assert_eq!(
            json(&Outcome::Exited { status: 3 }),
            r#"{"kind":"exited","status":3}"#
        );
        assert_eq!(
            json(&Outcome::Stopped { limit: Limit::Wall }),
            r#"{"kind":"stopped","limit":"wall"}"#
        );
        assert_eq!(
            json(&Outcome::Trapped(Trap {
                reason: "x".into(),
                backtrace: vec![]
            })),
            r#"{"kind":"trapped","reason":"x"}"#
        );
        assert_eq!(json(&Outcome::Cancelled), r#"{"kind":"cancelled"}"#);
    }
}
