//! `tenterhook backup`: writes everything that a server has stored into one file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::say::say;
use crate::serve::StorageFlags;
use crate::{command, quantity};

/// Copies what a server has stored into one file; the server may be running.
///
/// The file is either complete or absent, and readable only by its owner: it holds what
/// tenants have uploaded and sent, and what hooks have printed. It does not hold the
/// owner's token, of which the database has only a hash. `tenterhook restore` creates a
/// data folder from it.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The file to write; it must not exist yet.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    storage: StorageFlags,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &BackupArgs, log: Option<&str>) -> ExitCode {
    command::run(log, || run(args))
}

fn run(args: &BackupArgs) -> anyhow::Result<()> {
    let database = args.storage.database()?;
    command::block_on(tenterhook_store::backup(&database, &args.file))?;
    say(format_args!(
        "wrote {} into {}",
        quantity::show_size(size(&args.file)?),
        args.file.display()
    ));
    Ok(())
}

fn size(file: &Path) -> anyhow::Result<u64> {
    let found = file.metadata();
    Ok(found
        .with_context(|| format!("cannot read the size of {}", file.display()))?
        .len())
}
