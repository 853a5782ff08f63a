//! `tenterhook event`: a sample event of a hook point, from the catalog of the server.

use std::process::ExitCode;

use clap::Args;

use crate::say::say;

/// Prints a sample event of a hook point.
#[derive(Debug, Args)]
pub(crate) struct Raw {
    /// The hook point, such as `PreFormatDisk`; without it, all are listed.
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, _log: Option<&str>) -> ExitCode {
    say(format_args!("{raw:?} cannot be done yet"));
    ExitCode::FAILURE
}
