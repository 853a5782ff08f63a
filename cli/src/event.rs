//! `tenterhook event`: prints a sample event of a hook point, from the server's catalog.

mod list;
mod sample;

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;
use tenterhook_dispatch::{HookPoint, HookPointName, near_miss};
use uuid::Uuid;

pub(crate) use self::sample::{assignments, sample};
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
    /// The hook point, such as `PreFormatDisk`, another producer's type, such as
    /// `com.github.push`, or `custom.` and a name of your own; without it, the catalog is
    /// listed.
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

/// Parses a hook point's name that was typed; the error suggests the nearest.
///
/// Any type is a hook point's name, but a single word that is not in the catalog is most
/// likely a mistake; an event's file can have such a type.
pub(crate) fn parse_name(name: &str) -> Result<HookPointName, String> {
    let is_known = |name: &HookPointName| name.point().is_some() || name.as_str().contains('.');
    match parse_type(name) {
        Ok(name) if is_known(&name) => Ok(name),
        Ok(_) => Err(
            "must be a hook point's name, such as OnAudit, a type with a dot, such as \
                      com.github.push, or `custom.` and a name of your own; `tenterhook event` \
                      lists the catalog"
                .into(),
        ),
        Err(fault) => Err(fault),
    }
}

/// Parses an event's type; the error suggests the nearest of the catalog.
pub(crate) fn parse_type(name: &str) -> Result<HookPointName, String> {
    if let Some(near) = misspelt(name) {
        return Err(format!("must be a hook point's name; did you mean {near}?"));
    }
    HookPointName::parse(name).map_err(|error| error.to_string())
}

/// Returns the catalog's name that was likely meant by one that is not in it.
pub(crate) fn misspelt(name: &str) -> Option<&'static str> {
    let is_in_catalog = HookPoint::find(name).is_some();
    match name.contains('.') {
        _ if is_in_catalog => None,
        // Another producer's, unless it is all but the same.
        true => near_miss(name),
        false => nearest_event(name),
    }
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
    for member in set.keys() {
        note_unknown(point, member);
    }
    let mut event = sample(&name, id, Some(time));
    let data = match event.data.take() {
        Some(serde_json::Value::Object(members)) => members,
        _ => serde_json::Map::new(),
    };
    let own = data.into_iter();
    let mut data: BTreeMap<_, _> = own
        .map(|(name, value)| (name, Shown::Sample(value)))
        .collect();
    data.extend(
        set.into_iter()
            .map(|(name, value)| (name, Shown::Set(value))),
    );
    let text = if args.data_only {
        serde_json::to_string_pretty(&data)
    } else {
        serde_json::to_string_pretty(&Sample { event, data })
    };
    Ok(text.expect("an event holds nothing that JSON cannot say") + "\n")
}

/// A sample event, whose data may have values that were given as text.
#[derive(Serialize)]
struct Sample {
    #[serde(flatten)]
    event: tenterhook_sdk::Event,
    data: BTreeMap<String, Shown>,
}

/// A member of the data.
#[derive(Serialize)]
#[serde(untagged)]
enum Shown {
    /// The catalog's.
    Sample(serde_json::Value),
    /// As it was given.
    Set(Box<RawValue>),
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
