//! A hook's answer to the question that a `Pre…` event asks.
//!
//! It is optional: a hook that leaves none has answered with its exit status.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a hook answers: whether to go on, why, and anything else it wants to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether what the event announces may go on. Absent: the exit status says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<bool>,
    /// Why, for a person to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whatever else the hook put into its answer.
    #[serde(flatten)]
    pub details: Map<String, Value>,
}

impl Verdict {
    /// Lets the event go on.
    #[must_use]
    pub fn allow() -> Self {
        Self {
            allow: Some(true),
            ..Self::default()
        }
    }

    /// Refuses what the event announces, for `reason`.
    #[must_use]
    pub fn deny(reason: impl Into<String>) -> Self {
        Self {
            allow: Some(false),
            reason: Some(reason.into()),
            ..Self::default()
        }
    }

    /// Adds one more thing to say.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.details.insert(name.into(), value.into());
        self
    }

    /// Prints the verdict as the JSON that the engine reads.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a verdict holds nothing that JSON cannot say")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_keeps_what_it_does_not_know() {
        let json = r#"{"allow":true,"weight":3}"#;
        let verdict: Verdict = serde_json::from_str(json).unwrap();
        assert_eq!(verdict.details["weight"], 3);
        assert_eq!(verdict.to_json(), json);
    }

    #[test]
    fn an_answer_without_allow_says_nothing_about_going_on() {
        let verdict: Verdict = serde_json::from_str(r#"{"note":"done"}"#).unwrap();
        assert_eq!(verdict.allow, None);
    }
}
