//! A table as JSON Schema, for the OpenAPI document.

use serde_json::{Map, Value, json};

use super::{Kind, Member, Presence, Purpose};
use crate::astra::identifier;

/// Describes an object for one purpose.
pub(in crate::astra) fn describe(members: &[Member], purpose: Purpose) -> Value {
    let there = |member: &&Member| member.presence(purpose) != Presence::Never;
    let required: Vec<_> = members
        .iter()
        .filter(|member| member.presence(purpose) == Presence::Must)
        .map(|member| member.name)
        .collect();
    let properties: Map<String, Value> = members
        .iter()
        .filter(there)
        .map(|member| (member.name.to_owned(), member.kind.describe(purpose)))
        .collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

impl Kind {
    fn describe(&self, purpose: Purpose) -> Value {
        match self {
            Self::OneOf(texts) => json!({"type": "string", "enum": texts}),
            Self::Text { min, max } => bounded(
                json!({"type": "string"}),
                ["minLength", "maxLength"],
                (*min, *max),
                purpose,
            ),
            Self::Identifier => json!({"type": "string", "pattern": identifier::PATTERN}),
            Self::Base64 { max } => bounded(
                json!({"type": "string", "pattern": BASE64}),
                ["minLength", "maxLength"],
                (0, *max),
                purpose,
            ),
            Self::Checksum => json!({"type": "string", "pattern": "^[0-9a-fA-F]{32}$"}),
            Self::Timestamp => json!({"type": "string", "pattern": TIMESTAMP}),
            Self::Object(members) => describe(members, purpose),
            Self::List { of, max, unique } => {
                let mut list = json!({"type": "array", "items": of.describe(purpose)});
                if *unique && purpose != Purpose::Reply {
                    list["uniqueItems"] = json!(true);
                }
                bounded(list, ["minItems", "maxItems"], (0, *max), purpose)
            }
        }
    }
}

const BASE64: &str = "^([A-Za-z0-9+/]{4})*(([A-Za-z0-9+/]{2})==|([A-Za-z0-9+/]{3})=)?$";
const TIMESTAMP: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]{1,9})?Z$";

/// Adds bounds that bind. Values in replies may have been set over another interface,
/// which has other bounds.
fn bounded(mut schema: Value, names: [&str; 2], bounds: (usize, usize), purpose: Purpose) -> Value {
    if purpose != Purpose::Reply {
        if bounds.0 > 0 {
            schema[names[0]] = json!(bounds.0);
        }
        if bounds.1 < usize::MAX {
            schema[names[1]] = json!(bounds.1);
        }
    }
    schema
}
