//! `tenterhook cancel`: ends what runs or waits on a server.

use std::process::ExitCode;

use clap::Args;

use crate::say::say;

/// Cancels an execution, or all those of a task.
#[derive(Debug, Args)]
pub(crate) struct Raw {}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, _log: Option<&str>) -> ExitCode {
    say(format_args!("{raw:?} cannot be done yet"));
    ExitCode::FAILURE
}
