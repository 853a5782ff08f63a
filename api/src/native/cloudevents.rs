//! Events as CloudEvents 1.0 over HTTP: structured, batch and binary mode.
//!
//! The mode follows from the content type and the `ce-` headers, as the HTTP binding
//! specifies. What an attribute may hold is checked in [`ReceivedEvent`]; here only what HTTP
//! adds to it, and the rules for extension attributes.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tenterhook_dispatch::ReceivedEvent;

use crate::body;
use crate::extract::parse_raw;
use crate::native::binary;
use crate::native::event_fault::refuse;
use crate::refusal::Refusal;
use crate::steps::Steps;

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
            Some("") => Err(Refusal::UnsupportedMedia(
                "`Content-Type` is not a media type".to_owned(),
            )),
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
    pub(crate) async fn read(
        self,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Vec<ReceivedEvent>, Refusal> {
        match self {
            Self::Structured => Ok(vec![one("", parse_raw(body)?)?]),
            Self::Batch => batch(parse_raw(body)?).await,
            Self::Binary => Ok(vec![checked("", binary::assemble(headers, body)?)?]),
        }
    }
}

async fn batch(list: &RawValue) -> Result<Vec<ReceivedEvent>, Refusal> {
    if !list.get().starts_with('[') {
        return Err(Refusal::invalid("", "a batch is a JSON list of events"));
    }
    let Events(events) =
        serde_json::from_str(list.get()).map_err(|error| Refusal::internal(&error))?;
    if events.len() > BATCH_MAX_EVENTS {
        let detail = format!("a batch may hold at most {BATCH_MAX_EVENTS} events");
        return Err(Refusal::invalid("", detail));
    }
    let mut steps = Steps::default();
    let mut read = Vec::with_capacity(events.len());
    for (index, event) in events.into_iter().enumerate() {
        steps.take(event.get().len()).await;
        read.push(one(&format!("/{index}"), event)?);
    }
    Ok(read)
}

/// The events of a batch; of too many, one too many.
struct Events<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Events<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Batch;
        impl<'de> Visitor<'de> for Batch {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut events = Vec::new();
                while let Some(event) = list.next_element()? {
                    if events.len() <= BATCH_MAX_EVENTS {
                        events.push(event);
                    }
                }
                Ok(events)
            }
        }
        from.deserialize_seq(Batch).map(Self)
    }
}

fn one(pointer: &str, event: &RawValue) -> Result<ReceivedEvent, Refusal> {
    let event = ReceivedEvent::parse(event.get().as_bytes());
    checked(pointer, event.map_err(|fault| refuse(pointer, fault))?)
}

fn checked(pointer: &str, event: ReceivedEvent) -> Result<ReceivedEvent, Refusal> {
    check_extensions(pointer, &event.attributes().extensions)?;
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
            Value::Bool(_) => true,
            // CloudEvents has no other numbers, and a value holds no other exactly.
            Value::Number(number) => number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            Value::String(text) => !text.chars().any(char::is_control),
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        if !ok {
            return Err(Refusal::invalid(
                format!("{pointer}/{name}"),
                "must be a string without control characters, a whole number of 32 bits or a \
                 boolean; put anything else into `data`",
            ));
        }
    }
    Ok(())
}
