//! What this API's bodies look like, for the OpenAPI document.

use serde_json::{Value, json};

use crate::endpoint::Shape;

fn shape(name: &str, required: &[&str], properties: &Value) -> Shape {
    let schema = json!({"type": "object", "required": required, "properties": properties});
    Shape::named(&["application/json"], name, schema)
}

fn text() -> Value {
    json!({"type": "string"})
}

fn texts() -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}

fn id() -> Value {
    json!({"type": "string", "format": "uuid"})
}

fn state() -> Value {
    json!({"type": "string", "enum": [
        "MAINTENANCE", "SCALE_IN", "PREPARE_MAINTENANCE", "START_MAINTENANCE",
        "PLANNED_MAINTENANCE", "MAINTENANCE_COMPLETE", "MAINTENANCE_DONE", "MAINTENANCE_FAILED",
    ]})
}

fn instance_action() -> Value {
    json!({"type": "string", "enum": ["MIGRATE", "LIVE_MIGRATE", "OWN_ACTION"]})
}

fn action() -> Value {
    json!({"type": "object", "required": ["plugin", "type"], "properties": {
        "plugin": text(),
        "type": {"type": "string", "enum": ["pre", "host", "post", "compute", "controller"]},
        "metadata": {"type": "object"},
    }})
}

fn seconds() -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": 604_800})
}

pub(super) fn new_session() -> Shape {
    let required = ["state", "maintenance_at", "workflow", "metadata"];
    let properties = json!({
        "hosts": texts(),
        "state": text(),
        "maintenance_at": {"type": "string", "description": "YYYY-MM-DD HH:MM:SS in UTC"},
        "workflow": text(),
        "metadata": {"type": "object"},
        "download": {"type": "array", "items": {"oneOf": [
            text(), {"type": "object", "required": ["url"], "properties": {"url": text()}},
        ]}},
        "actions": {"type": "array", "items": action()},
    });
    shape("NewSession", &required, &properties)
}

pub(super) fn session_id() -> Shape {
    shape("SessionId", &["session_id"], &json!({"session_id": id()}))
}

pub(super) fn session_ids() -> Shape {
    let ids = json!({"type": "array", "items": id()});
    shape("SessionIds", &["session_id"], &json!({"session_id": ids}))
}

pub(super) fn session() -> Shape {
    let properties = json!({"session_id": id(), "state": state()});
    shape("Session", &["session_id", "state"], &properties)
}

pub(super) fn resumption() -> Shape {
    shape("Resumption", &[], &json!({"state": state()}))
}

pub(super) fn detail() -> Shape {
    let or_null = json!({"type": ["string", "null"]});
    let failure = json!({"type": ["object", "null"], "required": ["state", "reason"], "properties": {
        "state": state(), "reason": text(), "remedy": or_null, "task": or_null,
    }});
    let waiting = json!({"type": "array", "items": {"type": "object", "properties": {
        "project_id": text(), "reply": text(),
    }}});
    let projects = json!({"type": "array", "items": {"type": "object", "properties": {
        "project_id": text(), "state": or_null,
    }}});
    let hosts = json!({"type": "array", "items": {"type": "object", "properties": {
        "host": text(),
        "state": {"enum": ["IN_MAINTENANCE", "MAINTENANCE_COMPLETE", null]},
    }}});
    let steps = json!({"type": "array", "items": {
        "type": "object",
        "required": ["serial", "at", "state", "what", "ok", "result"],
        "properties": {
            "serial": {"type": "integer"}, "at": text(), "state": state(), "what": text(),
            "host": text(), "project": text(), "plugin": text(), "ok": {"type": "boolean"},
            "result": text(), "remedy": text(), "task": id(),
        },
    }});
    let properties = json!({
        "session_id": id(), "state": state(), "failure": failure, "waiting_for": waiting,
        "projects": projects, "hosts": hosts, "percent_done": {"type": "integer"},
        "workflow": text(), "maintenance_at": text(),
        "metadata": {"type": "object"}, "download": texts(),
        "actions": {"type": "array", "items": action()}, "created_at": text(),
        "created_by": text(), "steps": steps,
    });
    shape("Detail", &["session_id", "state", "steps"], &properties)
}

pub(super) fn instance_ids() -> Shape {
    let properties = json!({"instance_ids": texts()});
    shape("InstanceIds", &["instance_ids"], &properties)
}

pub(super) fn answer() -> Shape {
    let properties = json!({
        "state": {"type": "string", "description": "ACK_ or NACK_ before the session's state"},
        "instance_actions": {"type": "object", "additionalProperties": instance_action()},
        "instance_action": instance_action(),
        "instance_ids": texts(),
    });
    shape("Reply", &["state"], &properties)
}

const INSTANCE: [&str; 2] = ["project_id", "group_id"];

fn instance_members() -> Value {
    json!({
        "instance_id": id(), "project_id": text(), "group_id": text(), "instance_name": text(),
        "max_interruption_time": seconds(), "migration_type": instance_action(),
        "resource_mitigation": {"type": "boolean"}, "lead_time": seconds(),
    })
}

pub(super) fn new_instance_constraint() -> Shape {
    shape("NewInstanceConstraint", &INSTANCE, &instance_members())
}

pub(super) fn instance_constraint() -> Shape {
    let required = ["instance_id", "project_id", "group_id", "migration_type"];
    shape("InstanceConstraint", &required, &instance_members())
}

fn group_members() -> Value {
    let count = |least: u32| json!({"type": "integer", "minimum": least, "maximum": 20_000});
    json!({
        "group_id": text(), "project_id": text(), "group_name": text(),
        "anti_affinity_group": {"type": "boolean"}, "max_instances_per_host": count(0),
        "max_impacted_members": count(1), "recovery_time": seconds(),
        "resource_mitigation": {"type": "boolean"},
    })
}

pub(super) fn new_group_constraint() -> Shape {
    shape("NewGroupConstraint", &["project_id"], &group_members())
}

pub(super) fn group_constraint() -> Shape {
    let required = ["group_id", "project_id", "max_impacted_members"];
    shape("GroupConstraint", &required, &group_members())
}

pub(super) fn nothing() -> Shape {
    shape("Nothing", &[], &json!({}))
}

pub(super) fn version() -> Shape {
    let link = json!({"type": "object", "properties": {"rel": text(), "href": text()}});
    let version = json!({"type": "object", "properties": {
        "id": text(), "status": text(), "links": {"type": "array", "items": link},
    }});
    shape("Version", &["version"], &json!({"version": version}))
}
