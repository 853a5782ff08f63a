//! `tenterhook executions`: what ran on a server, how it ended and what it cost.

use std::process::ExitCode;

use clap::Args;

use crate::say::say;

/// Lists executions, the newest first.
#[derive(Debug, Args)]
pub(crate) struct Raw {}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, _log: Option<&str>) -> ExitCode {
    say(format_args!("{raw:?} cannot be done yet"));
    ExitCode::FAILURE
}
