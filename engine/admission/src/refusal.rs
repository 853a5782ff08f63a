//! Why bytes were not accepted as a program.
//!
//! The text is for the person who uploaded them: it says what was found and what to
//! do about it.

use crate::fix;

/// Why bytes were not accepted as a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The program is larger than its kind may be.
    #[error("the {kind} has {size} bytes; at most {limit} are accepted")]
    TooLarge {
        /// What kind it was treated as.
        kind: crate::Kind,
        /// Its size in bytes.
        size: u64,
        /// The largest size that is accepted, in bytes.
        limit: u64,
    },
    /// The script is not text.
    #[error("the script is not text: byte {offset} is {what}; send UTF-8 without NUL bytes")]
    NotText {
        /// The offset of the first such byte.
        offset: usize,
        /// What was found there.
        what: &'static str,
    },
    /// What was sent as a script is a native program, an archive or the like.
    #[error("the script is not text but {what}; {fix}")]
    Foreign {
        /// What it is.
        what: &'static str,
        /// What to do.
        fix: &'static str,
    },
    /// What was sent as a script is source code in another language.
    #[error("the script seems to be {what}; {fix}")]
    Source {
        /// What it seems to be.
        what: &'static str,
        /// What to do.
        fix: &'static str,
    },
    /// The script asks for an interpreter that is not offered.
    #[error(
        "the script asks for the interpreter `{interpreter}`; only sh, dash and bash are offered{}",
        fix::interpreter(interpreter)
    )]
    Interpreter {
        /// What its first line names.
        interpreter: String,
    },
    /// The script has a syntax that the shell cannot read.
    #[error("the bytes are not a valid {kind}: {reason}")]
    Malformed {
        /// What kind they were treated as.
        kind: crate::Kind,
        /// The validator's message.
        reason: String,
    },
    /// The module uses a WebAssembly proposal that is switched off.
    #[error(
        "the {kind} uses the `{proposal}` proposal, which is switched off: {reason}{}",
        fix::proposal(proposal)
    )]
    Proposal {
        /// What the bytes are.
        kind: crate::Kind,
        /// The proposal's name.
        proposal: &'static str,
        /// The validator's message.
        reason: String,
    },
    /// The program imports something that the sandbox does not offer.
    #[error(
        "the {kind} imports `{import}`, which is not offered; {}",
        fix::import(*kind, import)
    )]
    Import {
        /// What the bytes are.
        kind: crate::Kind,
        /// The import's module and name.
        import: String,
    },
    /// The program imports something that is offered with another type, or the like.
    #[error("the {kind} cannot be linked: {reason}")]
    Link {
        /// What the bytes are.
        kind: crate::Kind,
        /// What does not match.
        reason: String,
    },
    /// The program has no entry point.
    #[error("the {kind} does not export `{export}`; {fix}")]
    NoEntry {
        /// What the bytes are.
        kind: crate::Kind,
        /// The export that is missing.
        export: &'static str,
        /// What it seems to be, and what to do.
        fix: &'static str,
    },
    /// The program is built in a way that would cost too much to compile or start.
    #[error("the {kind} has {count} {what}; at most {limit} are accepted")]
    TooMany {
        /// What the bytes are.
        kind: crate::Kind,
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        count: u64,
        /// The most that is accepted.
        limit: u64,
    },
    /// Compiling took more than its limits allow, or the compiler failed on it.
    #[error("the {kind} cannot be compiled: {reason}")]
    Compile {
        /// What the bytes are.
        kind: crate::Kind,
        /// What happened.
        reason: String,
    },
}

/// The longest reason that is quoted, in characters.
const REASON_MAX_CHARS: usize = 1_000;

/// Turns a validator's or compiler's message, which may quote the program, into one
/// line without control characters and of a sane length.
#[must_use]
pub fn one_line(text: &str) -> String {
    quoted(text, REASON_MAX_CHARS)
}

/// Does the same for a piece of the program itself, of at most `max_chars` characters.
pub(crate) fn quoted(text: &str, max_chars: usize) -> String {
    let parts = |c: char| c.is_whitespace() || c.is_control() || turns_text(c);
    let words: Vec<_> = text.split(parts).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(max_chars).collect()
}

/// Returns whether the character changes the direction of the text around it.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_plain_line() {
        assert_eq!(
            one_line("bad magic: [\n    0x0,\n]\t\u{1b}[2J\u{9b}31m\0"),
            "bad magic: [ 0x0, ] [2J 31m"
        );
        assert_eq!(one_line("a\u{2028}b\u{202e}c"), "a b c");
        assert_eq!(one_line(&"x".repeat(5_000)).len(), REASON_MAX_CHARS);
    }
}
