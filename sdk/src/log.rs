//! Structured log lines: what a hook says on standard error, for programs to read.
//!
//! A line that is a JSON object with `level` and `message` is one; its other
//! members are fields. Any language can print them, and other lines may stand
//! between them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One structured log line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// What happened, for a person to read.
    pub message: String,
    /// Whatever else the hook wants to tell.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Every step.
    Trace,
    /// For whoever looks for a fault.
    Debug,
    /// What an operator may want to know.
    Info,
    /// What an operator should look at.
    Warn,
    /// What went wrong.
    Error,
}

impl LogLine {
    /// Reads one line of standard error; `None` if it is not a structured one.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        line.starts_with('{')
            .then(|| serde_json::from_str(line).ok())?
    }

    /// Prints it as the line that [`LogLine::parse`] reads, without a line feed.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a log line holds nothing that JSON cannot say")
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        })
    }
}

impl fmt::Display for LogLine {
    /// For a person: level, message, and the fields as `name=value`.
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
    fn a_line_is_read_as_it_was_printed() {
        let line = r#"{"level":"warn","message":"disk is full","device":"/dev/sdc","percent":97}"#;
        let log = LogLine::parse(line).unwrap();
        assert_eq!(log.to_json(), line);
        assert_eq!(
            log.to_string(),
            r#"WARN  disk is full device="/dev/sdc" percent=97"#
        );
    }

    #[test]
    fn other_lines_are_none() {
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
