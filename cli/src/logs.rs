//! `tenterhook logs`: what hooks have printed on a server, or print right now.

use std::process::ExitCode;

use clap::Args;

use crate::say::say;

/// Shows the output of executions.
#[derive(Debug, Args)]
pub(crate) struct Raw {}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, _log: Option<&str>) -> ExitCode {
    say(format_args!("{raw:?} cannot be done yet"));
    ExitCode::FAILURE
}
