//! `tenterhook replay`: runs what a server has recorded again, and compares.

pub(crate) mod last;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tenterhook_wire::{Difference, Replay};

use self::last::HookReplays;
use crate::client::{self, Client};
use crate::execution::{self, fuel, outcome, short};
use crate::say::say_error;
use crate::table::{OutputFormat, print, print_json};
use crate::{command, neutral, program_file};

/// The exit status if something differs.
const DIFFERENT: u8 = 1;

/// The exit status if nothing could be compared.
const FAULT: u8 = 2;

/// Runs an attempt again from what the server recorded of it, and says whether it is the
/// same: outcome, verdict, output, files and fuel.
///
/// It runs in the sandbox on the server, with the event, the clock and the random numbers of
/// then, and has no effect outside. A sleep takes no time. Exit status: 0 if all is the same,
/// 1 if something differs, 2 if it could not be replayed.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(crate) struct ReplayArgs {
    /// The execution, by its id or the beginning or end of it.
    #[arg(value_name = "EXECUTION", group = "what")]
    execution: Option<String>,
    /// Which attempt; by default the latest that has ended.
    #[arg(long, value_name = "N", requires = "execution")]
    attempt: Option<u32>,
    /// Replay the newest executions of this hook, by id or number.
    #[arg(long, value_name = "HOOK", group = "what")]
    hook: Option<String>,
    /// How many of them.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = last::parse, requires = "hook")]
    last: usize,
    /// Run this program on the same input instead. It gets the hook's variables, so the
    /// token must be an admin's.
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
    #[command(flatten)]
    format: OutputFormat,
    #[command(flatten)]
    client: client::Flags,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &ReplayArgs, log: Option<&str>) -> ExitCode {
    command::run_to(log, || {
        Ok(match run(args) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => DIFFERENT.into(),
            Err(error) => {
                say_error(&error);
                FAULT.into()
            }
        })
    })
}

/// Returns whether all is the same.
fn run(args: &ReplayArgs) -> anyhow::Result<bool> {
    let program = args.with.as_deref().map(read).transpose()?;
    let client = Client::open(&args.client)?;
    let program = program.as_deref();
    if let Some(hook) = &args.hook {
        let last = HookReplays::replay(&client, hook, args.last, program)?;
        last.print(args.format)?;
        return Ok(last.is_same());
    }
    let id = execution::find(&client, args.execution.as_deref().unwrap_or_default())?;
    let replay = client.replay(&id, args.attempt, program)?;
    match args.format.is_json() {
        true => print_json(&replay)?,
        false => print(&describe(&id, &replay))?,
    }
    Ok(replay.same)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    program_file::read(path)?.whole(path)
}

fn describe(id: &str, replay: &Replay) -> String {
    let how = match replay.same {
        true => "the same",
        false => "different",
    };
    let mut lines = vec![format!(
        "attempt {} of execution {}: {how} ({}, {} fuel)",
        replay.replayed.attempt,
        short(id),
        outcome(&replay.replayed),
        fuel(&replay.replayed),
    )];
    lines.extend(replay.differences.iter().map(difference));
    lines.extend(replay.notes.iter().map(|note| format!("note: {note}")));
    let lines = lines
        .iter()
        .map(|line| neutral::line(line).to_string() + "\n");
    lines.collect()
}

/// Describes a difference in one line.
fn difference(difference: &Difference) -> String {
    let place = match (difference.line, difference.byte) {
        (Some(line), Some(byte)) => format!(", line {line}, byte {byte}"),
        _ => String::new(),
    };
    format!(
        "  {}{place}: was {}, is {}",
        difference.aspect, difference.recorded, difference.replayed
    )
}

#[cfg(test)]
mod tests {
    use tenterhook_wire::Attempt;

    use super::*;

    #[test]
    fn a_difference_is_told_with_its_place() {
        let replay = Replay {
            same: false,
            differences: vec![Difference {
                aspect: "stdout".into(),
                byte: Some(4),
                line: Some(2),
                recorded: "`two`".into(),
                replayed: "`\u{1b}[2J`".into(),
            }],
            notes: vec!["prices may differ".into()],
            digest: String::new(),
            recorded: Attempt::default(),
            replayed: Attempt {
                attempt: 3,
                ..Attempt::default()
            },
        };
        let text = describe("0198c0de-7a1b-7c3d-8e4f-5a6b7c8d9e0f", &replay);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("attempt 3 of execution 5a6b7c8d9e0f: different"),
            "{text}"
        );
        assert_eq!(lines[1], "  stdout, line 2, byte 4: was `two`, is `^[[2J`");
        assert_eq!(lines[2], "note: prices may differ");
    }
}
