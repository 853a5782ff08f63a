//! `tenterhook build`: the program of a project, built as its `tenterhook.toml` says.

use std::process::ExitCode;

use clap::Args;

use crate::say::say;

/// Builds the project in this folder and checks the result as an upload would.
#[derive(Debug, Args)]
pub(crate) struct Raw {}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, _log: Option<&str>) -> ExitCode {
    say(format_args!("{raw:?} cannot be done yet"));
    ExitCode::FAILURE
}
