//! The expectation of a sample event: a file that is compared, or written.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Deserializer, Serialize};
use tenterhook_engine::Report;

use super::compare;
use super::exact::{Exact, pretty};
use crate::program_file;

/// Largest expectation, in bytes: the largest output that a run may have, with
/// room for how JSON writes it.
const MAX_BYTES: u64 = 64 << 20;

/// An expectation. What is absent is not compared, except the status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// The exit status, or that of `tenterhook run` where there is none: 124 at the
    /// deadline, 137 at another limit, 134 for a trap.
    #[serde(default)]
    pub(super) status: u8,
    /// The whole verdict; `null` for none.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) verdict: Option<Exact>,
    /// The whole standard output; invalid UTF-8 in it is U+FFFD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stdout: Option<String>,
    /// The whole standard error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stderr: Option<String>,
    /// Structured log lines in this order, with others between them; each has at least these
    /// members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) logs: Option<Vec<Exact>>,
    /// Most units of fuel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_fuel: Option<u64>,
    /// Most bytes of linear memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_memory_bytes: Option<u64>,
}

/// Distinguishes `null` from an absent member.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Exact>, D::Error> {
    Exact::deserialize(from).map(Some)
}

impl Expected {
    /// Reads a file; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// It cannot be read, or has a member that is not compared.
    pub(super) fn read(file: &Path) -> anyhow::Result<Option<Self>> {
        if !file.exists() {
            return Ok(None);
        }
        let json = program_file::read_bounded(file, MAX_BYTES)?;
        Self::parse(&json)
            .with_context(|| format!("cannot use {}", file.display()))
            .map(Some)
    }

    fn parse(json: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(program_file::without_bom(json))
    }

    /// Creates an expectation from a result: the members that were compared before; the first
    /// time, status, verdict and standard output if there are any. Budgets stay.
    pub(super) fn of(report: &Report, before: Option<Self>) -> Self {
        let first = before.is_none();
        let before = before.unwrap_or_default();
        let verdict = compare::verdict(report);
        let stdout = compare::text(&report.stdout);
        Self {
            status: compare::status(report),
            verdict: match verdict {
                None if before.verdict.is_some() => Some(Exact::null()),
                verdict => verdict,
            },
            stdout: (before.stdout.is_some() || (first && !stdout.is_empty())).then_some(stdout),
            stderr: before.stderr.map(|_| compare::text(&report.stderr)),
            logs: before.logs.map(|_| compare::logs(report)),
            max_fuel: before.max_fuel,
            max_memory_bytes: before.max_memory_bytes,
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let json = serde_json::to_string(self).context("cannot print the result")?;
        fs::write(file, pretty(&json) + "\n")
            .with_context(|| format!("cannot write {}", file.display()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn no_verdict_differs_from_any_verdict() {
        let read = |json: Value| Expected::parse(json.to_string().as_bytes()).unwrap();
        assert_eq!(read(json!({})), Expected::default());
        assert_eq!(read(json!({"verdict": null})).verdict, Some(Exact::null()));
    }

    #[test]
    fn a_member_that_would_not_be_compared_is_refused() {
        let error = Expected::parse(br#"{"statsu": 1}"#)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("statsu") && error.contains("`status`"),
            "{error}"
        );
        assert!(Expected::parse(br#"{"status": 256}"#).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), text in r#"[{}\[\]":,a-z0-9]{0,60}"#) {
            let _ = Expected::parse(&bytes);
            let _ = Expected::parse(text.as_bytes());
        }
    }
}
