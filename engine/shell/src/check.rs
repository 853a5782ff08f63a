//! What reading a script shows before it is run: whether it can be parsed, and which
//! commands it calls that the sandbox does not have.
//!
//! Nothing is run and nothing is expanded: a command behind a variable, in a string or
//! in a file that the script reads is not looked at. The text is a tenant's, so this
//! runs where scripts run.

mod calls;
#[cfg(test)]
mod tests;

use bashkit::Error;
use bashkit::parser::Parser;
use calls::Calls;
use std::fmt;

/// Levels of syntax that the interpreter accepts.
const DEPTH: usize = 100;
/// More steps than a script of the largest size takes: the run's fuel is the bound.
const STEPS: usize = 1 << 30;
/// Reports about one script; a wrong text may have one in each of its lines.
const MOST: usize = 100;
/// Lines that one command is followed for when the place of an error is searched for.
const SEARCHED_LINES: usize = 100;

/// How much a report matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// From here on the script cannot be parsed.
    Error,
    /// The script runs, and this part of it fails.
    Warning,
}

/// One report about a script. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) severity: Severity,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
}

impl fmt::Display for Report {
    /// One line, as the engine reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let message = self.message.replace(char::is_control, " ");
        let Self { line, column, .. } = self;
        write!(f, "{severity}\t{line}\t{column}\t{message}")
    }
}

/// Reads `script`. `exists` is whether the sandbox has a command of that name.
pub(crate) fn check(script: &str, exists: impl Fn(&str) -> bool) -> Vec<Report> {
    let parser = Parser::with_limits(script, DEPTH, STEPS);
    let (parsed, error) = parser.parse_recovering();
    let mut reports = Calls::of(script, &parsed.commands).missing(exists, MOST - 1);
    if let Some(error) = error {
        reports.push(syntax(script, &error, parsed.commands.is_empty()));
    }
    reports.sort_by_key(|report| (report.line, report.column));
    reports
}

fn syntax(script: &str, error: &Error, is_first: bool) -> Report {
    let (message, line, column) = match error {
        Error::Parse {
            message,
            line,
            column,
        } => (message.clone(), (*line).max(1), (*column).max(1)),
        other => (other.to_string(), 1, 1),
    };
    let line = if is_first {
        line_in_script(script, line)
    } else {
        line
    };
    let message = match message.starts_with("syntax error") {
        true => message,
        false => format!("syntax error: {message}"),
    };
    Report {
        severity: Severity::Error,
        line,
        column,
        message,
    }
}

/// The line of an error in the whole script. The parser may count the lines of an error
/// inside `$( )` from its beginning, and then gives no command before it back.
fn line_in_script(script: &str, line: usize) -> usize {
    let lines: Vec<&str> = script.split_inclusive('\n').collect();
    let mut start = 0;
    while start < lines.len() {
        let most = lines.len().min(start + SEARCHED_LINES);
        let complete = (start + 1..=most).find(|end| {
            let text = lines[start..*end].concat();
            Parser::with_limits(&text, DEPTH, STEPS).parse().is_ok()
        });
        match complete {
            Some(end) => start = end,
            None if line > start => return line,
            None => return start + line,
        }
    }
    line
}
