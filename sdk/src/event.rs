//! An event in the CloudEvents 1.0 structured form.
//!
//! Extension attributes are kept, whatever their names, so that events can grow
//! without breaking the hooks that read them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Something that happened or is about to happen, for which hooks may run.
///
/// Attribute names and rules are those of CloudEvents 1.0, section 3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The CloudEvents version, always `1.0`.
    pub specversion: String,
    /// Unique within `source`: the same pair again is the same event.
    pub id: String,
    /// Where it happened; a URI reference.
    pub source: String,
    /// What happened: the name of the hook point.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it happened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When, as an RFC 3339 timestamp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The media type of `data`. Absent: `application/json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// The schema that `data` follows; a URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataschema: Option<String>,
    /// The event's own content, passed to hooks on standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// The content when it is not JSON, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_base64: Option<String>,
    /// Extension attributes, `serverid` among them.
    #[serde(flatten)]
    pub extensions: Map<String, Value>,
}

/// What is wrong with an event, and in which attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFault {
    /// The attribute; empty when the whole is not an event.
    pub attribute: &'static str,
    /// What is wrong and what to send instead.
    pub detail: String,
}

impl fmt::Display for EventFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attribute.is_empty() {
            f.write_str(&self.detail)
        } else {
            write!(f, "`{}`: {}", self.attribute, self.detail)
        }
    }
}

impl std::error::Error for EventFault {}

/// The longest `id`, `source`, `type` and `subject`, in bytes.
///
/// CloudEvents sets no bound; with this one an event's key fits well into an index page of
/// a database.
const ATTRIBUTE_MAX_BYTES: usize = 1024;

/// How deeply lists and objects may be nested in `data` and in an extension attribute.
///
/// Parsers give up at 127 levels. The rest is room for what an event is wrapped in: an
/// accepted event must be readable wherever it is sent.
const MAX_DEPTH: usize = 100;

impl Event {
    /// Creates an event with the four attributes that every event has.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        source: impl Into<String>,
        kind: impl Into<String>,
        data: Option<Value>,
    ) -> Self {
        Self {
            specversion: "1.0".into(),
            id: id.into(),
            source: source.into(),
            kind: kind.into(),
            subject: None,
            time: None,
            datacontenttype: None,
            dataschema: None,
            data,
            data_base64: None,
            extensions: Map::new(),
        }
    }

    /// Parses one event in the structured form and checks it.
    ///
    /// # Errors
    ///
    /// An [`EventFault`] that names the first attribute which is missing or wrong.
    pub fn parse(json: &[u8]) -> Result<Self, EventFault> {
        let value: Value = serde_json::from_slice(json).map_err(|error| EventFault {
            attribute: "",
            detail: format!("the event is not JSON: {error}"),
        })?;
        Self::from_value(value)
    }

    /// Converts an event that was parsed as JSON already, and checks it.
    ///
    /// # Errors
    ///
    /// An [`EventFault`] that names the first attribute which is missing or wrong.
    pub fn from_value(value: Value) -> Result<Self, EventFault> {
        let Value::Object(mut members) = value else {
            return Err(fault("", "an event is a JSON object"));
        };
        // By hand, because derived code is most of the size of a small hook.
        let event = Self {
            specversion: required(&mut members, "specversion")?,
            id: required(&mut members, "id")?,
            source: required(&mut members, "source")?,
            kind: required(&mut members, "type")?,
            subject: optional(&mut members, "subject")?,
            time: optional(&mut members, "time")?,
            datacontenttype: optional(&mut members, "datacontenttype")?,
            dataschema: optional(&mut members, "dataschema")?,
            data: members.remove("data").filter(|data| !data.is_null()),
            data_base64: optional(&mut members, "data_base64")?,
            extensions: members,
        };
        event.check()?;
        Ok(event)
    }

    /// Checks the attributes against CloudEvents 1.0 and our bounds.
    ///
    /// # Errors
    ///
    /// An [`EventFault`] that names the first attribute which is wrong.
    pub fn check(&self) -> Result<(), EventFault> {
        if self.specversion != "1.0" {
            return Err(fault("specversion", "must be `1.0`"));
        }
        for (name, text) in [
            ("id", Some(&self.id)),
            ("source", Some(&self.source)),
            ("type", Some(&self.kind)),
            ("subject", self.subject.as_ref()),
        ] {
            let Some(text) = text else { continue };
            if text.is_empty() {
                return Err(fault(name, "must not be empty"));
            }
            if text.len() > ATTRIBUTE_MAX_BYTES {
                return Err(fault(name, "must not be longer than 1024 bytes"));
            }
            if text.chars().any(char::is_control) {
                return Err(fault(name, "must not hold control characters"));
            }
        }
        if self.data.is_some() && self.data_base64.is_some() {
            return Err(fault(
                "data_base64",
                "cannot stand beside `data`; send one of them",
            ));
        }
        if let Some(data) = &self.data {
            check_depth("data", data)?;
        }
        check_names("", &self.extensions)?;
        self.extensions
            .values()
            .try_for_each(|value| check_depth("", value))
    }

    /// Returns the number or text of the server that the event names, if any.
    #[must_use]
    pub fn server(&self) -> Option<&Value> {
        self.extensions.get("serverid")
    }
}

/// Takes an attribute that every event has.
fn required(
    members: &mut Map<String, Value>,
    attribute: &'static str,
) -> Result<String, EventFault> {
    match members.remove(attribute) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(fault(attribute, "must be a string")),
        None => Err(fault(attribute, "is required")),
    }
}

/// Takes an attribute that an event may have; null counts as absent.
fn optional(
    members: &mut Map<String, Value>,
    attribute: &'static str,
) -> Result<Option<String>, EventFault> {
    match members.remove(attribute) {
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Null) | None => Ok(None),
        Some(_) => Err(fault(attribute, "must be a string")),
    }
}

/// Refuses names that `serde_json` reserves: text with such a member is parsed as something
/// else, or not at all.
fn check_names(attribute: &'static str, members: &Map<String, Value>) -> Result<(), EventFault> {
    let kept = |name: &String| name.starts_with("$serde_json::private::");
    if members.keys().any(kept) {
        return Err(fault(
            attribute,
            "must not have a member whose name begins with `$serde_json::private::`",
        ));
    }
    Ok(())
}

/// Checks without recursion: reserved names can nest a value deeper than a parser allows.
fn check_depth(attribute: &'static str, value: &Value) -> Result<(), EventFault> {
    let mut rest = vec![(value, 0)];
    while let Some((value, depth)) = rest.pop() {
        let inner: &mut dyn Iterator<Item = &Value> = match value {
            Value::Array(list) => &mut list.iter(),
            Value::Object(map) => {
                check_names(attribute, map)?;
                &mut map.values()
            }
            _ => continue,
        };
        if depth == MAX_DEPTH {
            return Err(fault(
                attribute,
                "must not be nested deeper than 100 levels",
            ));
        }
        rest.extend(inner.map(|value| (value, depth + 1)));
    }
    Ok(())
}

fn fault(attribute: &'static str, detail: &str) -> EventFault {
    EventFault {
        attribute,
        detail: detail.into(),
    }
}

#[cfg(test)]
mod tests;
