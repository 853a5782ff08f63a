//! `tenterhook case`: an attempt of a server as one file.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use crate::client::{self, Client};
use crate::{command, execution};

/// Most bytes of a case: the largest program, the longest output, an event and a head.
pub(crate) const MAX_BYTES: u64 = 160 << 20;

/// Writes an attempt as one file to standard output: program, event, variables, limits, clock,
/// random numbers, and what came of it.
///
/// `tenterhook run FILE` repeats it anywhere, and says whether it is the same. The file has the
/// values of the hook, so the token must be an admin's.
#[derive(Debug, Args)]
pub(crate) struct CaseArgs {
    /// The execution, by its id or the beginning or end of it.
    #[arg(value_name = "EXECUTION")]
    execution: String,
    /// Which attempt; by default the latest that has ended.
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
    #[command(flatten)]
    client: client::Flags,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &CaseArgs, log: Option<&str>) -> ExitCode {
    command::run(log, || run(args))
}

fn run(args: &CaseArgs) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if out.is_terminal() {
        bail!("a case is no text: write it to a file, as `tenterhook case EXECUTION > FILE`");
    }
    let client = Client::open(&args.client)?;
    let id = execution::find(&client, &args.execution)?;
    let mut path = format!("{}/case", client::path(execution::PATH, &id));
    if let Some(attempt) = args.attempt {
        path += &format!("?attempt={attempt}");
    }
    let case = client.get_bytes(&path, MAX_BYTES)?;
    Ok(out.write_all(&case).and_then(|()| out.flush())?)
}
