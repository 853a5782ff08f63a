//! The data of the server-sent events that an execution's output is followed by.

use serde::{Deserialize, Serialize};

use crate::execution::Outcome;
use crate::task::State;

/// The data of `attempt`, the first event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptStart {
    /// The attempt whose output follows, from 1.
    pub attempt: u32,
}

/// The data of `stdout` and `stderr`: text, or base64 of a part that is not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputPart {
    /// Text.
    Text(String),
    /// Base64 of the bytes.
    Base64(String),
}

/// The data of `end`, the last event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptEnd {
    /// The attempt that has ended; 0 if none has begun.
    pub attempt: u32,
    /// How it ended, as far as that is known.
    pub outcome: Option<Outcome>,
    /// The state of the execution after it; `WAITING` if another attempt follows, null if the
    /// execution is gone.
    pub state: Option<State>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_one_member() {
        let part = OutputPart::Text("x\n".into());
        assert_eq!(serde_json::to_string(&part).unwrap(), r#"{"text":"x\n"}"#);
        assert!(serde_json::from_str::<OutputPart>("{}").is_err());
    }
}
