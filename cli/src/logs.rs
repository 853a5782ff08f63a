//! `tenterhook logs`: prints the output of hooks on a server, and follows it.

mod follow;
mod lines;
mod reconnect;
mod show;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tenterhook_wire::{Attempt, Execution, List, State};

use self::follow::{Followed, Follower};
use self::reconnect::Reconnect;
use self::show::{LineOrigin, LogPrinter, OutputState};
use self::watch::Watch;
use crate::client::{self, Client, Received};
use crate::command;
use crate::execution::{self, PATH};
use crate::interrupt;
use crate::quantity::parse_millis;
use crate::table::OutputFormat;

/// Prints the output of an execution, or of the newest ones of a hook, of a task or of all.
///
/// Structured log lines (JSON objects with `level` and `message`) are formatted, and bytes
/// that are not UTF-8 shown as `\xff`. With --json, every line is an object: with `text_base64`
/// beside `text` if bytes in that had to be replaced, and with `attempt` if one was asked for.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what"))]
pub(crate) struct LogsArgs {
    /// The execution, by its id or the beginning or end of it.
    #[arg(value_name = "EXECUTION", group = "what")]
    execution: Option<String>,
    /// The executions of this task, by id or number.
    #[arg(long, value_name = "TASK", group = "what")]
    task: Option<String>,
    /// The executions of this hook, by id or number.
    #[arg(long, value_name = "HOOK", group = "what")]
    hook: Option<String>,
    /// Keep printing new output: of one execution or task until it has finished, otherwise
    /// until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// While following, keep trying to reach a server that is gone for this long, and go on
    /// from there; 0s does not try.
    #[arg(long, value_name = "TIME", default_value = "1min", value_parser = patience)]
    reconnect: Duration,
    /// Only this attempt of the execution, from 1; the last one by default.
    #[arg(
        long,
        value_name = "N",
        requires = "execution",
        conflicts_with = "follow"
    )]
    attempt: Option<u32>,
    /// At most this many executions that have already finished.
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    #[command(flatten)]
    format: OutputFormat,
    #[command(flatten)]
    client: client::Flags,
}

fn patience(text: &str) -> Result<Duration, String> {
    let millis = parse_millis(text).map_err(|error| error.to_string())?;
    Ok(Duration::from_millis(millis))
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &LogsArgs, log: Option<&str>) -> ExitCode {
    command::run(log, || run(args))
}

fn run(args: &LogsArgs) -> anyhow::Result<()> {
    let client = Arc::new(Client::open(&args.client)?);
    if args.follow {
        interrupt::guard("")?;
    }
    let reconnect = Reconnect::within(args.reconnect);
    if let Some(execution) = &args.execution {
        let printer = LogPrinter::alone(args.format);
        let id = execution::find(&client, execution)?;
        match (args.follow, args.attempt) {
            (true, _) => follow_to_the_end(&client, &printer, &id, reconnect)?,
            (false, Some(attempt)) => print_attempt(&client, &printer, &id, attempt)?,
            (false, None) => drop(print_stored(&client, &printer, &id)?),
        }
        return Ok(());
    }
    let printer = Arc::new(LogPrinter::several(args.format));
    let mut filter = Vec::new();
    filter.extend(args.task.clone().map(|task| ("task", task)));
    filter.extend(args.hook.clone().map(|hook| ("hook", hook)));
    let query: Vec<_> = filter
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    if args.follow {
        let (client, printer) = (Arc::clone(&client), Arc::clone(&printer));
        let watch = Watch::new(client, printer, filter.clone(), reconnect);
        return watch.run(args.limit, args.task.as_deref());
    }
    let page: List<Received<Execution>> = client.page(PATH, &query, args.limit, None)?;
    let mut newest = page.items;
    // Newest first, except those of one task, which come in execution order.
    if args.task.is_none() {
        newest.reverse();
    }
    for one in newest.iter().filter(|one| one.latest.attempt != 0) {
        if print_stored(&client, &printer, &one.head.id)? == OutputState::Closed {
            break;
        }
    }
    Ok(())
}

/// Prints what the server has stored of an execution's output.
fn print_stored(client: &Client, printer: &LogPrinter, id: &str) -> anyhow::Result<OutputState> {
    let execution: Execution = client.get(&client::path(PATH, id), &[])?;
    let head = &execution.head;
    let origin = LineOrigin::of(head);
    printer.whole(&origin, &head.warnings, head.state, &execution.latest)
}

/// Prints what the server has stored of one attempt's output.
fn print_attempt(
    client: &Client,
    printer: &LogPrinter,
    id: &str,
    attempt: u32,
) -> anyhow::Result<()> {
    let path = client::path(PATH, id);
    let execution: Execution = client.get(&path, &[])?;
    let shown: Attempt = client.get(&format!("{path}/attempts/{attempt}"), &[])?;
    // Only the last one can have the execution's state; those before were tried again.
    let state = match execution.latest.attempt == attempt {
        true => execution.head.state,
        false => State::Waiting,
    };
    let origin = LineOrigin::of(&execution.head).with_attempt(attempt);
    printer.whole(&origin, &[], state, &shown).map(drop)
}

/// Follows an execution's output, attempt by attempt, until it has finished.
fn follow_to_the_end(
    client: &Client,
    printer: &LogPrinter,
    id: &str,
    reconnect: Reconnect,
) -> anyhow::Result<()> {
    let execution: Execution = client.get(&client::path(PATH, id), &[])?;
    let writer = printer.begin(LineOrigin::of(&execution.head));
    let mut follower = Follower::new(client, writer, id, None, reconnect);
    while let Followed::Attempt { is_last: false, .. } = follower.next_attempt()? {}
    Ok(())
}
