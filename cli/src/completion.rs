//! `tenterhook completion`: completion scripts, made from the command line itself.

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use tenterhook_dispatch::HookPoint;

use crate::{args, command, table};

/// Prints a completion script for a shell.
///
/// For bash: `tenterhook completion bash > ~/.local/share/bash-completion/completions/tenterhook`.
#[derive(Debug, Args)]
pub(crate) struct Raw {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, _log: Option<&str>) -> ExitCode {
    command::end(table::print(&script(raw.shell)).map(|()| ExitCode::SUCCESS))
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    // To be completed, not to be checked: names of one's own are welcome too.
    let names = PossibleValuesParser::new(HookPoint::catalog().map(|point| point.name));
    let mut command = args::Args::command().mut_subcommand("event", |event| {
        event.mut_arg("name", |name| name.value_parser(names))
    });
    clap_complete::generate(shell, &mut command, "tenterhook", &mut script);
    String::from_utf8(script).expect("the script is made of the help, which is text")
}
