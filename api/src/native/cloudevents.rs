//! Events as CloudEvents 1.0 over HTTP: structured, batch and binary mode.
//!
//! The mode follows from the content type and the `ce-` headers, as the HTTP binding
//! specifies. What an attribute may hold is checked in [`Event`]; here only what HTTP
//! adds to it, and the rules for extension attributes.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value};
use tenterhook_sdk::{Event, Fault};

use crate::body;
use crate::native::binary;
use crate::refusal::Refusal;
use crate::time_text::{expected_time, parse_time};

/// Bytes of one event.
pub(crate) const EVENT_MAX_BYTES: u64 = tenterhook_dispatch::EVENT_MAX_BYTES as u64;

/// Bytes of a batch.
pub(crate) const BATCH_MAX_BYTES: u64 = 8 << 20;

/// Events in a batch.
pub(crate) const BATCH_MAX_EVENTS: usize = 1_000;

/// The media types that [`Mode::of`] distinguishes, for the document.
pub(crate) const MEDIA: [&str; 4] = [
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/json",
    "application/octet-stream",
];

/// In which of the binding's modes a request carries its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One event; the body is the event.
    Structured,
    /// Several events; the body is a list of them.
    Batch,
    /// One event; its attributes are headers and the body is its data.
    Binary,
}

impl Mode {
    /// Determines the mode from the headers.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let binary = headers.contains_key("ce-specversion") || headers.contains_key("ce-id");
        match body::media_type(headers).as_deref() {
            Some("application/cloudevents+json") => Ok(Self::Structured),
            Some("application/cloudevents-batch+json") => Ok(Self::Batch),
            Some(kind) if kind.starts_with("application/cloudevents") => Err(Refusal::UnsupportedMedia(
                "of the CloudEvents formats, only JSON is read".to_owned(),
            )),
            _ if binary => Ok(Self::Binary),
            Some("application/json") => Ok(Self::Structured),
            _ => Err(Refusal::UnsupportedMedia(
                "send `Content-Type: application/cloudevents+json`, `application/cloudevents-batch+json`, \
                 or the event's attributes as `ce-` headers"
                    .to_owned(),
            )),
        }
    }

    /// The most bytes that a body in this mode may have.
    pub(crate) fn max_bytes(self) -> u64 {
        match self {
            Self::Structured | Self::Binary => EVENT_MAX_BYTES,
            Self::Batch => BATCH_MAX_BYTES,
        }
    }

    /// Reads the events. All of them are good, or the whole is refused.
    pub(crate) fn read(self, headers: &HeaderMap, body: &Bytes) -> Result<Vec<Event>, Refusal> {
        match self {
            Self::Structured => Ok(vec![one("", parse(body)?)?]),
            Self::Batch => batch(parse(body)?),
            Self::Binary => Ok(vec![one("", binary::assemble(headers, body)?)?]),
        }
    }
}

fn parse(body: &[u8]) -> Result<Value, Refusal> {
    crate::extract::parse_json(body)
}

fn batch(value: Value) -> Result<Vec<Event>, Refusal> {
    let Value::Array(values) = value else {
        return Err(Refusal::invalid("", "a batch is a JSON list of events"));
    };
    if values.len() > BATCH_MAX_EVENTS {
        let detail = format!("a batch may hold at most {BATCH_MAX_EVENTS} events");
        return Err(Refusal::invalid("", detail));
    }
    values
        .into_iter()
        .enumerate()
        .map(|(index, value)| one(&format!("/{index}"), value))
        .collect()
}

fn one(pointer: &str, value: Value) -> Result<Event, Refusal> {
    let refuse = |fault: Fault| {
        let pointer = match fault.attribute {
            "" => pointer.to_owned(),
            attribute => format!("{pointer}/{attribute}"),
        };
        Refusal::invalid(pointer, fault.detail)
    };
    let event = Event::from_value(value).map_err(refuse)?;
    if let Some(time) = &event.time
        && parse_time(time).is_none()
    {
        let detail = expected_time(time);
        return Err(Refusal::invalid(format!("{pointer}/time"), detail));
    }
    check_extensions(pointer, &event.extensions)?;
    Ok(event)
}

/// Extension attributes have plain names and plain values.
fn check_extensions(pointer: &str, extensions: &Map<String, Value>) -> Result<(), Refusal> {
    for (name, value) in extensions {
        let plain = (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !plain {
            let name: String = name.chars().take(64).flat_map(char::escape_debug).collect();
            return Err(Refusal::invalid(
                pointer,
                format!(
                    "has the attribute `{name}`; names are made of lower-case letters and digits"
                ),
            ));
        }
        let ok = match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
            Value::String(text) => !text.chars().any(char::is_control),
            Value::Array(_) | Value::Object(_) => false,
        };
        if !ok {
            return Err(Refusal::invalid(
                format!("{pointer}/{name}"),
                "must be a string without control characters, a number or a boolean; put objects into `data`",
            ));
        }
    }
    Ok(())
}
