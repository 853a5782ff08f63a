//! What is wrong with a script, found without running it.
//!
//! The text is a tenant's, so no parser of the host reads it: the shell does, in the
//! sandbox and within limits, by a command that reports on its standard input. What comes
//! back is untrusted too, and read as such.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tenterhook_admission::{Kind, one_line};
use tenterhook_ledger::Holder;

use crate::engine::Engine;
use crate::error::Error;
use crate::invocation::Invocation;
use crate::limits::Limits;
use crate::outcome::Outcome;

/// The script that checks the one on its standard input.
const CHECKER: &[u8] = b"tenterhook-check\n";

/// The most diagnostics of one script.
const DIAGNOSTICS_MAX: usize = 100;

/// One thing that is wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// The line, from 1.
    pub line: u32,
    /// The character in that line, from 1.
    pub column: u32,
    /// What is wrong, on one line.
    pub message: String,
}

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The script cannot be parsed from here on. Lines before it are run all the same.
    Error,
    /// Something in it will fail.
    Warning,
}

impl Engine {
    /// Reads a script without running it, on the engine's own threads, and reports what
    /// is wrong with it in the order of its lines. Waits until the holder may run it.
    ///
    /// A script that takes more than the limits on this has one diagnostic with that reason.
    ///
    /// # Errors
    ///
    /// Only when the host could not do its part.
    pub async fn diagnose(&self, holder: Holder, script: Bytes) -> Result<Vec<Diagnostic>, Error> {
        let checker = Bytes::from_static(CHECKER);
        let checker = self.load_for(holder, Kind::Script, checker).await?;
        let invocation = Invocation {
            name: "check".into(),
            stdin: script,
            limits: limits(),
            ..Invocation::default()
        };
        let admitted = self.wait_for_permit(holder, &checker, &invocation.limits);
        let permit = admitted.await?;
        let run = self.spawn_admitted(&checker, permit, invocation);
        let report = run.await.unwrap_or(Err(Error::Panicked {
            digest: checker.digest(),
        }))?;
        Ok(match report.outcome {
            Outcome::Exited { status: 0 | 1 } => parse(&report.stdout),
            outcome => vec![Diagnostic {
                severity: Severity::Warning,
                line: 1,
                column: 1,
                message: format!("the script could not be checked: {outcome}"),
            }],
        })
    }
}

/// Limits on checking one script: the largest takes a tenth of this fuel.
fn limits() -> Limits {
    Limits {
        fuel: 4_000_000_000,
        wall: Duration::from_secs(10),
        output: 256 * 1024,
        ..Limits::default()
    }
}

/// Reads what the checker prints: severity, line, column and message between tabs.
fn parse(printed: &[u8]) -> Vec<Diagnostic> {
    let printed = String::from_utf8_lossy(printed);
    let read = |line: &str| {
        let mut fields = line.splitn(4, '\t');
        let severity = match fields.next()? {
            "error" => Severity::Error,
            "warning" => Severity::Warning,
            _ => return None,
        };
        Some(Diagnostic {
            severity,
            line: fields.next()?.parse().ok()?,
            column: fields.next()?.parse().ok()?,
            message: one_line(fields.next()?),
        })
    };
    printed
        .lines()
        .filter_map(read)
        .take(DIAGNOSTICS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_the_checker_is_not_trusted() {
        let printed = b"warning\t2\t7\tno `x`\x1b[2J\nerror\t3\t1\ta\tb\nnote\t1\t1\tx\nerror\t-1\t1\tx\nerror\t1\n\xff\n";
        let read = parse(printed);
        let read: Vec<_> = read
            .iter()
            .map(|own| (own.severity, own.line, own.column, own.message.as_str()))
            .collect();
        assert_eq!(
            read,
            [
                (Severity::Warning, 2, 7, "no `x` [2J"),
                (Severity::Error, 3, 1, "a b")
            ]
        );
        let many = "error\t1\t1\tx\n".repeat(1_000);
        assert_eq!(parse(many.as_bytes()).len(), DIAGNOSTICS_MAX);
    }
}
