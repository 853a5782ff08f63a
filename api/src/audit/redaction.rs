//! What an audit event records of a request's body and query: members that are known to
//! carry no secret, and of the others only that they were there.
//!
//! Numbers and flags are recorded whatever they belong to. A text is recorded if its
//! member is listed here. So neither the text of a source, in whatever form and under
//! whatever name an interface takes it, nor a hook's arguments and variables, which
//! members may not read, can stand in an event, to which any member may bind a hook that
//! prints it.

use serde_json::{Map, Value};

/// Characters of a text that are recorded.
pub(super) const TEXT_MAX_CHARS: usize = 200;

/// What stands in place of what is not recorded.
const REDACTED: &str = "…";

/// Members whose texts are recorded: names, references, states, times and addresses. In
/// lower case; they are compared without regard to it.
const RECORDED: [&str; 73] = [
    "account",
    "action",
    "actions",
    "after",
    "app",
    "appid",
    "container_image",
    "container_name",
    "containerimage",
    "containername",
    "containers",
    "criteria",
    "description",
    "event",
    "events",
    "executionhookid",
    "expires_at",
    "expiry",
    "failure_policy",
    "group",
    "group_id",
    "hook",
    "hooks",
    "hooksourceid",
    "hooktype",
    "host",
    "hosts",
    "id",
    "instance_action",
    "instance_id",
    "instance_ids",
    "kind",
    "labels",
    "limits",
    "list",
    "maintenance_at",
    "matchingcriteria",
    "metadata",
    "migration_type",
    "name",
    "namespace_name",
    "namespacename",
    "namespaces",
    "on",
    "plugin",
    "pod_labels",
    "pod_name",
    "podlabels",
    "podname",
    "principal",
    "project",
    "project_id",
    "resource_mitigation",
    "retry",
    "role",
    "roles",
    "server",
    "serverids",
    "servers",
    "session_id",
    "source_type",
    "sourcetype",
    "stage",
    "state",
    "status",
    "type",
    "url",
    "user",
    "username",
    "uuid",
    "value",
    "version",
    "workflow",
];

/// Of these, every member is recorded: the client names them.
const NAMED_FREELY: [&str; 2] = ["labels", "metadata"];

/// Members whose names contain one of these are never recorded.
const SECRET: [&str; 5] = ["env", "password", "secret", "token", "response"];

/// Which members of a request may be recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Redaction {
    source: SourceMember,
}

/// What an interface has in a member named `source`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceMember {
    /// The name or id of a source.
    Reference,
    /// The text of a source.
    Text,
}

impl Default for Redaction {
    /// The fewest.
    fn default() -> Self {
        Self::of(SourceMember::Text)
    }
}

impl Redaction {
    /// Those of an interface with this in its member `source`.
    pub(super) fn of(source: SourceMember) -> Self {
        Self { source }
    }

    /// Returns what is recorded of a body.
    pub(super) fn of_body(self, body: &Value) -> Value {
        match body {
            Value::Object(members) => self.of_members(members).into(),
            Value::Array(list) => list.iter().map(|value| self.of_body(value)).collect(),
            other => redacted(other),
        }
    }

    /// Returns what is recorded of an object.
    pub(super) fn of_members(self, members: &Map<String, Value>) -> Map<String, Value> {
        self.members(members, Names::Known)
    }

    /// Returns what is recorded of a parameter of the query.
    pub(super) fn of_parameter(self, name: &str, text: &str) -> String {
        match self.records(name, Names::Known) {
            true => shorten(text, TEXT_MAX_CHARS),
            false => REDACTED.to_owned(),
        }
    }

    fn members(self, members: &Map<String, Value>, names: Names) -> Map<String, Value> {
        let one = |(name, value): (&String, &Value)| {
            let names = match NAMED_FREELY.contains(&&*name.to_ascii_lowercase()) {
                true => Names::Free,
                false => names,
            };
            let recorded = match self.records(name, names) {
                true => self.value(value, names),
                // Not what is in it either: there, other names would have other meanings.
                false => redacted(value),
            };
            (shorten(name, TEXT_MAX_CHARS), recorded)
        };
        members.iter().map(one).collect()
    }

    fn value(self, value: &Value, names: Names) -> Value {
        match value {
            Value::String(text) => shorten(text, TEXT_MAX_CHARS).into(),
            Value::Array(list) => list.iter().map(|value| self.value(value, names)).collect(),
            Value::Object(members) => self.members(members, names).into(),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn records(self, name: &str, names: Names) -> bool {
        let name = name.to_ascii_lowercase();
        let is_reference = name == "source" && self.source == SourceMember::Reference;
        let known = is_reference || RECORDED.contains(&&*name) || matches!(names, Names::Free);
        known && !SECRET.iter().any(|secret| name.contains(secret))
    }
}

/// Whose the names of members are.
#[derive(Clone, Copy, Debug)]
enum Names {
    /// The interface's.
    Known,
    /// The client's.
    Free,
}

/// What stands in place of a value that is not recorded.
fn redacted(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(_) | Value::Array(_) | Value::Object(_) => REDACTED.into(),
    }
}

pub(super) fn shorten(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn recorded(source: SourceMember, body: &Value) -> String {
        Redaction::of(source).of_body(body).to_string()
    }

    #[test]
    fn secrets_are_left_out_and_long_texts_shortened() {
        let value = json!({
            "name": "x", "env": {"KEY": "hush", "name": "hush"}, "accessToken": "hush", "args": ["hush"],
            "arguments": ["hush"], "contents": "hush", "script": "hush", "unheard_of": {"deep": ["hush"]},
            "description": "y".repeat(500), "order": 7,
        });
        let recorded = recorded(SourceMember::Reference, &value);
        assert!(!recorded.contains("hush"), "{recorded}");
        assert!(recorded.contains("\"description\":\"yyy"), "{recorded}");
        assert!(recorded.contains("\"order\":7"), "{recorded}");
        assert!(recorded.len() < 500, "{recorded}");
    }

    #[test]
    fn a_reference_to_a_source_is_recorded_and_its_text_is_not() {
        let body = json!({"name": "x", "source": "ZWNobyBodXNo"});
        assert!(recorded(SourceMember::Reference, &body).contains("ZWNobyBodXNo"));
        assert!(!recorded(SourceMember::Text, &body).contains("ZWNobyBodXNo"));
    }

    #[test]
    fn a_body_that_is_not_an_object_is_not_recorded() {
        for body in [json!("hush"), json!(["hush", ["hush"]])] {
            assert!(!recorded(SourceMember::Reference, &body).contains("hush"));
        }
    }

    #[test]
    fn freely_named_members_are_recorded_unless_the_name_suggests_a_secret() {
        let body = json!({"metadata": {"release": "Zed", "password": "hush"}});
        let recorded = recorded(SourceMember::Reference, &body);
        assert!(
            recorded.contains("Zed") && !recorded.contains("hush"),
            "{recorded}"
        );
    }

    #[test]
    fn the_list_is_sorted_and_in_lower_case() {
        assert!(RECORDED.is_sorted());
        assert!(
            RECORDED
                .iter()
                .all(|name| *name == name.to_ascii_lowercase())
        );
    }
}
