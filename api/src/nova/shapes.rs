//! What requests and replies look like, for the document of all calls.

use serde_json::{Value, json};

use super::event_name;
use super::microversion::Microversion;
use super::schema::{STATUSES, TAG_MAX_CHARS};
use crate::endpoint::Shape;

const JSON: &[&str] = &["application/json"];

/// The content types of a request.
pub(super) const READ: &[&str] = &["application/json", "application/vnd.openstack.compute+json"];

fn names() -> Value {
    event_name::known(Microversion::MAX)
        .map(|row| row.name)
        .collect()
}

fn tag() -> Value {
    json!({"type": "string", "maxLength": TAG_MAX_CHARS})
}

/// Events to submit.
pub(super) fn request() -> Shape {
    let event = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "enum": names(), "description": "those beyond the network's need a later version"},
            "server_uuid": {"type": "string", "format": "uuid"},
            "status": {"type": "string", "enum": STATUSES, "default": "completed"},
            "tag": tag(),
        },
        "required": ["server_uuid", "name"],
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "properties": {"events": {"type": "array", "minItems": 1, "items": event}},
        "required": ["events"],
        "additionalProperties": false,
    });
    Shape::named(READ, "ExternalEvents", schema)
}

/// The outcome of each.
pub(super) fn results() -> Shape {
    let event = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "enum": names()},
            "server_uuid": {"type": "string"},
            "status": {"type": "string", "enum": ["completed", "failed"]},
            "code": {"type": "integer", "enum": [200, 400, 404, 422]},
            "tag": tag(),
        },
        "required": ["name", "server_uuid", "status", "code"],
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "properties": {"events": {"type": "array", "minItems": 1, "items": event}},
        "required": ["events"],
    });
    Shape::named(JSON, "ExternalEventResults", schema)
}

/// Why a request was not carried out.
pub(super) fn fault() -> Shape {
    let fault = json!({
        "type": "object",
        "properties": {
            "code": {"type": "integer"},
            "message": {"type": "string"},
            "retryAfter": {"type": "string"},
        },
        "required": ["code", "message"],
    });
    let schema = json!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": fault,
    });
    Shape::named(JSON, "Fault", schema)
}

/// Why a token is not accepted, in Keystone's form.
pub(super) fn unauthorized() -> Shape {
    let error = json!({
        "type": "object",
        "properties": {
            "code": {"type": "integer"},
            "title": {"type": "string"},
            "message": {"type": "string"},
        },
        "required": ["code", "title", "message"],
    });
    let schema = json!({"type": "object", "properties": {"error": error}, "required": ["error"]});
    Shape::named(JSON, "Unauthorized", schema)
}

/// The versions that are served.
pub(super) fn version() -> Shape {
    let schema = json!({
        "type": "object",
        "properties": {"version": one_version()},
        "required": ["version"],
    });
    Shape::named(JSON, "Version", schema)
}

/// The reply at the root.
pub(super) fn versions() -> Shape {
    let schema = json!({
        "type": "object",
        "properties": {"versions": {"type": "array", "items": one_version()}},
        "required": ["versions"],
    });
    Shape::named(JSON, "NovaVersions", schema)
}

fn one_version() -> Value {
    let text = json!({"type": "string"});
    let link = json!({"type": "object", "properties": {"rel": text, "href": text}});
    let media = json!({"type": "object", "properties": {"base": text, "type": text}});
    json!({
        "type": "object",
        "properties": {
            "id": text,
            "status": text,
            "version": text,
            "min_version": text,
            "updated": text,
            "links": {"type": "array", "items": link},
            "media-types": {"type": "array", "items": media},
        },
        "required": ["id", "status", "version", "min_version", "links"],
    })
}
