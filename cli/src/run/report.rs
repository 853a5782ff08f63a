//! The report of a local run: outcome and resource bill, as JSON for programs.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;
use tenterhook_engine::{Kind, Outcome, Program, Report, Usage};
use tenterhook_sdk::Verdict;

use super::ending::Ending;

/// The report's form. Names are those of an execution in the native API.
#[derive(Serialize)]
struct Form<'a> {
    kind: Kind,
    digest: String,
    outcome: &'a Outcome,
    exit_status: u8,
    usage: &'a Usage,
    truncated: bool,
    dropped_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'a Verdict>,
}

/// Writes the report to `file`; `-` is standard output.
pub(super) fn write(
    file: &Path,
    program: &Program,
    run: &Report,
    ending: &Ending,
) -> anyhow::Result<()> {
    let form = Form {
        kind: program.kind(),
        digest: program.digest().to_string(),
        outcome: &run.outcome,
        exit_status: ending.status(),
        usage: &run.usage,
        truncated: run.dropped_bytes > 0,
        dropped_bytes: run.dropped_bytes,
        verdict: run.verdict.as_ref(),
    };
    let mut json = serde_json::to_string_pretty(&form).context("cannot print the report")?;
    json.push('\n');
    let written = if file == Path::new("-") {
        io::stdout().lock().write_all(json.as_bytes())
    } else {
        fs::write(file, json)
    };
    written.with_context(|| format!("cannot write the report to {}", file.display()))
}
