//! What handlers take from a request: `Json`, `Query` and `Path`.
//!
//! They replace axum's own, which refuse in plain text. These refuse with a [`Refusal`]
//! that names the field.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, header};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::body::{self, Pieces};
use crate::chunks::Chunks;
use crate::door::Door;
use crate::refusal::Refusal;

/// Longest query string, in bytes. `pagination` with its URL encoding fits in.
const QUERY_MAX_BYTES: usize = 64 * 1024;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A JSON body, read from a request or given as an answer.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        match body::media_type(&parts.headers).as_deref() {
            None | Some("application/json") => {}
            Some(kind) if kind.ends_with("+json") => {}
            Some(_) => {
                return Err(Refusal::UnsupportedMedia(
                    "this call reads JSON; send it with `Content-Type: application/json`"
                        .to_owned(),
                ));
            }
        }
        let bytes = Pieces::new(
            Door::of(&parts.extensions),
            &parts.headers,
            body,
            body::JSON_MAX_BYTES,
        )?
        .collect()
        .await?;
        parse_json(&bytes).map(Self)
    }
}

impl<T: serde::Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut chunks = Chunks::default();
        match serde_json::to_writer(&mut chunks, &self.0) {
            Ok(()) => ([(header::CONTENT_TYPE, JSON)], chunks.into_body()).into_response(),
            Err(error) => Refusal::internal(&error).into_response(),
        }
    }
}

/// Reads JSON. Invalid JSON is `Unreadable`; a wrong type is `Invalid` and names the
/// field.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let bytes = body::without_bom(bytes);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        let error = error.into_inner();
        // What is wrong with a member is reported only of text that is valid JSON throughout.
        match serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
            Ok(_) if error.is_data() => {
                Refusal::invalid(pointer, without_place(&plain(&error.to_string())))
            }
            // It is JSON that no value here can hold, such as `1e400`.
            Ok(_) => Refusal::invalid(pointer, without_place(&plain(&error.to_string()))),
            Err(error) => not_json(&error),
        }
    })?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

/// Checks that a body is JSON, and returns it as it was sent, without the white space around
/// it.
pub(crate) fn parse_raw(bytes: &[u8]) -> Result<&RawValue, Refusal> {
    serde_json::from_slice(body::without_bom(bytes)).map_err(|error| not_json(&error))
}

/// Refuses a body that is not JSON.
pub(crate) fn not_json(error: &serde_json::Error) -> Refusal {
    Refusal::Unreadable(format!(
        "the body is not valid JSON: {}",
        plain(&error.to_string())
    ))
}

/// The pointer locates the fault better than line and column do.
fn without_place(text: &str) -> &str {
    text.rsplit_once(" at line ").map_or(text, |(text, _)| text)
}

/// serde's texts quote what was sent; control characters stay out of ours.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |mut pointer, segment| {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer.push('/');
                pointer.push_str(&plain(key).replace('~', "~0").replace('/', "~1"));
            }
            Segment::Unknown => {}
        }
        pointer
    })
}

/// The query string.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = parts.uri.query().unwrap_or_default();
        if query.len() > QUERY_MAX_BYTES {
            return Err(Refusal::TooLarge {
                limit_bytes: QUERY_MAX_BYTES as u64,
                size_bytes: Some(query.len() as u64),
            });
        }
        parse_form(query.as_bytes(), '?').map(Self)
    }
}

/// Reads `a=1&b=2`; faults are named with `mark` before the field.
pub(crate) fn parse_form<T: DeserializeOwned>(bytes: &[u8], mark: char) -> Result<T, Refusal> {
    let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(bytes));
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let field = error.path().to_string();
        let pointer = if field == "." {
            String::new()
        } else {
            format!("{mark}{}", plain(&field))
        };
        Refusal::invalid(pointer, plain(&error.into_inner().to_string()))
    })
}

/// The parameters in a path, by their names in the route.
#[derive(Debug)]
pub(crate) struct PathMembers(Vec<(String, String)>);

impl PathMembers {
    /// The parameter of this name.
    pub(crate) fn get(&self, wanted: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathMembers {
    /// What is not UTF-8 matches no route.
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Refusal::NoRoute)?;
        let members = params.iter();
        let members = members.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Self(members.collect()))
    }
}

/// An id that stands in a path.
pub(crate) trait PathId: Sized {
    /// What it is the id of, for the refusal.
    fn noun() -> String;

    /// Reads it; `None` if it is not an id.
    fn parse(text: &str) -> Option<Self>;
}

/// The one id in the path.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: PathId, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let PathMembers(members) = PathMembers::from_request_parts(parts, state).await?;
        let text = members.first().map_or("", |(_, value)| value.as_str());
        T::parse(text).map(Self).ok_or_else(|| Refusal::NotFound {
            noun: T::noun(),
            id: plain(&text.chars().take(64).collect::<String>()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only the reading is tested")]
    struct Sample {
        name: String,
        list: Vec<i32>,
    }

    fn refused(json: &str) -> Refusal {
        parse_json::<Sample>(json.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_wrong_type_is_named_by_its_pointer() {
        let Refusal::Invalid(faults) = refused(r#"{"name":"x","list":[1,"a"]}"#) else {
            panic!("not refused as invalid");
        };
        assert_eq!(faults[0].pointer, "/list/1");
    }

    #[test]
    fn a_number_that_is_out_of_range_is_named_by_its_pointer() {
        let refusal = parse_json::<serde_json::Value>(br#"{"a":{"b":1e400}}"#).unwrap_err();
        let Refusal::Invalid(faults) = refusal else {
            panic!("not refused as invalid");
        };
        assert_eq!(faults[0].detail, "number out of range");
    }

    #[test]
    fn invalid_json_is_unreadable() {
        for text in ["", "{", "{}x", "\u{1}", &"[".repeat(100_000)] {
            let refusal = refused(text);
            assert!(
                matches!(refusal, Refusal::Unreadable(_) | Refusal::Invalid(_)),
                "{refusal:?}"
            );
        }
    }

    #[test]
    fn refusals_hold_no_control_characters() {
        let refusal = refused("{\"name\":\"x\",\"list\":\"\\u001b[2J\"}");
        assert!(!refusal.detail().chars().any(char::is_control));
    }
}
