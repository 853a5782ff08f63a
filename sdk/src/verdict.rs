//! A hook's answer to the question that a `Pre…` event asks.
//!
//! It is optional: a hook that leaves none has answered with its exit status.

use std::{fmt, fs, io};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::contract::{VERDICT_FILE, VERDICT_MAX_BYTES};
use crate::json;

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

    /// Says why; of an allowed event as well.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
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
        let mut members = self.details.clone();
        if let Some(allow) = self.allow {
            members.insert("allow".to_owned(), allow.into());
        }
        if let Some(reason) = &self.reason {
            members.insert("reason".to_owned(), reason.as_str().into());
        }
        json::print(&members.into())
    }

    /// Leaves the verdict where the engine looks for it. A hook that returns its
    /// verdict need not.
    ///
    /// # Errors
    ///
    /// When it is longer than the engine reads ([`TooLong`]), or the file cannot be
    /// written, for instance over the file limit.
    pub fn leave(&self) -> io::Result<()> {
        let json = self.to_json();
        TooLong::check(json.len()).map_err(io::Error::other)?;
        fs::write(VERDICT_FILE, json)
            .map_err(|error| io::Error::other(format!("cannot write {VERDICT_FILE}: {error}")))
    }
}

/// A verdict is longer than the engine reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// Its length as JSON, in bytes.
    pub bytes: usize,
}

impl TooLong {
    /// Refuses a verdict of more than [`VERDICT_MAX_BYTES`].
    pub(crate) fn check(bytes: usize) -> Result<(), Self> {
        if bytes > VERDICT_MAX_BYTES {
            return Err(Self { bytes });
        }
        Ok(())
    }
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes } = self;
        write!(
            f,
            "the verdict has {bytes} bytes, and no more than {VERDICT_MAX_BYTES} are read: say less in it"
        )
    }
}

impl std::error::Error for TooLong {}

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
    fn a_verdict_is_read_as_it_was_printed() {
        let verdict = Verdict::deny("a \"quoted\"\nreason").with("disks", vec!["sdc"]);
        assert_eq!(
            serde_json::from_str::<Verdict>(&verdict.to_json()).unwrap(),
            verdict
        );
        assert_eq!(Verdict::default().to_json(), "{}");
    }

    #[test]
    fn an_answer_without_allow_says_nothing_about_going_on() {
        let verdict: Verdict = serde_json::from_str(r#"{"note":"done"}"#).unwrap();
        assert_eq!(verdict.allow, None);
    }
}
