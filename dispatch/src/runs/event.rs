//! An event as its sender wrote it: attributes that are read, and data that is not.
//!
//! The data reaches hooks byte for byte, so that one can verify a signature over it, or use
//! numbers that no parser here can hold. Of a member that is there twice, in the event or in
//! its data, the last counts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tenterhook_engine::json::{self, Members};
use tenterhook_sdk::params::{self, Params};
use tenterhook_sdk::{Event, EventFault};

use crate::clock::parse_time;
use crate::registry::hook_point::HookPoint;

/// An event whose attributes were checked and whose data is as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedEvent {
    /// The attributes. `data` and `data_base64` are absent here.
    attributes: Event,
    data: Option<EventData>,
    /// What hooks read on standard input.
    stdin: Bytes,
}

/// The data of an event, in one of the forms in which it can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventData(Form);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// One JSON value, with the white space around it. It is UTF-8.
    Json(Bytes),
    /// Any bytes, and their base64.
    Base64 { text: String, bytes: Bytes },
}

impl EventData {
    /// Takes JSON; the white space around it is part of the data.
    ///
    /// # Errors
    ///
    /// It is not JSON.
    pub fn json(text: Bytes) -> serde_json::Result<Self> {
        serde_json::from_slice::<&RawValue>(&text)?;
        Ok(Self(Form::Json(text)))
    }

    /// Takes a text that is not JSON.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self(Form::Json(Value::from(text).to_string().into()))
    }

    /// Takes bytes that are neither JSON nor text.
    #[must_use]
    pub fn bytes(bytes: Bytes) -> Self {
        let text = STANDARD.encode(&bytes);
        Self(Form::Base64 { text, bytes })
    }

    /// Decodes base64: RFC 4648, the standard alphabet, with padding and nothing else.
    ///
    /// # Errors
    ///
    /// An [`EventFault`] of `data_base64`.
    pub fn base64(text: String) -> Result<Self, EventFault> {
        let bytes = STANDARD.decode(&text).map_err(|_| {
            fault(
                "data_base64",
                "is not base64: send the standard alphabet of RFC 4648, padded with `=`, without \
                 line breaks or spaces",
            )
        })?;
        let bytes = bytes.into();
        Ok(Self(Form::Base64 { text, bytes }))
    }
}

impl ReceivedEvent {
    /// Joins attributes and data.
    ///
    /// # Errors
    ///
    /// An [`EventFault`] that names the first attribute that is wrong, or `data`.
    pub fn new(mut attributes: Event, data: Option<EventData>) -> Result<Self, EventFault> {
        attributes.data = None;
        attributes.data_base64 = None;
        attributes.check()?;
        if let Some(time) = &attributes.time
            && parse_time(time).is_none()
        {
            return Err(fault(
                "time",
                "must be a time such as `2026-05-04T03:02:01Z`, with a T between date and time",
            ));
        }
        let stdin = match &data {
            None => Bytes::new(),
            Some(EventData(Form::Base64 { bytes, .. })) => bytes.clone(),
            Some(EventData(Form::Json(text))) => stdin(&attributes, text)?,
        };
        Ok(Self {
            attributes,
            data,
            stdin,
        })
    }

    /// Parses one event in the structured form and checks it.
    ///
    /// # Errors
    ///
    /// An [`EventFault`] that names the first member that is missing or wrong.
    pub fn parse(json: &[u8]) -> Result<Self, EventFault> {
        let members = members(json)?;
        Self::of_members(members, |value| {
            Bytes::copy_from_slice(value.get().as_bytes())
        })
    }

    /// Reads an event back that [`to_json`](Self::to_json) has printed: the white space
    /// around its data is part of it.
    pub(crate) fn stored(json: &Bytes) -> Result<Self, EventFault> {
        let members = members(json)?;
        Self::of_members(members, |value| {
            let start = value.get().as_ptr() as usize - json.as_ptr() as usize;
            let end = start + value.get().len();
            let space = |byte: &&u8| matches!(**byte, b' ' | b'\t' | b'\n' | b'\r');
            let before = json[..start].iter().rev().take_while(space).count();
            let after = json[end..].iter().take_while(space).count();
            json.slice(start - before..end + after)
        })
    }

    fn of_members(
        members: Members<'_>,
        text: impl FnOnce(&RawValue) -> Bytes,
    ) -> Result<Self, EventFault> {
        let mut attributes = Map::new();
        let mut data = None;
        for member in members.0 {
            let name = member
                .name()
                .ok_or_else(|| fault("", "has a member whose name is not text"))?;
            if name == "data" {
                data = Some(member.value);
                continue;
            }
            // In CloudEvents' JSON null is the same as absent.
            if member.value.get() == "null" {
                attributes.remove(&*name);
                continue;
            }
            let value = serde_json::from_str(member.value.get())
                .map_err(|error| unreadable(&name, &error))?;
            attributes.insert(name.into_owned(), value);
        }
        let mut attributes = Event::from_value(attributes.into())?;
        let data = match (data, attributes.data_base64.take()) {
            (None, None) => None,
            (Some(value), None) => Some(EventData(Form::Json(text(value)))),
            (Some(value), Some(_)) if value.get() != "null" => {
                let detail = "cannot stand beside `data`; send one of them";
                return Err(fault("data_base64", detail));
            }
            (_, Some(text)) => Some(EventData::base64(text)?),
        };
        Self::new(attributes, data)
    }

    /// Returns the attributes. Their `data` and `data_base64` are always absent.
    #[must_use]
    pub fn attributes(&self) -> &Event {
        &self.attributes
    }

    /// Returns the attributes, to change them; `data` and `data_base64` stay absent.
    pub fn attributes_mut(&mut self) -> &mut Event {
        &mut self.attributes
    }

    /// Returns whether it has data.
    #[must_use]
    pub fn has_data(&self) -> bool {
        self.data.is_some()
    }

    /// Returns the data as JSON; `None` if it has none, or it is in base64.
    #[must_use]
    pub fn json_data(&self) -> Option<&str> {
        match &self.data {
            Some(EventData(Form::Json(text))) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// Replaces the data by JSON.
    ///
    /// # Errors
    ///
    /// See [`new`](Self::new).
    pub fn with_data(self, data: Option<EventData>) -> Result<Self, EventFault> {
        Self::new(self.attributes, data)
    }

    /// Returns what hooks read on standard input: the data as it was sent, decoded where it
    /// is text or bytes in JSON.
    #[must_use]
    pub fn stdin(&self) -> Bytes {
        self.stdin.clone()
    }

    /// Prints the event in the structured form, its data last and as it was sent.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string(&self.attributes)
            .expect("attributes hold nothing that JSON cannot say");
        let (member, text) = match &self.data {
            None => return json,
            Some(EventData(Form::Json(text))) => ("data", String::from_utf8_lossy(text)),
            Some(EventData(Form::Base64 { text, .. })) => {
                // The alphabet has nothing that JSON would escape.
                ("data_base64", Cow::Owned(format!("\"{text}\"")))
            }
        };
        json.pop();
        json.reserve(member.len() + text.len() + 5);
        for part in [",\"", member, "\":", &text, "}"] {
            json.push_str(part);
        }
        json
    }

    /// Returns the parameters that hooks get of the data; `point` is the catalog's entry for
    /// the event's type, if it has one.
    pub(crate) fn params(&self, point: Option<&HookPoint>) -> Params {
        let members: Option<Members<'_>> = self
            .json_data()
            .and_then(|text| serde_json::from_str(text).ok());
        let Members(members) = members.unwrap_or_default();
        let mut nameless = 0;
        let mut named: BTreeMap<Cow<'_, str>, Parameter<'_>> = BTreeMap::new();
        for member in &members {
            match member.name() {
                Some(name) => drop(named.insert(name, Parameter(member.value))),
                None => nameless += 1,
            }
        }
        let named = named.iter().map(|(name, value)| (&**name, *value));
        let mut params = Params::of_members(point, named);
        if nameless > 0 {
            params.warnings.push(format!(
                "members whose names are not text, {nameless} in all, are not parameters; they are in \
                 the event's data all the same"
            ));
        }
        params
    }
}

impl TryFrom<Event> for ReceivedEvent {
    type Error = EventFault;

    fn try_from(mut event: Event) -> Result<Self, EventFault> {
        event.check()?;
        let data = match (event.data.take(), event.data_base64.take()) {
            (Some(data), _) => Some(EventData(Form::Json(data.to_string().into()))),
            (None, Some(text)) => Some(EventData::base64(text)?),
            (None, None) => None,
        };
        Self::new(event, data)
    }
}

impl From<Infallible> for crate::Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// A member of an event's data, as a parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter<'a>(&'a RawValue);

impl params::Member for Parameter<'_> {
    fn is_null(&self) -> bool {
        self.0.get() == "null"
    }

    fn is_nested(&self) -> bool {
        self.0.get().starts_with(['[', '{'])
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        let text = self.0.get();
        match text.as_bytes().first() {
            Some(b'"') => json::text(self.0),
            Some(b'[' | b'{') => Some(json::compact(text).into()),
            _ if text == "null" => None,
            _ => Some(text.into()),
        }
    }
}

/// Returns what hooks read of data that was sent as JSON: the text that it holds if its
/// media type is another, else the JSON.
fn stdin(attributes: &Event, data: &Bytes) -> Result<Bytes, EventFault> {
    let not_json = |_| fault("data", "is not JSON");
    let text = std::str::from_utf8(data).map_err(|_| fault("data", "is not UTF-8"))?;
    if json::is_too_deep(text) {
        return Err(fault("data", "must not be nested deeper than 100 levels"));
    }
    if is_json(attributes) || !text.trim_ascii_start().starts_with('"') {
        return Ok(data.clone());
    }
    let value: &RawValue = serde_json::from_str(text).map_err(not_json)?;
    match json::text(value) {
        Some(text) => Ok(Bytes::copy_from_slice(text.as_bytes())),
        None => Err(fault(
            "data",
            "has a lone surrogate, which only JSON can pass on; `datacontenttype` says that it is \
             another text",
        )),
    }
}

fn is_json(attributes: &Event) -> bool {
    let Some(kind) = &attributes.datacontenttype else {
        return true;
    };
    let essence = kind.split_once(';').map_or(&**kind, |(essence, _)| essence);
    let kind = essence.trim().to_ascii_lowercase();
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

fn members(json: &[u8]) -> Result<Members<'_>, EventFault> {
    let not_json = |error: &dyn std::fmt::Display| EventFault {
        attribute: "",
        detail: format!("the event is not JSON: {error}"),
    };
    let text = std::str::from_utf8(json).map_err(|error| not_json(&error))?;
    serde_json::from_str(text).map_err(|error| {
        match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) if error.is_data() => fault("", "an event is a JSON object"),
            Ok(_) => not_json(&error),
            Err(error) => not_json(&error),
        }
    })
}

/// Says why the value of an attribute cannot be read.
fn unreadable(name: &str, error: &serde_json::Error) -> EventFault {
    const KNOWN: [&str; 9] = [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "dataschema",
        "data_base64",
    ];
    let text = error.to_string();
    let text = text
        .split_once(" at line ")
        .map_or(&*text, |(text, _)| text);
    match KNOWN.iter().find(|known| **known == name) {
        Some(attribute) => fault(attribute, &format!("cannot be read: {text}")),
        None => {
            let name: String = name.chars().take(64).flat_map(char::escape_debug).collect();
            fault(
                "",
                &format!("the attribute `{name}` cannot be read: {text}"),
            )
        }
    }
}

fn fault(attribute: &'static str, detail: &str) -> EventFault {
    EventFault {
        attribute,
        detail: detail.into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: &str = r#"{"specversion":"1.0","id":"1","source":"/t","type":"custom.x""#;

    fn parse(rest: &str) -> Result<ReceivedEvent, EventFault> {
        ReceivedEvent::parse(format!("{HEAD},{rest}}}").as_bytes())
    }

    fn stdin_of(rest: &str) -> String {
        let event = parse(rest).unwrap();
        String::from_utf8(event.stdin().into()).unwrap()
    }

    #[test]
    fn data_is_passed_on_as_it_was_sent() {
        for data in [
            r#"{"z":12345678901234567890123,"a": 1.10,"far":1e400}"#,
            r#"{"note":"\ud83d","x":"caf\u00e9","$serde_json::private::RawValue":"{"}"#,
            "[1 ,\n2]",
            "null",
            "0.0",
            r#""text""#,
        ] {
            let event = parse(&format!(r#" "data" : {data} ,"serverid":3"#)).unwrap();
            assert_eq!(event.stdin(), data.as_bytes());
            let json = Bytes::from(event.to_json());
            assert!(json.ends_with(format!("\"data\":{data}}}").as_bytes()));
            assert_eq!(ReceivedEvent::stored(&json), Ok(event));
        }
    }

    #[test]
    fn white_space_around_a_body_survives_the_store() {
        let body = Bytes::from(" {\"a\": 1}\r\n");
        let data = EventData::json(body.clone()).unwrap();
        let attributes = Event::new("1", "/t", "custom.x", None);
        let event = ReceivedEvent::new(attributes, Some(data)).unwrap();
        let again = ReceivedEvent::stored(&event.to_json().into()).unwrap();
        assert_eq!((again.stdin(), &again), (body, &event));
    }

    #[test]
    fn an_event_stored_by_an_older_version_is_read() {
        let json = format!(r#"{HEAD},"data":{{"a":1}},"serverid":3}}"#);
        let event = ReceivedEvent::stored(&json.into()).unwrap();
        assert_eq!(event.stdin(), r#"{"a":1}"#);
        assert_eq!(event.attributes().server(), Some(&3.into()));
    }

    #[test]
    fn standard_input_is_the_data_in_its_own_form() {
        assert_eq!(stdin_of(r#""data":{"a":1}"#), r#"{"a":1}"#);
        assert_eq!(stdin_of(r#""data":"text""#), r#""text""#);
        let text = r#""datacontenttype":"text/plain; charset=utf-8","data":"t\u00e9\n""#;
        assert_eq!(stdin_of(text), "té\n");
        let json = r#""datacontenttype":"application/a+json","data":"text""#;
        assert_eq!(stdin_of(json), r#""text""#);
        let object = r#""datacontenttype":"text/plain","data":{"a":1.0}"#;
        assert_eq!(stdin_of(object), r#"{"a":1.0}"#);
        assert_eq!(stdin_of(r#""data_base64":"AAE=""#), "\0\x01");
        assert_eq!(stdin_of(r#""data":null,"data_base64":"AAE=""#), "\0\x01");
        let odd = parse(r#""datacontenttype":"text/plain","data":"\ud83d""#);
        assert_eq!(odd.unwrap_err().attribute, "data");
    }

    #[test]
    fn invalid_base64_is_refused_and_never_empty() {
        for text in ["AA E=", "AAE", "AAE=\\n", "-_8=", "A", "AB==", "AAE=="] {
            let fault = parse(&format!(r#""data_base64":"{text}""#)).unwrap_err();
            assert_eq!(fault.attribute, "data_base64", "{text}");
        }
        assert_eq!(stdin_of(r#""data_base64":"""#), "");
    }

    #[test]
    fn of_a_repeated_member_the_last_counts() {
        let event = parse(r#""data":1,"data":{"n":1,"n":2},"subject":"a","subject":"b""#).unwrap();
        assert_eq!(event.json_data(), Some(r#"{"n":1,"n":2}"#));
        assert_eq!(event.attributes().subject.as_deref(), Some("b"));
        let params = event.params(None);
        assert_eq!(params.named, [("N".to_owned(), "2".to_owned())]);
    }

    #[test]
    fn a_parameter_keeps_the_text_of_its_number() {
        let data = r#"{"amount":1.10,"order":12345678901234567890123,"far":1e400,"s":"\ud83d",
            "t":"caf\u00e9","\ud83d":1,"none":null,"deep":{}}"#;
        let event = parse(&format!(r#""data":{data}"#)).unwrap();
        let params = event.params(None);
        assert!(
            params
                .warnings
                .iter()
                .any(|one| one.contains("names are not text, 1 in all")),
            "{:?}",
            params.warnings
        );
        let named = params.named;
        let expected = [
            ("AMOUNT", "1.10"),
            ("FAR", "1e400"),
            ("ORDER", "12345678901234567890123"),
            ("T", "café"),
        ];
        assert_eq!(
            named,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn depth_is_bounded_without_recursion() {
        let nested = |levels| format!(r#""data":{}{}"#, "[".repeat(levels), "]".repeat(levels));
        assert!(parse(&nested(100)).is_ok());
        for levels in [101, 100_000] {
            assert_eq!(parse(&nested(levels)).unwrap_err().attribute, "data");
        }
    }

    #[test]
    fn an_attribute_that_is_not_text_is_named() {
        let fault = parse(r#""subject":"\ud83d""#).unwrap_err();
        assert_eq!(fault.attribute, "subject");
        let fault = parse(r#""time":"yesterday""#).unwrap_err();
        assert_eq!(fault.attribute, "time");
        let fault = parse(r#""far":1e400"#).unwrap_err();
        assert!(fault.detail.contains("`far`"), "{fault}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_in_one_line_or_read_back(
            bytes in prop::collection::vec(any::<u8>(), 0..80),
            rest in r#"("data"|"subject"|"x"|"data_base64"): ?[\[\]{}":,a-z0-9.\\ \n]{0,12}"#,
        ) {
            for json in [bytes, format!("{HEAD},{rest}}}").into_bytes()] {
                match ReceivedEvent::parse(&json) {
                    Ok(event) => {
                        let printed = Bytes::from(event.to_json());
                        prop_assert_eq!(ReceivedEvent::stored(&printed), Ok(event));
                    }
                    Err(fault) => prop_assert!(!fault.to_string().contains(char::is_control)),
                }
            }
        }
    }
}
