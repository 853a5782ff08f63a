//! The event to post: built from a hook point and flags, or read from a file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use serde_json::{Map, Value};
use tenterhook_dispatch::{EVENT_MAX_BYTES, HookPointName};
use tenterhook_sdk::Event;
use uuid::Uuid;

use super::FireArgs;
use crate::event::{assignments, parse_name, sample};
use crate::program_file::without_bom;

/// The `source` of events that are built here.
const SOURCE: &str = "/tenterhook/fire";

/// Builds or reads the event.
pub(super) fn build(args: &FireArgs) -> anyhow::Result<Value> {
    let mut event = match is_file(&args.event) {
        true => from_file(args)?,
        false => of_hook_point(args)?,
    };
    if let Some(id) = &args.id {
        event.id.clone_from(id);
    }
    if let Some(subject) = &args.subject {
        event.subject = Some(subject.clone());
    }
    if let Some(server) = &args.on {
        let server = match server.parse::<u32>() {
            Ok(number) => number.into(),
            Err(_) => Value::from(server.as_str()),
        };
        event.extensions.insert("serverid".into(), server);
    }
    event
        .check()
        .map_err(|fault| anyhow!("`{}` {}", fault.attribute, fault.detail))?;
    serde_json::to_value(&event).context("cannot print the event")
}

/// Whether this names a file rather than a hook point.
fn is_file(name: &str) -> bool {
    name == "-" || name.contains('/') || name.ends_with(".json")
}

fn from_file(args: &FireArgs) -> anyhow::Result<Event> {
    if args.data_file.is_some() || args.sample {
        bail!(
            "`{}` is a complete event, which has its own data; name a hook point instead",
            args.event
        );
    }
    let file = Path::new(&args.event);
    let cannot = || format!("cannot use the event in {}", file.display());
    let mut event = Event::parse(without_bom(&read(file)?))
        .map_err(|fault| match fault.attribute {
            "" => anyhow!(fault.detail),
            attribute => anyhow!("`{attribute}` {}", fault.detail),
        })
        .with_context(cannot)?;
    let name = parse_name(&event.kind)
        .map_err(|fault| anyhow!("`type` {fault}"))
        .with_context(cannot)?;
    set(args, &name, &mut event.data)?;
    Ok(event)
}

fn of_hook_point(args: &FireArgs) -> anyhow::Result<Event> {
    let name = parse_name(&args.event).map_err(|fault| {
        anyhow!(
            "`{}` {fault}; a file with an event ends in `.json`",
            args.event.escape_debug()
        )
    })?;
    let id = Uuid::new_v4().to_string();
    let mut data = match (&args.data_file, args.sample) {
        (Some(file), _) => Some(
            serde_json::from_slice(without_bom(&read(file)?))
                .with_context(|| format!("cannot read {} as JSON", file.display()))?,
        ),
        (None, true) => sample(&name, String::new(), None).data,
        (None, false) => None,
    };
    set(args, &name, &mut data)?;
    Ok(Event::new(id, SOURCE, name.as_str(), data))
}

/// Sets members of the data.
fn set(args: &FireArgs, name: &HookPointName, data: &mut Option<Value>) -> anyhow::Result<()> {
    if args.set.is_empty() {
        return Ok(());
    }
    let members =
        assignments(name.point(), &args.set).map_err(|fault| anyhow!("`--set` {fault}"))?;
    match data.get_or_insert_with(|| Map::new().into()) {
        Value::Object(map) => map.extend(members),
        _ => bail!("`--set` needs data that is a JSON object"),
    }
    Ok(())
}

/// Reads a file, up to the largest event.
fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", file.display());
    let mut bytes = Vec::new();
    let limit = EVENT_MAX_BYTES as u64;
    if file == Path::new("-") {
        io::stdin().lock().take(limit + 1).read_to_end(&mut bytes)
    } else {
        File::open(file)
            .with_context(cannot)?
            .take(limit + 1)
            .read_to_end(&mut bytes)
    }
    .with_context(cannot)?;
    if bytes.len() as u64 > limit {
        bail!(
            "{} has more than {limit} bytes, too many for an event",
            file.display()
        );
    }
    Ok(bytes)
}
