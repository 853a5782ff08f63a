//! Messages of the command line itself, on stderr.

use std::fmt::Display;
use std::io::Write as _;

use crate::neutral;

/// Prints a message. A closed stderr is no reason to stop.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "tenterhook: {text}");
}

/// Prints an error and its causes in one line.
///
/// A cause may contain guest text, such as the name of an export.
pub(crate) fn say_error(error: &anyhow::Error) {
    let texts: Vec<String> = error.chain().map(ToString::to_string).collect();
    say(neutral::line(&texts.join(": ")));
}
