//! The binary mode of CloudEvents: attributes in `ce-` headers, data in the body.
//!
//! Header values are percent-encoded UTF-8, possibly in double quotes. The body is the
//! data, byte for byte.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use tenterhook_dispatch::{EventData, ReceivedEvent};
use tenterhook_sdk::Event;

use crate::body::{self, content_type, is_json};
use crate::extract::not_json;
use crate::native::event_fault::refuse;
use crate::refusal::Refusal;

/// Builds the event that the request carries.
pub(crate) fn assemble(headers: &HeaderMap, body: &Bytes) -> Result<ReceivedEvent, Refusal> {
    let mut attributes = Map::new();
    for (name, value) in headers {
        let Some(attribute) = name.as_str().strip_prefix("ce-") else {
            continue;
        };
        if matches!(attribute, "datacontenttype" | "data" | "data_base64") {
            let detail = "cannot be a header; the body and its Content-Type say it";
            return Err(Refusal::invalid(format!("/{attribute}"), detail));
        }
        let text = decode(value).ok_or_else(|| {
            Refusal::invalid(
                format!("/{attribute}"),
                "must be percent-encoded UTF-8 in its header",
            )
        })?;
        if attributes
            .insert(attribute.to_owned(), Value::String(text))
            .is_some()
        {
            return Err(Refusal::invalid(
                format!("/{attribute}"),
                "is given by more than one header",
            ));
        }
    }
    if let Some(kind) = content_type(headers) {
        attributes.insert("datacontenttype".to_owned(), kind.into());
    }
    let data = match body.is_empty() {
        true => None,
        false => Some(data(headers, body)?),
    };
    Event::from_value(attributes.into())
        .and_then(|attributes| ReceivedEvent::new(attributes, data))
        .map_err(|fault| refuse("", fault))
}

/// JSON is data as it is, text is a string, and the rest is base64.
fn data(headers: &HeaderMap, body: &Bytes) -> Result<EventData, Refusal> {
    let media_type = body::media_type(headers).unwrap_or_else(|| "application/json".to_owned());
    if is_json(&media_type) {
        return EventData::json(body.slice_ref(body::without_bom(body)))
            .map_err(|error| not_json(&error));
    }
    Ok(match std::str::from_utf8(body) {
        Ok(text) if media_type.starts_with("text/") => EventData::text(text),
        _ => EventData::bytes(body.clone()),
    })
}

fn decode(value: &HeaderValue) -> Option<String> {
    let text = std::str::from_utf8(value.as_bytes()).ok()?;
    let text = unquote(text);
    percent_decode_str(&text).decode_utf8().ok().map(Into::into)
}

fn unquote(text: &str) -> String {
    let Some(inner) = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' {
            chars.next().unwrap_or(c)
        } else {
            c
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use http::HeaderName;
    use proptest::prelude::*;

    use super::*;
    use crate::native::cloudevents::Mode;

    /// Reads one event, which takes a single step.
    fn read(headers: &HeaderMap, body: &Bytes) -> Result<Vec<ReceivedEvent>, Refusal> {
        let read = Mode::Binary.read(headers, body);
        read.now_or_never().unwrap()
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    const REQUIRED: [(&str, &str); 4] = [
        ("ce-specversion", "1.0"),
        ("ce-id", "7"),
        ("ce-source", "/nic"),
        ("ce-type", "OnAudit"),
    ];

    #[test]
    fn headers_and_body_become_one_event() {
        let mut headers = headers(&REQUIRED);
        headers.insert(
            "ce-subject",
            HeaderValue::from_static("caf%C3%A9%20%22x%22"),
        );
        headers.insert("ce-serverid", HeaderValue::from_static("3"));
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let events = Mode::of(&headers)
            .unwrap()
            .read(&headers, &br#"{"a":1}"#[..].into())
            .now_or_never()
            .unwrap()
            .unwrap();
        let attributes = events[0].attributes();
        assert_eq!(attributes.subject.as_deref(), Some("café \"x\""));
        assert_eq!(attributes.server(), Some(&Value::from("3")));
        assert_eq!(events[0].json_data(), Some(r#"{"a":1}"#));
    }

    #[test]
    fn data_that_is_not_json_is_kept_unchanged() {
        let mut headers = headers(&REQUIRED);
        headers.insert("content-type", HeaderValue::from_static("image/png"));
        let events = read(&headers, &b"\x89PNG"[..].into()).unwrap();
        assert_eq!(events[0].stdin(), &b"\x89PNG"[..]);
        assert!(
            events[0]
                .to_json()
                .ends_with(r#","data_base64":"iVBORw=="}"#)
        );
        headers.insert(
            "content-type",
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        let events = read(&headers, &b"hello"[..].into()).unwrap();
        assert_eq!(events[0].json_data(), Some(r#""hello""#));
        assert_eq!(events[0].stdin(), "hello");
    }

    #[test]
    fn a_content_type_that_is_not_text_is_refused() {
        let mut headers = headers(&REQUIRED);
        for odd in [&b"application/json\xff"[..], b"", b"; charset=utf-8"] {
            headers.insert("content-type", HeaderValue::from_bytes(odd).unwrap());
            assert!(matches!(
                Mode::of(&headers),
                Err(Refusal::UnsupportedMedia(_))
            ));
        }
    }

    #[test]
    fn a_control_character_behind_percent_signs_is_refused() {
        let mut headers = headers(&REQUIRED);
        headers.insert("ce-subject", HeaderValue::from_static("%1B[2J"));
        assert!(matches!(
            read(&headers, &bytes::Bytes::new()),
            Err(Refusal::Invalid(faults)) if faults[0].pointer == "/subject"
        ));
    }

    #[test]
    fn data_is_never_so_deep_that_the_event_cannot_be_read_back() {
        let mut headers = headers(&REQUIRED);
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let body = format!("{}{}", "[".repeat(127), "]".repeat(127));
        assert!(matches!(
            read(&headers, &body.into()),
            Err(Refusal::Invalid(faults)) if faults[0].pointer == "/data"
        ));
    }

    proptest! {
        #[test]
        fn no_header_and_no_body_panics(value in prop::collection::vec(32_u8..=255, 0..20), body in prop::collection::vec(any::<u8>(), 0..20)) {
            let mut headers = headers(&REQUIRED);
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.insert("ce-ext", value.clone());
                headers.insert("content-type", value);
            }
            let _ = read(&headers, &body.into());
        }
    }
}
