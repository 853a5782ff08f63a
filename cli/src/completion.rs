//! `tenterhook completion`: completion scripts, generated from the command line.

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
pub(crate) struct CompletionArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &CompletionArgs, _log: Option<&str>) -> ExitCode {
    command::end(table::print(&script(args.shell)).map(|()| ExitCode::SUCCESS))
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    // For completion only, not validation: custom names are allowed too.
    let names = PossibleValuesParser::new(HookPoint::catalog().map(|point| point.name));
    let mut command = args::Args::command().mut_subcommand("event", |event| {
        event.mut_arg("name", |name| name.value_parser(names))
    });
    clap_complete::generate(shell, &mut command, "tenterhook", &mut script);
    String::from_utf8(script).expect("the script is made of the help, which is text")
}
