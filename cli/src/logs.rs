//! `tenterhook logs`: prints the output of hooks on a server, and follows it.

mod lines;
mod show;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;

use self::show::{LineOrigin, LogPrinter, OutputState};
use self::watch::Watch;
use crate::client::{self, Client, OutputEvent, text};
use crate::command;
use crate::table::OutputFormat;
use crate::{execution, interrupt};
use clap::Args;

/// Prints the output of an execution, or of the newest ones of a hook, of a task or of all.
///
/// Structured log lines (JSON objects with `level` and `message`) are formatted; with
/// --json, every line is an object.
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
    /// At most this many executions that have already finished.
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    #[command(flatten)]
    format: OutputFormat,
    #[command(flatten)]
    client: client::Flags,
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
    if let Some(execution) = &args.execution {
        let printer = LogPrinter::alone(args.format);
        let id = execution::find(&client, execution)?;
        match args.follow {
            true => follow_to_the_end(&client, &printer, &id)?,
            false => drop(print_stored(&client, &printer, &id)?),
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
        let watch = Watch::new(Arc::clone(&client), Arc::clone(&printer), filter.clone());
        return watch.run(args.limit, args.task.as_deref());
    }
    let (mut newest, _) = client.page("/api/v1/executions", &query, args.limit, None)?;
    // Newest first, except those of one task, which come in execution order.
    if args.task.is_none() {
        newest.reverse();
    }
    for one in newest.iter().filter(|one| one["attempt"] != 0) {
        if print_stored(&client, &printer, text(one, "id"))? == OutputState::Closed {
            break;
        }
    }
    Ok(())
}

/// Prints what the server has stored of an execution's output.
fn print_stored(client: &Client, printer: &LogPrinter, id: &str) -> anyhow::Result<OutputState> {
    let execution = client.get(&client::path("/api/v1/executions", id), &[])?;
    printer.whole(&LineOrigin::of(&execution), &execution)
}

/// Follows an execution's output, attempt by attempt, until it has finished.
fn follow_to_the_end(client: &Client, printer: &LogPrinter, id: &str) -> anyhow::Result<()> {
    let mut shown = 0;
    loop {
        let execution = client.get(&client::path("/api/v1/executions", id), &[])?;
        let attempt = execution["attempt"].as_u64().unwrap_or(0);
        if attempt > shown {
            shown = follow(client, printer, id)?.max(attempt);
        } else if watch::is_over(&execution) {
            return Ok(());
        } else {
            // It waits to run, or to be retried.
            std::thread::sleep(watch::INTERVAL);
        }
    }
}

/// Follows an execution's output until its attempt ends; returns the attempt's number.
fn follow(client: &Client, printer: &LogPrinter, id: &str) -> anyhow::Result<u64> {
    let execution = client.get(&client::path("/api/v1/executions", id), &[])?;
    let mut writer = printer.begin(LineOrigin::of(&execution));
    let mut stream = client.follow(id)?;
    while let Some(event) = stream.next()? {
        let shown = match event {
            OutputEvent::Stdout(bytes) => writer.write("stdout", &bytes)?,
            OutputEvent::Stderr(bytes) => writer.write("stderr", &bytes)?,
            OutputEvent::End(end) => {
                writer.end(&end)?;
                return Ok(execution["attempt"].as_u64().unwrap_or(0));
            }
        };
        if shown == OutputState::Closed {
            std::process::exit(0);
        }
    }
    anyhow::bail!(
        "the server closed the connection; is it shutting down? `tenterhook logs {}` shows the rest",
        execution::short(id)
    )
}
