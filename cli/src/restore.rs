//! `tenterhook restore`: a data folder made of a backup.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::command;
use crate::say::say;
use crate::serve::{DEFAULT_DATA, OWNER_TOKEN_FILE, restore_into};

/// Makes a data folder of a file that `tenterhook backup` has written.
///
/// The folder must not be there yet, or be empty: nothing is ever overwritten. The backup
/// is checked before it is used. The owner's token is not in it: copy `owner.token` from
/// the old folder, or start the server with `--new-owner-token`. All other tokens work.
#[derive(Debug, Args)]
pub(crate) struct Raw {
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The data folder to make [default: ./tenterhook-data].
    #[arg(long, value_name = "DIR", env = "TENTERHOOK_DATA")]
    data_dir: Option<PathBuf>,
}

/// Runs the command; returns the status of the process.
pub(crate) fn main(raw: &Raw, log: Option<&str>) -> ExitCode {
    command::run(log, || run(raw))
}

fn run(raw: &Raw) -> anyhow::Result<()> {
    let data = raw.data_dir.clone().unwrap_or_else(|| DEFAULT_DATA.into());
    restore_into(&data, |database| {
        command::block_on(tenterhook_store::restore(&raw.file, database))
    })?;
    say(format_args!(
        "restored {} into {}; its owner's token is not in a backup: copy {OWNER_TOKEN_FILE} there, or start the \
         server with `--new-owner-token`",
        raw.file.display(),
        data.display()
    ));
    Ok(())
}
