//! The event to post: built from a hook point and flags, or read from a file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use serde_json::Value;
use tenterhook_dispatch::{EVENT_MAX_BYTES, EventData, HookPointName, ReceivedEvent};
use tenterhook_engine::json::Members;
use tenterhook_sdk::{Event, EventFault};
use uuid::Uuid;

use super::FireArgs;
use crate::event::{assignments, parse_name, parse_type, sample};
use crate::program_file::without_bom;

/// The `source` of events that are built here.
const SOURCE: &str = "/tenterhook/fire";

/// Builds or reads the event, in the structured form.
pub(super) fn build(args: &FireArgs) -> anyhow::Result<String> {
    let mut event = match is_file(&args.event) {
        true => from_file(args)?,
        false => of_hook_point(args)?,
    };
    let attributes = event.attributes_mut();
    if let Some(id) = &args.id {
        attributes.id.clone_from(id);
    }
    if let Some(subject) = &args.subject {
        attributes.subject = Some(subject.clone());
    }
    if let Some(server) = &args.on {
        // As text, so that the server refuses what could mean two of them.
        let server = Value::from(server.as_str());
        attributes.extensions.insert("serverid".into(), server);
    }
    attributes.check().map_err(described)?;
    Ok(event.to_json())
}

fn described(fault: EventFault) -> anyhow::Error {
    match fault.attribute {
        "" => anyhow!(fault.detail),
        attribute => anyhow!("`{attribute}` {}", fault.detail),
    }
}

/// Whether this names a file rather than a hook point.
fn is_file(name: &str) -> bool {
    name == "-" || name.contains('/') || name.ends_with(".json")
}

fn from_file(args: &FireArgs) -> anyhow::Result<ReceivedEvent> {
    if args.data_file.is_some() || args.sample {
        bail!(
            "`{}` is a complete event, which has its own data; name a hook point instead",
            args.event
        );
    }
    let file = Path::new(&args.event);
    let cannot = || format!("cannot use the event in {}", file.display());
    let event = ReceivedEvent::parse(without_bom(&read(file)?))
        .map_err(described)
        .with_context(cannot)?;
    let name = parse_type(&event.attributes().kind)
        .map_err(|fault| anyhow!("`type` {fault}"))
        .with_context(cannot)?;
    match set(args, &name, event.json_data())? {
        None => Ok(event),
        data => event.with_data(data).map_err(described),
    }
}

fn of_hook_point(args: &FireArgs) -> anyhow::Result<ReceivedEvent> {
    let name = parse_name(&args.event).map_err(|fault| {
        anyhow!(
            "`{}` {fault}; a file with an event ends in `.json`",
            args.event.escape_debug()
        )
    })?;
    let id = Uuid::new_v4().to_string();
    let event = match (&args.data_file, args.sample) {
        (None, true) => sample(&name, id, None).try_into(),
        _ => Event::new(id, SOURCE, name.as_str(), None).try_into(),
    };
    let mut event: ReceivedEvent = event.map_err(described)?;
    event.attributes_mut().source = SOURCE.into();
    if let Some(file) = &args.data_file {
        let data = EventData::json(without_bom(&read(file)?).to_vec().into())
            .with_context(|| format!("cannot read {} as JSON", file.display()))?;
        event = event.with_data(Some(data)).map_err(described)?;
    }
    match set(args, &name, event.json_data())? {
        None => Ok(event),
        data => event.with_data(data).map_err(described),
    }
}

/// Sets members of the data; the others stay as they are. `None` if there is nothing to set.
fn set(
    args: &FireArgs,
    name: &HookPointName,
    data: Option<&str>,
) -> anyhow::Result<Option<EventData>> {
    if args.set.is_empty() {
        return Ok(None);
    }
    let set = assignments(name.point(), &args.set).map_err(|fault| anyhow!("`--set` {fault}"))?;
    let Members(own) = match data {
        None => Members::default(),
        Some(data) => serde_json::from_str(data)
            .map_err(|_| anyhow!("`--set` needs data that is a JSON object"))?,
    };
    let is_set = |name: &str| set.iter().any(|(set, _)| set == name);
    let own = own
        .into_iter()
        .filter(|member| !member.name().is_some_and(|name| is_set(&name)))
        .map(|member| format!("{}:{}", member.name.get(), member.value.get()));
    let new = set
        .iter()
        .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), value.get()));
    let members: Vec<_> = own.chain(new).collect();
    let json = format!("{{{}}}", members.join(","));
    EventData::json(json.into())
        .map(Some)
        .context("cannot print the data")
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
