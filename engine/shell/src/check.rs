//! What reading a script shows before it is run: whether it can be parsed, and which
//! commands it calls that the sandbox does not have.
//!
//! Nothing is run and nothing is expanded: a command behind a variable, in a string or
//! in a file that the script reads is not looked at. The text is a tenant's, so this
//! runs where scripts run.

mod calls;
mod stuck;
#[cfg(test)]
mod tests;
mod unclosed;

use bashkit::Error;
use calls::Calls;
use std::fmt;

/// Levels of syntax that the interpreter accepts.
const DEPTH: usize = 100;
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

impl Report {
    fn error(script: &str, offset: usize, message: String) -> Self {
        let (line, column) = place(script, offset);
        Self {
            severity: Severity::Error,
            line,
            column,
            message,
        }
    }
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
    let (parsed, error) = stuck::parser(script).parse_recovering();
    let mut reports = Calls::of(script, &parsed).missing(exists, MOST - 1);
    // The command that is wrong, or the last one, which may be too long.
    let start = parsed.command_starts.last().map_or(0, |(start, _)| *start);
    reports.extend(match error {
        Some(error) if stuck::is_exhausted(&error) => Some(unexpected_token(script, start)),
        Some(error) => Some(syntax(script, &error, start, parsed.commands.is_empty())),
        None if parsed.commands.last().is_some_and(unclosed::may_be_open) => {
            unclosed(script, start)
        }
        None => None,
    });
    reports.sort_by_key(|report| (report.line, report.column));
    reports
}

/// The syntax error on which the parser of a run uses up its steps.
pub(crate) fn endless(script: &str) -> Option<Report> {
    let (parsed, error) = stuck::parser(script).parse_recovering();
    let start = parsed.command_starts.last().map_or(0, |(start, _)| *start);
    error
        .filter(stuck::is_exhausted)
        .map(|_| unexpected_token(script, start))
}

fn unexpected_token(script: &str, start: usize) -> Report {
    let message = |token: &str| format!("syntax error near unexpected token `{token}'");
    match stuck::token(&script[start..]) {
        Some(token) => Report::error(script, start + token.offset, message(token.text)),
        None => Report::error(script, start, "syntax error".to_owned()),
    }
}

fn unclosed(script: &str, start: usize) -> Option<Report> {
    let opening = unclosed::opening(&script[start..])?;
    let closed_by = opening.closed_by;
    let message = format!("unexpected EOF while looking for matching `{closed_by}'");
    Some(Report::error(script, start + opening.offset, message))
}

fn syntax(script: &str, error: &Error, start: usize, is_first: bool) -> Report {
    let message = match error {
        Error::Parse { message, .. } => message.clone(),
        other => other.to_string(),
    };
    let is_said = ["syntax error", "unexpected EOF"]
        .iter()
        .any(|start| message.starts_with(start));
    let message = match is_said {
        true => message,
        false => format!("syntax error: {message}"),
    };
    match error {
        Error::Parse { line, column, .. } if *line > 0 => Report {
            severity: Severity::Error,
            line: match is_first {
                true => line_in_script(script, *line),
                false => *line,
            },
            column: (*column).max(1),
            message,
        },
        _ => Report::error(script, start, message),
    }
}

/// Line and column of a byte of `script`.
fn place(script: &str, offset: usize) -> (usize, usize) {
    let before = &script[..offset];
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[start..].chars().count() + 1)
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
            stuck::parser(&text).parse().is_ok()
        });
        match complete {
            Some(end) => start = end,
            None if line > start => return line,
            None => return start + line,
        }
    }
    line
}
