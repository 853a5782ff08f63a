//! `tenterhook fire`: posts an event to a server and tells what its hooks made of it.

mod event;
mod told;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

use crate::client::{self, Client};
use crate::command;
use crate::paint;
use crate::say::say;
use crate::table::{Form, print};

/// Status of a command whose event was not over when the wait ran out.
const NOT_OVER: u8 = 3;

/// Posts an event to a running server and tells what each of its hooks made of it.
///
/// Ends with status 0 if the event may go on, with 1 if it is denied or could not be
/// sent, and with 3 if it is not over when the wait runs out.
#[derive(Debug, Args)]
pub(crate) struct Raw {
    /// A hook point, such as `PreFormatDisk` or `custom.deployed`, or a file with a
    /// whole event, such as `tests/first.event.json`; `-` is standard input.
    #[arg(value_name = "NAME|FILE")]
    event: String,
    /// The event's data, JSON in this file; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "sample")]
    data_file: Option<PathBuf>,
    /// Begin with the catalog's sample data.
    #[arg(long)]
    sample: bool,
    /// A member of the data, such as `serial=WD-1`; may be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// The number or the name of the server that the event is about.
    #[arg(long = "on", value_name = "SERVER")]
    on: Option<String>,
    /// What it happens to; on Astra's events the app, by id, number or name.
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// The event's id: the same one again runs nothing [default: that of the file, or
    /// a new UUID].
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Seconds to wait for the event's hooks, up to 120.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    wait: f64,
    /// Do not wait: the event is stored, and runs.
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    client: client::Flags,
}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, log: Option<&str>) -> ExitCode {
    command::run_to(log, || run(raw))
}

fn run(raw: &Raw) -> anyhow::Result<ExitCode> {
    let event = event::make(raw)?;
    let wait = match raw.no_wait {
        true => Duration::ZERO,
        false => Duration::try_from_secs_f64(raw.wait)
            .ok()
            .with_context(|| format!("`--wait {}` must be from 0 to 120 seconds", raw.wait))?,
    };
    let client = Client::open(&raw.client)?;
    let answer = client.post_event(&event, wait)?;
    if answer["repeated"] == true {
        say(
            "an event with this source and id was posted before: nothing runs anew, and this is what became of it; `--id` gives it another",
        );
    }
    if answer["removed"] == true {
        say("its task is not kept any more: what its hooks decided is not known");
    }
    match raw.form.is_json() {
        true => print(&format!("{answer}\n"))?,
        false => print(&told::task(&answer["task"], wait, paint::stdout()))?,
    }
    Ok(status(&answer["task"], wait))
}

fn status(task: &Value, wait: Duration) -> ExitCode {
    match task["allow"].as_bool() {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::FAILURE,
        None if wait.is_zero() => ExitCode::SUCCESS,
        None => ExitCode::from(NOT_OVER),
    }
}
