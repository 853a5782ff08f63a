//! A hook's answer to the question that a `Pre…` event asks.
//!
//! It is optional: a hook that leaves none has answered with its exit status.

use std::{fmt, fs, io};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::contract::{VERDICT_FILE, VERDICT_MAX_BYTES};
use crate::json;

/// A hook's answer: whether to proceed, why, and any other details.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether what the event announces may proceed. Absent: the exit status decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<bool>,
    /// Why, for a person to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Anything else that the hook put into its answer.
    #[serde(flatten)]
    pub details: Map<String, Value>,
}

impl Verdict {
    /// Allows what the event announces.
    #[must_use]
    pub fn allow() -> Self {
        Self {
            allow: Some(true),
            ..Self::default()
        }
    }

    /// Denies what the event announces, for `reason`.
    #[must_use]
    pub fn deny(reason: impl Into<String>) -> Self {
        Self {
            allow: Some(false),
            reason: Some(reason.into()),
            ..Self::default()
        }
    }

    /// Sets the reason, which an allowed event may have as well.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Adds a detail.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.details.insert(name.into(), value.into());
        self
    }

    /// Returns the verdict as the JSON that the engine reads.
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

    /// Writes the verdict to where the engine reads it. A hook that returns its verdict
    /// need not.
    ///
    /// # Errors
    ///
    /// If it is longer than the engine accepts ([`TooLong`]), or the file cannot be
    /// written, for instance beyond the file limit.
    pub fn leave(&self) -> io::Result<()> {
        let json = self.to_json();
        TooLong::check(json.len()).map_err(io::Error::other)?;
        fs::write(VERDICT_FILE, json)
            .map_err(|error| io::Error::other(format!("cannot write {VERDICT_FILE}: {error}")))
    }
}

/// A verdict is longer than the engine accepts.
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
    fn a_verdict_keeps_unknown_members() {
        let json = r#"{"allow":true,"weight":3}"#;
        let verdict: Verdict = serde_json::from_str(json).unwrap();
        assert_eq!(verdict.details["weight"], 3);
        assert_eq!(verdict.to_json(), json);
    }

    #[test]
    fn a_verdict_is_parsed_as_it_was_printed() {
        let verdict = Verdict::deny("a \"quoted\"\nreason").with("disks", vec!["sdc"]);
        assert_eq!(
            serde_json::from_str::<Verdict>(&verdict.to_json()).unwrap(),
            verdict
        );
        assert_eq!(Verdict::default().to_json(), "{}");
    }

    #[test]
    fn a_verdict_without_allow_does_not_decide() {
        let verdict: Verdict = serde_json::from_str(r#"{"note":"done"}"#).unwrap();
        assert_eq!(verdict.allow, None);
    }
}
