//! Everything that one run leaves behind: outcome, usage, output and verdict.

use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;
use crate::verdict::Verdict;

/// What one run left behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How the run ended.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
    /// The standard output that was kept.
    pub stdout: Vec<u8>,
    /// The standard error that was kept.
    pub stderr: Vec<u8>,
    /// Bytes of both streams that were dropped at the output limit; 0 if none.
    pub dropped_bytes: u64,
    /// A digest of the files that it left: equal ones have equal digests. `None` if it used
    /// none, was interrupted, or is a script, whose files are in its own memory.
    pub files_digest: Option<u64>,
    /// The verdict that the hook left in `/verdict.json`.
    pub verdict: Option<Verdict>,
    /// What is wrong with the verdict of a run that ended by itself, in one line that
    /// names the file; there is no verdict then.
    pub verdict_fault: Option<String>,
    /// Microseconds for which it held a run slot: all except those that it slept.
    pub awake_us: u64,
}

impl Report {
    /// Returns whether the guest ended by itself with status 0 and did not leave an
    /// unusable verdict.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.outcome.is_success() && self.verdict_fault.is_none()
    }
}

/// What one run used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Units of work, host calls included. For a run that was interrupted or trapped, up to
    /// a million units of its last loop are unknown and not included.
    pub fuel: u64,
    /// The peak of linear memory, in bytes.
    pub memory_peak_bytes: u64,
    /// Microseconds from start to end.
    pub wall_us: u64,
    /// Microseconds of processor time while the guest ran.
    pub cpu_us: u64,
    /// Calls from the guest into the host.
    pub host_calls: u64,
    /// Bytes printed on both streams, dropped ones included.
    pub output_bytes: u64,
    /// Bytes written to files, in whole blocks of 4 KiB.
    pub files_bytes: u64,
}
