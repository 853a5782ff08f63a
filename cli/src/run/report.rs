//! The report of a local run: outcome and usage, as JSON.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;
use tenterhook_engine::{AskedLimits, Kind, Limits, Outcome, Program, Report, Usage, Verdict};

use super::ending::Ending;

/// The report. Names are those of an execution in the native API.
#[derive(Serialize)]
pub(crate) struct RunReport<'a> {
    kind: Kind,
    digest: String,
    outcome: &'a Outcome,
    exit_status: u8,
    usage: &'a Usage,
    limits: AskedLimits,
    truncated: bool,
    dropped_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'a Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict_fault: Option<&'a str>,
}

impl<'a> RunReport<'a> {
    pub(crate) fn new(
        program: &Program,
        run: &'a Report,
        limits: &Limits,
        ending: &Ending,
    ) -> Self {
        Self {
            kind: program.kind(),
            digest: program.digest().to_string(),
            outcome: &run.outcome,
            exit_status: ending.status(),
            usage: &run.usage,
            limits: AskedLimits {
                fuel: Some(limits.fuel),
                memory_bytes: Some(limits.memory),
                wall_ms: Some(u64::try_from(limits.wall.as_millis()).unwrap_or(u64::MAX)),
                output_bytes: Some(limits.output),
                files_bytes: Some(limits.files),
                inodes: Some(limits.inodes),
                descriptors: Some(limits.descriptors),
            },
            truncated: run.dropped_bytes > 0,
            dropped_bytes: run.dropped_bytes,
            verdict: run.verdict.as_ref(),
            verdict_fault: run.verdict_fault.as_deref(),
        }
    }

    /// Writes the report to `file`; `-` is standard output.
    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let mut json = serde_json::to_string_pretty(self).context("cannot print the report")?;
        json.push('\n');
        let written = if file == Path::new("-") {
            io::stdout().lock().write_all(json.as_bytes())
        } else {
            fs::write(file, json)
        };
        written.with_context(|| format!("cannot write the report to {}", file.display()))
    }
}
