//! The note that is taken of each call which changes something, or tried to.
//!
//! It becomes an `OnAudit` event. The request's body is told in part, and what
//! may be a secret is left out of it.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use http::{Method, StatusCode};
use serde_json::{Map, Value};
use tenterhook_dispatch::{AccountId, AuditRecord, Identity, Origin};

use crate::app::App;
use crate::body::{self, Pieces};
use crate::door::Door;
use crate::refusal::Refusal;

/// Characters of a body, and of each text in it, that are told.
const BODY_MAX_CHARS: usize = 2_000;
const TEXT_MAX_CHARS: usize = 200;

/// Members whose values are not told.
const SECRET: [&str; 5] = ["env", "password", "secret", "token", "response"];

/// Calls that are no change of anything: events are what hooks wait for, and
/// each has a task of its own to be seen by.
const UNAUDITED: [&str; 1] = ["post_events"];

/// A record that lacks only the status of the answer.
#[derive(Debug)]
pub(crate) struct Note(AuditRecord);

impl Note {
    /// Takes a note, if the call is one that changes something. A JSON body is
    /// read for it and put back.
    pub(crate) async fn take(
        operation: &'static str,
        caller: &Identity,
        request: &mut Request,
    ) -> Result<Option<Self>, Refusal> {
        if matches!(*request.method(), Method::GET | Method::HEAD) || UNAUDITED.contains(&operation)
        {
            return Ok(None);
        }
        let body = read_back(request).await?;
        let path = request.uri().path();
        Ok(Some(Self(AuditRecord {
            category: category(path),
            operation: operation.to_owned(),
            username: caller.name.clone(),
            ip: request
                .extensions()
                .get::<ConnectInfo<SocketAddr>>()
                .map(|ConnectInfo(address)| address.ip().to_string())
                .unwrap_or_default(),
            method: request.method().to_string(),
            status: 0,
            endpoint: shorten(path, TEXT_MAX_CHARS),
            query_params: query(request.uri().query().unwrap_or_default()),
            body,
        })))
    }

    /// Hands the record in, now that the answer is known.
    pub(crate) async fn record(mut self, app: &App, account: AccountId, status: StatusCode) {
        self.0.status = status.as_u16();
        if let Err(error) = app
            .dispatcher()
            .audit(account, self.0, Origin::Outside)
            .await
        {
            // The change itself was carried out, so its answer stands.
            tracing::warn!(%error, "cannot hand in an audit record");
        }
    }
}

async fn read_back(request: &mut Request) -> Result<String, Refusal> {
    let is_json = body::media_type(request.headers()).is_some_and(|kind| kind.ends_with("json"));
    if !is_json {
        return Ok(String::new());
    }
    let body = std::mem::take(request.body_mut());
    let pieces = Pieces::new(
        Door::of(request.extensions()),
        request.headers(),
        body,
        body::JSON_MAX_BYTES,
    )?;
    let bytes = pieces.collect().await?;
    let told = serde_json::from_slice::<Value>(&bytes).map_or_else(
        |_| String::new(),
        |mut value| {
            redact(&mut value);
            shorten(&value.to_string(), BODY_MAX_CHARS)
        },
    );
    *request.body_mut() = Body::from(bytes);
    Ok(told)
}

fn redact(value: &mut Value) {
    match value {
        Value::String(text) => *text = shorten(text, TEXT_MAX_CHARS),
        Value::Array(list) => list.iter_mut().for_each(redact),
        Value::Object(map) => {
            for (name, value) in map {
                let name = name.to_ascii_lowercase();
                if SECRET.iter().any(|secret| name.contains(secret)) {
                    *value = Value::from("…");
                } else {
                    redact(value);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn query(text: &str) -> Map<String, Value> {
    form_urlencoded::parse(text.as_bytes())
        .take(16)
        .map(|(name, value)| {
            (
                shorten(&name, TEXT_MAX_CHARS),
                shorten(&value, TEXT_MAX_CHARS).into(),
            )
        })
        .collect()
}

/// `events` of `/api/events/hooks`, and `hooks` of `/api/v1/hooks`.
fn category(path: &str) -> String {
    let path = path.strip_prefix("/api").unwrap_or(path);
    let path = path.strip_prefix("/v1").unwrap_or(path);
    path.split('/').nth(1).unwrap_or_default().to_owned()
}

fn shorten(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_left_out_and_long_texts_shortened() {
        let mut value = json!({"name": "x", "env": {"KEY": "hush"}, "accessToken": "hush", "contents": "y".repeat(500)});
        redact(&mut value);
        let told = value.to_string();
        assert!(!told.contains("hush"), "{told}");
        assert!(told.len() < 400, "{told}");
    }

    #[test]
    fn the_category_is_the_first_part_of_the_path() {
        assert_eq!(category("/api/events/hooks/3"), "events");
        assert_eq!(category("/api/v1/hooks"), "hooks");
        assert_eq!(category("/"), "");
    }
}
