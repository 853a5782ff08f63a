//! `tenterhook man`: manual pages, made from the command line itself.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};

use crate::say::say;
use crate::{args, command};

/// Prints the manual page, or writes all of them into a folder.
///
/// Such as `tenterhook man ~/.local/share/man/man1`; then `man tenterhook-run`.
#[derive(Debug, Args)]
pub(crate) struct Raw {
    /// The folder for the pages, one for each command; made if it is not there.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, _log: Option<&str>) -> ExitCode {
    let written = match &raw.folder {
        Some(folder) => write_all(folder),
        None => print(),
    };
    command::end(written.map(|()| ExitCode::SUCCESS))
}

fn print() -> anyhow::Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(args::Args::command()).render(&mut page)?;
    match io::stdout().lock().write_all(&page) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn write_all(folder: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot write the manual pages into {}", folder.display());
    fs::create_dir_all(folder).with_context(cannot)?;
    clap_mangen::generate_to(args::Args::command(), folder).with_context(cannot)?;
    say(format_args!(
        "wrote the manual pages into {}",
        folder.display()
    ));
    Ok(())
}
