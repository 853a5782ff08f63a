//! The audit entry of each call which changes something, or tried to.
//!
//! It becomes an `OnAudit` event. Of the request's body it records a part.

pub(crate) mod redaction;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use http::{Method, StatusCode};
use serde_json::{Map, Value};
use tenterhook_dispatch::{AccountId, AuditRecord, Identity, Origin};

use self::redaction::{Redaction, TEXT_MAX_CHARS, shorten};
use crate::app::App;
use crate::body::{self, Pieces};
use crate::dialect::Dialect;
use crate::door::Door;
use crate::refusal::Refusal;

/// Characters of a body that are recorded.
const BODY_MAX_CHARS: usize = 2_000;

/// Calls that change nothing: events are what hooks wait for, and each is visible by its
/// own task.
const UNAUDITED: [&str; 4] = [
    "post_events",
    "create_external_events",
    "create_external_events_at_version",
    "create_external_events_of_project",
];

/// A record that lacks only the status of the reply.
#[derive(Debug)]
pub(crate) struct AuditEntry {
    record: AuditRecord,
    audited: AuditedBody,
}

/// Where a call that reads its body by itself records it, in the request's extensions.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuditedBody {
    redaction: Redaction,
    text: Arc<OnceLock<String>>,
}

impl AuditedBody {
    /// Records a part of the body.
    pub(crate) fn record(&self, body: &Map<String, Value>) {
        let text = Value::Object(self.redaction.of_members(body)).to_string();
        let _ = self.text.set(shorten(&text, BODY_MAX_CHARS));
    }
}

impl AuditEntry {
    /// Begins an entry, if the call is one that changes something. A JSON body is read
    /// for it and put back.
    pub(crate) async fn begin(
        dialect: &dyn Dialect,
        operation: &'static str,
        caller: &Identity,
        request: &mut Request,
    ) -> Result<Option<Self>, Refusal> {
        if matches!(*request.method(), Method::GET | Method::HEAD) || UNAUDITED.contains(&operation)
        {
            return Ok(None);
        }
        let audited = AuditedBody {
            redaction: Redaction::of(dialect.source_member()),
            text: Arc::default(),
        };
        let body = if dialect.audits_bodies() {
            // Their order of checks has the body last, and its limit is their own.
            request.extensions_mut().insert(audited.clone());
            String::new()
        } else {
            read_back(audited.redaction, request).await?
        };
        let path = request.uri().path();
        let record = AuditRecord {
            category: dialect.audit_category(path).to_owned(),
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
            query_params: query(audited.redaction, request.uri().query().unwrap_or_default()),
            body,
        };
        Ok(Some(Self { record, audited }))
    }

    /// Submits the entry, now that the status of the reply is known.
    pub(crate) async fn submit(mut self, app: &App, account: AccountId, status: StatusCode) {
        self.record.status = status.as_u16();
        if let Some(body) = self.audited.text.get() {
            self.record.body.clone_from(body);
        }
        if let Err(error) = app
            .dispatcher()
            .events()
            .audit(account, self.record, Origin::Outside)
            .await
        {
            // The change itself was carried out, so its reply stands.
            tracing::warn!(%error, "cannot submit an audit record");
        }
    }
}

async fn read_back(redaction: Redaction, request: &mut Request) -> Result<String, Refusal> {
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
    let recorded = serde_json::from_slice::<Value>(body::without_bom(&bytes)).map_or_else(
        |_| String::new(),
        |value| shorten(&redaction.of_body(&value).to_string(), BODY_MAX_CHARS),
    );
    *request.body_mut() = Body::from(bytes);
    Ok(recorded)
}

fn query(redaction: Redaction, text: &str) -> Map<String, Value> {
    form_urlencoded::parse(text.as_bytes())
        .take(16)
        .map(|(name, value)| {
            (
                shorten(&name, TEXT_MAX_CHARS),
                redaction.of_parameter(&name, &value).into(),
            )
        })
        .collect()
}
