//! What the command line itself says to the person who typed it, on stderr.

use std::fmt::Display;
use std::io::Write as _;

/// Says one thing. That nobody hears it is no reason to stop.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "tenterhook: {text}");
}

/// Says what could not be done, and why, down to the first cause.
pub(crate) fn say_error(error: &anyhow::Error) {
    say(chain(error));
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    let texts: Vec<String> = error.chain().map(ToString::to_string).collect();
    texts.join(": ")
}
