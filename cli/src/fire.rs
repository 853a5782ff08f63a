//! `tenterhook fire`: posts an event to a server and reports what its hooks decided.

mod event;
mod summary;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tenterhook_wire::Task;

use crate::client::{self, Client};
use crate::command;
use crate::paint;
use crate::say::say;
use crate::table::{OutputFormat, print, print_json};

/// Exit status if the event's task has not finished when the wait runs out.
const STILL_RUNNING: u8 = 3;

/// Posts an event to a running server and reports what each of its hooks decided.
///
/// Exit status: 0 if the event is allowed, 1 if it is denied or could not be sent, 3 if its
/// hooks have not finished when the wait runs out.
#[derive(Debug, Args)]
pub(crate) struct FireArgs {
    /// A hook point, such as `PreFormatDisk` or `custom.deployed`, or a file with a
    /// complete event, such as `tests/first.event.json`; `-` is standard input.
    #[arg(value_name = "NAME|FILE")]
    event: String,
    /// The event's data, JSON in this file; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "sample")]
    data_file: Option<PathBuf>,
    /// Start from the catalog's sample data.
    #[arg(long)]
    sample: bool,
    /// A member of the data, such as `serial=WD-1`; may be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// The server that the event is about, by id, number or name; `id:`, `number:` or `name:`
    /// before it says which.
    #[arg(long = "on", value_name = "SERVER")]
    on: Option<String>,
    /// The event's subject; for Astra's events the app, by id, number or name, with
    /// `id:`, `number:` or `name:` before it where that could mean two.
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// The event's id; an id that was posted before runs nothing [default: that of the
    /// file, or a new UUID].
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Seconds to wait for the event's hooks, up to 120.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    wait: f64,
    /// Return as soon as the event is stored.
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
    #[command(flatten)]
    format: OutputFormat,
    #[command(flatten)]
    client: client::Flags,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &FireArgs, log: Option<&str>) -> ExitCode {
    command::run_to(log, || run(args))
}

fn run(args: &FireArgs) -> anyhow::Result<ExitCode> {
    let event = event::build(args)?;
    let wait = match args.no_wait {
        true => Duration::ZERO,
        false => Duration::try_from_secs_f64(args.wait)
            .ok()
            .with_context(|| format!("`--wait {}` must be from 0 to 120 seconds", args.wait))?,
    };
    let client = Client::open(&args.client)?;
    let posted = client.post_event(&event, wait)?;
    if posted.repeated {
        say(
            "an event with this source and id was posted before: nothing runs again, and this is its outcome; `--id` sets another id",
        );
    }
    if posted.removed {
        say("its task has been removed: what its hooks decided is no longer known");
    }
    match args.format.is_json() {
        true => print_json(&posted)?,
        false => print(&summary::task(&posted.task, wait, paint::stdout()))?,
    }
    Ok(status(&posted.task, wait))
}

fn status(task: &Task, wait: Duration) -> ExitCode {
    match task.allow {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::FAILURE,
        None if wait.is_zero() => ExitCode::SUCCESS,
        None => ExitCode::from(STILL_RUNNING),
    }
}
