//! `tenterhook fire`: an event sent to a server, and what became of it.

use std::process::ExitCode;

use clap::Args;

use crate::say::say;

/// Sends an event to a server and tells what its hooks made of it.
#[derive(Debug, Args)]
pub(crate) struct Raw {}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, _log: Option<&str>) -> ExitCode {
    say(format_args!("{raw:?} cannot be done yet"));
    ExitCode::FAILURE
}
