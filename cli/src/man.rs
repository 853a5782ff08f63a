//! `tenterhook man`: manual pages, generated from the command line.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};

use crate::say::say;
use crate::{args, command};

/// Prints the manual page, or writes the pages of all commands into a folder.
///
/// For example, `tenterhook man ~/.local/share/man/man1`; then `man tenterhook-run`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The folder for the pages, one for each command; created if it does not exist.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &ManArgs, _log: Option<&str>) -> ExitCode {
    let written = match &args.folder {
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
