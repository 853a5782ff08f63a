//! One log line as JSON, and as text for a person.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Level;
use crate::json;

/// One structured log line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// Its severity.
    pub level: Level,
    /// What happened, for a person to read.
    pub message: String,
    /// Additional fields.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

impl LogLine {
    /// Parses one line of standard error; `None` if it is not a structured one.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        line.starts_with('{')
            .then(|| serde_json::from_str(line).ok())?
    }

    /// Returns it as the line that [`LogLine::parse`] accepts, without a line feed.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut line = format!(r#"{{"level":"{}","message":"#, self.level.name());
        line.push_str(&json::print(&self.message.as_str().into()));
        for (name, value) in &self.fields {
            line.push(',');
            line.push_str(&json::print(&name.as_str().into()));
            line.push(':');
            line.push_str(&json::print(value));
        }
        line.push('}');
        line
    }
}

impl fmt::Display for LogLine {
    /// Formats it for a person: level, message, and the fields as `name=value`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<5} {}", self.level, self.message)?;
        for (name, value) in &self.fields {
            match value {
                Value::String(text) => write!(f, " {name}={text:?}")?,
                value => write!(f, " {name}={value}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_parsed_as_it_was_printed() {
        let line = r#"{"level":"warn","message":"disk is full","device":"/dev/sdc","percent":97}"#;
        let log = LogLine::parse(line).unwrap();
        assert_eq!(log.to_json(), line);
        assert_eq!(
            log.to_string(),
            r#"WARN  disk is full device="/dev/sdc" percent=97"#
        );
    }

    #[test]
    fn any_text_can_be_logged() {
        let line = LogLine {
            level: Level::Trace,
            message: "a \"quoted\"\nmessage".into(),
            fields: Map::from_iter([("an \"odd\" name".into(), Value::Null)]),
        };
        assert_eq!(LogLine::parse(&line.to_json()), Some(line));
    }

    #[test]
    fn other_lines_are_not_log_lines() {
        for line in [
            "",
            "{",
            "plain text",
            r#"{"level":"loud","message":"x"}"#,
            r#"{"level":"info"}"#,
        ] {
            assert_eq!(LogLine::parse(line), None, "{line}");
        }
    }
}
