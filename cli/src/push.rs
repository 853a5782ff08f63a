//! `tenterhook push`: makes a server have what the project in this folder says.

use std::process::ExitCode;

use clap::Args;

use crate::say::say;

/// Creates or updates the source and the hook of this project on a server.
#[derive(Debug, Args)]
pub(crate) struct Raw {}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, _log: Option<&str>) -> ExitCode {
    say(format_args!("{raw:?} cannot be done yet"));
    ExitCode::FAILURE
}
