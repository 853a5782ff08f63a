//! A structured line of a guest's standard error, as the host shows it.
//!
//! Guests print theirs with the SDK; here the fields keep the text that the guest wrote.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::value::RawValue;
use tenterhook_sdk::log::Level;

use crate::json::{self, Members};

/// One structured log line.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// Its severity.
    pub level: Level,
    /// What happened, for a person to read.
    pub message: String,
    /// Additional fields; of a repeated name, the last.
    pub fields: BTreeMap<String, Box<RawValue>>,
}

impl LogLine {
    /// Parses one line of standard error; `None` if it is not a structured one.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        if !line.starts_with('{') || json::is_too_deep(line) {
            return None;
        }
        let Members(members) = serde_json::from_str(line).ok()?;
        let (mut level, mut message) = (None, None);
        let mut fields = BTreeMap::new();
        for member in members {
            let name = member.name()?;
            match &*name {
                "level" if level.is_none() => {
                    level = Some(serde_json::from_str(member.value.get()).ok()?);
                }
                "message" if message.is_none() => {
                    message = Some(json::text(member.value)?.into_owned());
                }
                "level" | "message" => return None,
                _ => {
                    fields.insert(name.into_owned(), member.value.to_owned());
                }
            }
        }
        Some(Self {
            level: level?,
            message: message?,
            fields,
        })
    }
}

impl Serialize for LogLine {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("level", &self.level)?;
        map.serialize_entry("message", &self.message)?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_the_text_that_the_guest_wrote() {
        let line = r#"{"level":"warn","message":"m","big":12345678901234567890123,"price":1.10}"#;
        let log = LogLine::parse(line).unwrap();
        assert_eq!(serde_json::to_string(&log).unwrap(), line);
    }

    #[test]
    fn other_lines_are_not_log_lines() {
        let deep = format!(
            r#"{{"level":"info","message":"x","a":{}{}}}"#,
            "[".repeat(1_000),
            "]".repeat(1_000)
        );
        for line in [
            "",
            "{",
            "plain text",
            r#"{"level":"loud","message":"x"}"#,
            r#"{"level":"info"}"#,
            r#"{"level":"info","message":1}"#,
            r#"{"level":"info","message":"x","message":"y"}"#,
            &deep,
        ] {
            assert!(LogLine::parse(line).is_none(), "{line}");
        }
    }
}
