//! `tenterhook restore`: creates a data folder from a backup.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::command;
use crate::say::say;
use crate::serve::{DEFAULT_DATA, OWNER_TOKEN_FILE, restore_into};

/// Creates a data folder from a file that `tenterhook backup` has written.
///
/// The folder must not exist yet, or be empty: nothing is ever overwritten. The backup is
/// checked before it is used. The owner's token is not in it: copy `owner.token` from
/// the old folder, or start the server with `--new-owner-token`. All other tokens work.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The data folder to create [default: ./tenterhook-data].
    #[arg(long, value_name = "DIR", env = "TENTERHOOK_DATA")]
    data_dir: Option<PathBuf>,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &RestoreArgs, log: Option<&str>) -> ExitCode {
    command::run(log, || run(args))
}

fn run(args: &RestoreArgs) -> anyhow::Result<()> {
    let data = args.data_dir.clone().unwrap_or_else(|| DEFAULT_DATA.into());
    restore_into(&data, |database| {
        command::block_on(tenterhook_store::restore(&args.file, database))
    })?;
    say(format_args!(
        "restored {} into {}; its owner's token is not in a backup: copy {OWNER_TOKEN_FILE} there, or start the \
         server with `--new-owner-token`",
        args.file.display(),
        data.display()
    ));
    Ok(())
}
