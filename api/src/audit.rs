//! The note that is taken of each call which changes something, or tried to.
//!
//! It becomes an `OnAudit` event. The request's body is told in part, and what
//! may be a secret is left out of it.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use http::{Method, StatusCode};
use serde_json::{Map, Value};
use tenterhook_dispatch::{AccountId, AuditRecord, Identity, Origin};

use crate::app::App;
use crate::body::{self, Pieces};
use crate::door::Door;
use crate::face::Face;
use crate::refusal::Refusal;

/// Characters of a body, and of each text in it, that are told.
const BODY_MAX_CHARS: usize = 2_000;
const TEXT_MAX_CHARS: usize = 200;

/// Members in whose names one of these stands are not told.
const SECRET: [&str; 5] = ["env", "password", "secret", "token", "response"];

/// Members that are not told: what a role below admin may not read of hooks, and the
/// text of sources.
const WITHHELD: [&str; 4] = ["args", "arguments", "contents", "script"];

/// Calls that are no change of anything: events are what hooks wait for, and
/// each has a task of its own to be seen by.
const UNAUDITED: [&str; 4] = [
    "post_events",
    "create_external_events",
    "create_external_events_at_version",
    "create_external_events_of_project",
];

/// A record that lacks only the status of the answer.
#[derive(Debug)]
pub(crate) struct Note {
    record: AuditRecord,
    told: Told,
}

/// Where a call that reads its body by itself tells of it, in the request's
/// extensions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told(Arc<OnceLock<String>>);

impl Told {
    /// Tells in part what the body was.
    pub(crate) fn tell(&self, body: &Map<String, Value>) {
        let text = Value::Object(told_of_members(body)).to_string();
        let _ = self.0.set(shorten(&text, BODY_MAX_CHARS));
    }
}

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
        let told = Told::default();
        let own = matches!(Face::of(request.uri().path()), Face::Astra | Face::Fenix);
        let body = if own {
            // Their order of checks has the body last, and its limit is their own.
            request.extensions_mut().insert(told.clone());
            String::new()
        } else {
            read_back(request).await?
        };
        let path = request.uri().path();
        let record = AuditRecord {
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
        };
        Ok(Some(Self { record, told }))
    }

    /// Hands the record in, now that the answer is known.
    pub(crate) async fn record(mut self, app: &App, account: AccountId, status: StatusCode) {
        self.record.status = status.as_u16();
        if let Some(body) = self.told.0.get() {
            self.record.body.clone_from(body);
        }
        if let Err(error) = app
            .dispatcher()
            .audit(account, self.record, Origin::Outside)
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
        |value| shorten(&told_of(&value).to_string(), BODY_MAX_CHARS),
    );
    *request.body_mut() = Body::from(bytes);
    Ok(told)
}

/// A value without its secrets and with its texts shortened.
fn told_of(value: &Value) -> Value {
    match value {
        Value::String(text) => shorten(text, TEXT_MAX_CHARS).into(),
        Value::Array(list) => list.iter().map(told_of).collect(),
        Value::Object(members) => told_of_members(members).into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn told_of_members(members: &Map<String, Value>) -> Map<String, Value> {
    let one = |(name, value): (&String, &Value)| {
        let lower = name.to_ascii_lowercase();
        let secret = SECRET.iter().any(|secret| lower.contains(secret))
            || WITHHELD.contains(&lower.as_str());
        let value = if secret { "…".into() } else { told_of(value) };
        (name.clone(), value)
    };
    members.iter().map(one).collect()
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

/// `events` of `/api/events/hooks`, `hooks` of `/api/v1/hooks`, and `hookSources` of
/// `/accounts/…/core/v1/hookSources`.
fn category(path: &str) -> String {
    if Face::of(path) == Face::Astra {
        let mut parts = path.split('/');
        let collection = parts.find(|part| {
            ["hookSources", "executionHooks", "executionHookOverrides"].contains(part)
        });
        return collection.unwrap_or_default().to_owned();
    }
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
        let value = json!({
            "name": "x", "env": {"KEY": "hush"}, "accessToken": "hush", "args": ["hush"],
            "arguments": ["hush"], "contents": "hush", "script": "hush",
            "description": "y".repeat(500),
        });
        let told = told_of(&value).to_string();
        assert!(!told.contains("hush"), "{told}");
        assert!(told.contains("\"description\":\"yyy"), "{told}");
        assert!(told.len() < 400, "{told}");
    }

    #[test]
    fn the_category_is_the_first_part_of_the_path() {
        assert_eq!(category("/api/events/hooks/3"), "events");
        assert_eq!(category("/api/v1/hooks"), "hooks");
        assert_eq!(category("/"), "");
        assert_eq!(
            category("/accounts/x/k8s/v1/apps/y/executionHooks/z"),
            "executionHooks"
        );
    }
}
