//! `tenterhook backup`: one file with everything that a server has stored.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::say::say;
use crate::serve::Stored;
use crate::{command, quantity};

/// Copies what a server has stored into one file, also while the server runs.
///
/// The file is complete or not there, and for its owner alone: it holds what tenants
/// have uploaded and sent, and what hooks have printed. It does not hold the owner's
/// token, of which the database knows no more than a hash. `tenterhook restore` makes a
/// data folder of it.
#[derive(Debug, Args)]
pub(crate) struct Raw {
    /// The file to write; it must not be there yet.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    stored: Stored,
}

/// Runs the command; returns the status of the process.
pub(crate) fn main(raw: &Raw, log: Option<&str>) -> ExitCode {
    command::run(log, || run(raw))
}

fn run(raw: &Raw) -> anyhow::Result<()> {
    let database = raw.stored.database()?;
    command::block_on(tenterhook_store::backup(&database, &raw.file))?;
    say(format_args!(
        "wrote {} into {}",
        quantity::show_size(size(&raw.file)?),
        raw.file.display()
    ));
    Ok(())
}

fn size(file: &Path) -> anyhow::Result<u64> {
    let found = file.metadata();
    Ok(found
        .with_context(|| format!("cannot look at {}", file.display()))?
        .len())
}
