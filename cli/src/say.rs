//! What the command line itself says to the person who typed it, on stderr.

use std::fmt::Display;
use std::io::Write as _;

use crate::neutral;

/// Says one thing. That nobody hears it is no reason to stop.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "tenterhook: {text}");
}

/// Says in one line what could not be done, and why, down to the first cause.
///
/// A cause may hold a guest's own words, such as the name of an export.
pub(crate) fn say_error(error: &anyhow::Error) {
    let texts: Vec<String> = error.chain().map(ToString::to_string).collect();
    say(neutral::line(&texts.join(": ")));
}
