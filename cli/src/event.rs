//! `tenterhook event`: prints a sample event of a hook point, from the server's catalog.

mod list;
mod sample;

use std::process::ExitCode;

use clap::Args;
use tenterhook_dispatch::{HookPoint, HookPointName};
use uuid::Uuid;

pub(crate) use self::sample::{assignments, check_time, sample};
use self::sample::{now, parse_time};
use crate::command;
use crate::faults::Faults;
use crate::project::nearest_event;
use crate::say::say;
use crate::table::{OutputFormat, print};

/// Prints a sample event of a hook point, or lists all hook points.
///
/// The event is complete, in CloudEvents form, as `run --event FILE`, `test` and `fire` take
/// it. Its data is the catalog's; id and time are new each time unless they are given.
#[derive(Debug, Args)]
pub(crate) struct EventArgs {
    /// The hook point, such as `PreFormatDisk`, or `custom.` and a name of your own;
    /// without it, all are listed.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// A member of the data, such as `serial=WD-1`; may be repeated. What the catalog
    /// declares as text is text; anything else is JSON if it parses as JSON.
    #[arg(long, value_name = "NAME=VALUE", requires = "name")]
    set: Vec<String>,
    /// The event's id [default: a new UUID].
    #[arg(long, value_name = "ID", requires = "name")]
    id: Option<String>,
    /// The event's time, such as `2026-03-10T16:15:50Z` [default: now].
    #[arg(long, value_name = "RFC3339", requires = "name")]
    time: Option<String>,
    /// Print the data alone, as `run --data FILE` takes it.
    #[arg(long, requires = "name", conflicts_with_all = ["id", "time"])]
    data_only: bool,
    #[command(flatten)]
    format: OutputFormat,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &EventArgs, _log: Option<&str>) -> ExitCode {
    let text = match &args.name {
        None => Ok(list::all(args.format)),
        Some(name) => one(args, name),
    };
    let text = match text {
        Ok(text) => text,
        Err(faults) => {
            say(faults);
            return ExitCode::from(2);
        }
    };
    command::end(print(&text).map(|()| ExitCode::SUCCESS))
}

/// Parses a hook point's name; the error suggests the nearest.
pub(crate) fn parse_name(name: &str) -> Result<HookPointName, String> {
    HookPointName::parse(name).map_err(|_| match nearest_event(name) {
        Some(near) => format!("must be a hook point's name; did you mean {near}?"),
        None => "must be a hook point's name, such as OnAudit, or `custom.` and a name of your \
                 own; `tenterhook event` lists them"
            .into(),
    })
}

fn one(args: &EventArgs, name: &str) -> Result<String, Faults> {
    let mut faults = Faults::default();
    let name = faults.check("NAME", parse_name(name));
    let time = match &args.time {
        Some(text) => faults.check("--time", parse_time(text)),
        None => Some(now()),
    };
    let id = match &args.id {
        Some(id) if id.is_empty() => faults.check("--id", Err("must not be empty")),
        Some(id) => Some(id.clone()),
        None => Some(Uuid::new_v4().to_string()),
    };
    let point = name.as_ref().and_then(HookPointName::point);
    let set = faults.check("--set", assignments(point, &args.set));
    let (Some(name), Some(time), Some(id), Some(set)) = (name, time, id, set) else {
        return Err(faults);
    };
    for (member, _) in &set {
        note_unknown(point, member);
    }
    let mut event = sample(&name, id, Some(time));
    if let Some(data) = event
        .data
        .as_mut()
        .and_then(serde_json::Value::as_object_mut)
    {
        data.extend(set);
    }
    let text = if args.data_only {
        serde_json::to_string_pretty(&event.data)
    } else {
        serde_json::to_string_pretty(&event)
    };
    Ok(text.expect("an event holds nothing that JSON cannot say") + "\n")
}

/// Notes that the catalog does not list a member; it is set all the same.
fn note_unknown(point: Option<&HookPoint>, member: &str) {
    let Some(point) = point else {
        return;
    };
    let known: Vec<_> = point.parameters.iter().map(|own| own.name).collect();
    if known.contains(&member) {
        return;
    }
    let near = similar::get_close_matches(member, &known, 1, 0.5);
    let hint = match near.first() {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; it has {}", known.join(", ")),
    };
    say(crate::neutral::line(&format!(
        "{} has no parameter `{member}`{hint}",
        point.name
    )));
}
