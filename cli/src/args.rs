//! The command line as it was typed, unchecked: each command validates its own part and
//! reports all faults at once.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::{
    account, backup, build, cancel, case, check, check_data, completion, event, executions, fire,
    logs, man, new, principal, push, quote, replay, restore, run, serve, test, token, top,
};

/// Runs shell scripts and WASI modules as hooks, each in a sandbox with limits.
#[derive(Debug, Parser)]
#[command(name = "tenterhook", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// What to log, such as `info` or `tenterhook_dispatch=debug` [default: info
    /// for `serve`, error otherwise].
    #[arg(long, global = true, value_name = "FILTER", env = "TENTERHOOK_LOG")]
    pub(crate) log: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(new::NewArgs),
    Build(build::BuildArgs),
    Check(check::CheckArgs),
    Event(event::EventArgs),
    Run(run::RunArgs),
    Test(test::TestArgs),
    Push(push::PushArgs),
    Fire(fire::FireArgs),
    Logs(logs::LogsArgs),
    Executions(executions::ExecutionsArgs),
    Replay(replay::ReplayArgs),
    Case(case::CaseArgs),
    Quote(quote::QuoteArgs),
    Top(top::TopArgs),
    Cancel(cancel::CancelArgs),
    // By far the largest.
    Serve(Box<serve::ServeArgs>),
    Backup(backup::BackupArgs),
    Restore(restore::RestoreArgs),
    CheckData(check_data::CheckDataArgs),
    Account(account::AccountArgs),
    Principal(principal::PrincipalArgs),
    Token(token::TokenArgs),
    Completion(completion::CompletionArgs),
    Man(man::ManArgs),
}

/// Parses the command line, or reports what is wrong with it and exits.
///
/// A wrong command line ends with status 2. For `run` it is 125, as for every fault of the
/// host: 2 may be the hook's own status.
pub(crate) fn read() -> Args {
    Args::try_parse().unwrap_or_else(|mut error| {
        suggest_data_dir(&mut error, std::env::args_os());
        let _ = error.print();
        std::process::exit(match error.use_stderr() {
            false => 0,
            true if names_run(std::env::args_os()) => run::HOST_FAULT.into(),
            true => 2,
        });
    })
}

/// Whether the first command on this line is `run`.
fn names_run(line: impl Iterator<Item = OsString>) -> bool {
    first_command(&Args::command(), line).is_some_and(|command| command == "run")
}

fn first_command(
    whole: &clap::Command,
    mut line: impl Iterator<Item = OsString>,
) -> Option<OsString> {
    line.find(|word| whole.find_subcommand(word).is_some() || word == "help")
}

/// Suggests `--data-dir` where `--data` was typed for the server's data folder: the flag
/// had that name, which is left to an event's data. By its spelling alone, clap would
/// suggest `--data-file` to `fire`.
fn suggest_data_dir(error: &mut clap::Error, line: impl Iterator<Item = OsString>) {
    let is_data = matches!(
        error.get(ContextKind::InvalidArg),
        Some(ContextValue::String(flag)) if flag == "--data"
    );
    if error.kind() != ErrorKind::UnknownArgument || !is_data {
        return;
    }
    let whole = Args::command();
    let command = first_command(&whole, line).and_then(|name| whole.find_subcommand(name));
    let has_data_dir = |command: &clap::Command| {
        command
            .get_arguments()
            .any(|arg| arg.get_long() == Some("data-dir"))
    };
    if command.is_some_and(has_data_dir) {
        let suggestion = ContextValue::String("--data-dir".into());
        error.insert(ContextKind::SuggestedArg, suggestion);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn flags_of_run_may_precede_or_follow_the_file() {
        for line in [
            [
                "tenterhook",
                "run",
                "--fuel",
                "2G",
                "hook.sh",
                "a",
                "--",
                "-v",
            ],
            [
                "tenterhook",
                "run",
                "hook.sh",
                "a",
                "--fuel",
                "2G",
                "--",
                "-v",
            ],
        ] {
            let Command::Run(run) = Args::try_parse_from(line).unwrap().command else {
                panic!("{line:?} is not `run`");
            };
            assert_eq!(run.limits.fuel.as_deref(), Some("2G"));
            assert_eq!(run.args, ["a", "-v"]);
        }
    }
}
