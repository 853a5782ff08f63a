//! What a request may hold, and Nova's exact words for what it may not.
//!
//! Of several faults the first is reported, in the order of Nova's own schema.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::event_name::{self, EventName};
use super::json::Json;
use super::microversion::Microversion;
use super::{python, server_uuid};

/// The statuses of an event.
pub(super) const STATUSES: [&str; 3] = ["failed", "completed", "in-progress"];

/// Longest tag, in characters.
pub(super) const TAG_MAX_CHARS: usize = 255;

/// One event that follows the schema.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) name: &'static EventName,
    pub(super) server: Uuid,
    /// The id as it was sent.
    server_uuid: String,
    status: Option<String>,
    pub(super) tag: Option<String>,
}

impl Asked {
    /// The status that the sender reports; `completed` by default.
    pub(super) fn status(&self) -> &str {
        self.status.as_deref().unwrap_or("completed")
    }

    /// What was sent, with its outcome.
    pub(super) fn answer(&self, code: u16, status: &str) -> Value {
        let mut answer = Map::new();
        answer.insert("name".into(), self.name.name.into());
        answer.insert("server_uuid".into(), self.server_uuid.as_str().into());
        answer.insert("status".into(), status.into());
        answer.insert("code".into(), code.into());
        if let Some(tag) = &self.tag {
            answer.insert("tag".into(), tag.as_str().into());
        }
        answer.into()
    }
}

/// Reads a body as a client of this version may send it.
///
/// # Errors
///
/// What is wrong, for the refusal.
pub(super) fn read(body: &Json, version: Microversion) -> Result<Vec<Asked>, String> {
    let Json::Object(members) = body else {
        return Err(not_of_type(body, "object"));
    };
    let events = member(members, "events").map(|events| read_events(events, version));
    let events = events.ok_or_else(|| required("events"))??;
    no_others(members, &["events"])?;
    Ok(events)
}

fn read_events(events: &Json, version: Microversion) -> Result<Vec<Asked>, String> {
    let Json::List(items) = events else {
        return Err(wrong("events", events, &not_of_type(events, "array")));
    };
    if items.is_empty() {
        return Err(wrong("events", events, "[] should be non-empty"));
    }
    let items = items.iter().enumerate();
    items
        .map(|(place, item)| read_event(place, item, version))
        .collect()
}

fn read_event(place: usize, item: &Json, version: Microversion) -> Result<Asked, String> {
    let of_item = |reason: String| wrong(&place.to_string(), item, &reason);
    let Json::Object(members) = item else {
        return Err(of_item(not_of_type(item, "object")));
    };
    let server = read_member(members, "server_uuid", |text| {
        let id = server_uuid::parse(text);
        id.ok_or_else(|| format!("{} is not a 'uuid'", python::quoted(text)))
    })?;
    let name = read_member(members, "name", |text| {
        let found = event_name::known(version).find(|row| row.name == text);
        found.ok_or_else(|| not_one_of(text, event_name::known(version).map(|row| row.name)))
    })?;
    let status = read_member(members, "status", |text| {
        if STATUSES.contains(&text) {
            Ok(())
        } else {
            Err(not_one_of(text, STATUSES.into_iter()))
        }
    })?;
    let tag = read_member(members, "tag", |text| {
        if text.chars().count() <= TAG_MAX_CHARS {
            Ok(())
        } else {
            Err(format!("{} is too long", python::quoted(text)))
        }
    })?;
    let (server_uuid, server) = server.ok_or_else(|| of_item(required("server_uuid")))?;
    let (_, name) = name.ok_or_else(|| of_item(required("name")))?;
    no_others(members, &["server_uuid", "name", "status", "tag"]).map_err(of_item)?;
    Ok(Asked {
        name,
        server,
        server_uuid: server_uuid.to_owned(),
        status: status.map(|(text, ())| text.to_owned()),
        tag: tag.map(|(text, ())| text.to_owned()),
    })
}

/// A member that has to be a text, if it is there: the text, and what `read` makes of it.
fn read_member<'a, T>(
    members: &'a [(String, Json)],
    name: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<(&'a str, T)>, String> {
    let Some(value) = member(members, name) else {
        return Ok(None);
    };
    let Json::Text(text) = value else {
        return Err(wrong(name, value, &not_of_type(value, "string")));
    };
    read(text)
        .map(|read| Some((text.as_str(), read)))
        .map_err(|reason| wrong(name, value, &reason))
}

fn member<'a>(members: &'a [(String, Json)], wanted: &str) -> Option<&'a Json> {
    let found = members.iter().find(|(name, _)| name == wanted);
    found.map(|(_, value)| value)
}

/// Checks that there are no other members than these.
fn no_others(members: &[(String, Json)], known: &[&str]) -> Result<(), String> {
    /// Names that are quoted.
    const TOLD_MAX: usize = 16;

    let mut others: Vec<&str> = members
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| !known.contains(name))
        .collect();
    let were = match others.len() {
        0 => return Ok(()),
        1 => "was",
        _ => "were",
    };
    others.sort_unstable();
    let mut names: Vec<_> = others
        .iter()
        .take(TOLD_MAX)
        .map(|name| python::quoted(name))
        .collect();
    if others.len() > TOLD_MAX {
        names.push("…".to_owned());
    }
    Err(format!(
        "Additional properties are not allowed ({} {were} unexpected)",
        names.join(", ")
    ))
}

fn wrong(place: &str, value: &Json, reason: &str) -> String {
    format!(
        "Invalid input for field/attribute {place}. Value: {}. {reason}",
        python::text(value)
    )
}

fn required(name: &str) -> String {
    format!("'{name}' is a required property")
}

fn not_of_type(value: &Json, kind: &str) -> String {
    format!("{} is not of type '{kind}'", python::repr(value))
}

fn not_one_of<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<_> = known.map(python::quoted).collect();
    format!(
        "{} is not one of [{}]",
        python::quoted(text),
        known.join(", ")
    )
}

#[cfg(test)]
mod tests;
