//! `tenterhook new`: a project that builds, with a test, in the language of the author.

use std::process::ExitCode;

use clap::Args;

use crate::say::say;

/// Makes a project for a hook: source, sample events, a test, and `tenterhook.toml`.
#[derive(Debug, Args)]
pub(crate) struct Raw {
    /// Name of the project and of its folder.
    #[arg(value_name = "NAME")]
    name: String,
}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, _log: Option<&str>) -> ExitCode {
    say(format_args!("{raw:?} cannot be done yet"));
    ExitCode::FAILURE
}
