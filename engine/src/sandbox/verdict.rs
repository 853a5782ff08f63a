//! A hook's verdict: what it left in `/verdict.json`, parsed strictly.
//!
//! A hook that leaves no file has answered with its exit status. One that leaves an
//! unusable file has tried to say something: that is reported to its author, so that a
//! denial is never lost silently.

use serde_json::value::RawValue;
use tenterhook_admission::one_line;
use tenterhook_contract::{VERDICT_FILE, VERDICT_MAX_BYTES};

use crate::json::{self, Members};
use crate::verdict::{Unsuited, UnsuitedKind, Verdict};

/// The longest value that is quoted, in characters.
const QUOTED_MAX_CHARS: usize = 40;

/// What a guest left in the place of the verdict file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum VerdictFile {
    /// Nothing.
    #[default]
    Absent,
    /// A file with these bytes.
    Content(Vec<u8>),
    /// A file that is longer than [`VERDICT_MAX_BYTES`].
    TooLong,
    /// A folder, a link or something else that is not a regular file.
    NotRegular,
}

impl VerdictFile {
    /// Parses the verdict; `None` if there is no file.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in one line that names the file.
    pub(super) fn read(&self) -> Result<Option<Verdict>, String> {
        let read = match self {
            Self::Absent => return Ok(None),
            Self::TooLong => Err(format!(
                "it has more than {VERDICT_MAX_BYTES} bytes; print what is long instead"
            )),
            Self::NotRegular => Err("it is not a regular file".into()),
            Self::Content(bytes) => verdict(bytes),
        };
        read.map(Some)
            .map_err(|fault| one_line(&format!("{VERDICT_FILE} cannot be used: {fault}")))
    }
}

fn verdict(bytes: &[u8]) -> Result<Verdict, String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("it is not UTF-8 from byte {} on", error.valid_up_to()))?;
    if text.trim().is_empty() {
        return Err(
            "it is empty; write an object such as {\"allow\":true} into it, or make no such file \
             to answer with the exit status alone"
                .into(),
        );
    }
    if text.starts_with('\u{feff}') {
        return Err("it begins with a byte order mark; write it without one".into());
    }
    if json::is_too_deep(text) {
        return Err(format!(
            "it is nested deeper than {} levels, the recursion limit of what reads it",
            json::MAX_DEPTH
        ));
    }
    let value: &RawValue = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    if !value.get().starts_with('{') {
        return Err(format!(
            "it must be an object such as {{\"allow\":true}}, not {}",
            quoted(value)
        ));
    }
    let members: Members = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    Verdict::of(members).map_err(|Unsuited { kind, at }| {
        let (line, column) = position(text, at);
        let found = match kind {
            UnsuitedKind::Wrong(..) => format!(", not {}", quoted(at)),
            UnsuitedKind::Repeated(_) | UnsuitedKind::Name => String::new(),
        };
        format!("{kind}{found} (line {line}, column {column})")
    })
}

fn not_json(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(what, _)| what);
    format!(
        "it is not JSON that can be read: {what} (line {}, column {})",
        error.line(),
        error.column()
    )
}

fn quoted(value: &RawValue) -> String {
    let text = value.get();
    match text.char_indices().nth(QUOTED_MAX_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Returns the line and column, from 1, of a value that was cut from this text; the column
/// counts bytes, like the parser's own.
fn position(json: &str, value: &RawValue) -> (usize, usize) {
    let at = value.get().as_ptr() as usize - json.as_ptr() as usize;
    let before = &json[..at];
    let line = before.matches('\n').count() + 1;
    let column = at - before.rfind('\n').map_or(0, |end| end + 1) + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> String {
        VerdictFile::Content(text.into()).read().unwrap_err()
    }

    #[test]
    fn a_fault_names_member_value_and_position() {
        for (text, expected) in [
            (
                r#"{"allow":"false"}"#,
                "`allow` must be true or false, not \"false\" (line 1, column 10)",
            ),
            (
                "{\n  \"note\": {\"allow\": [1]},\n  \"\\u0061llow\":\n    0\n}",
                "`allow` must be true or false, not 0 (line 4, column 5)",
            ),
            (
                r#"{"allow":false,"reason":["a"]}"#,
                "`reason` must be text, not [\"a\"] (line 1, column 25)",
            ),
            (
                "[true]",
                "it must be an object such as {\"allow\":true}, not [true]",
            ),
            (
                "{\"allow\":",
                "EOF while parsing a value (line 1, column 9)",
            ),
            ("{\"allow\":True}", "expected value (line 1, column 10)"),
            ("{'allow':true}", "key must be a string (line 1, column 2)"),
            (
                "{\"allow\":true}{\"allow\":false}",
                "trailing characters (line 1, column 15)",
            ),
            (
                "{\"allow\":true,\"allow\":false}",
                "duplicate field `allow`",
            ),
            (" \n", "it is empty;"),
            ("\u{feff}{}", "byte order mark"),
        ] {
            let fault = fault(text);
            assert!(
                fault.starts_with("/verdict.json cannot be used: "),
                "{fault}"
            );
            assert!(fault.contains(expected), "{text}: {fault}");
        }
        assert!(fault(&"[".repeat(1_000)).contains("recursion limit"));
        let bytes = VerdictFile::Content(b"{\"a\":\"\xff\"}".to_vec());
        assert!(bytes.read().unwrap_err().contains("not UTF-8 from byte 6"));
        assert!(
            VerdictFile::TooLong
                .read()
                .unwrap_err()
                .contains("more than 65536 bytes")
        );
    }

    #[test]
    fn a_quoted_value_is_short_and_plain() {
        let long = format!(r#"{{"allow":"{}"}}"#, "ä".repeat(10_000));
        assert!(fault(&long).chars().count() < 200);
        let hostile = fault("{\"allow\":\"\u{9b}2J\u{202e}\"}");
        assert!(!hostile.contains(['\u{9b}', '\u{202e}']), "{hostile}");
    }

    #[test]
    fn a_usable_verdict_is_returned_unchanged() {
        let read = |text: &str| VerdictFile::Content(text.into()).read().unwrap().unwrap();
        assert_eq!(read(r#"{"allow":true}"#), Verdict::allow());
        assert_eq!(read(r#"{"allow":null,"reason":null}"#), Verdict::default());
        assert_eq!(read(" {\"n\": 1}\n"), Verdict::default().with("n", 1));
        assert_eq!(VerdictFile::Absent.read(), Ok(None));
    }

    proptest! {
        #[test]
        fn any_content_is_a_verdict_or_a_fault_of_one_line(bytes in any::<Vec<u8>>()) {
            if let Err(fault) = VerdictFile::Content(bytes).read() {
                prop_assert!(!fault.contains(char::is_control));
            }
        }

        #[test]
        fn an_object_with_a_wrong_member_is_a_fault(json in r#"\{"[a-z\\"{}\[\]:, ]{0,12}":"[a-z\\"{}\[\]: ]{0,12}","allow": ?[0-9]\}"#) {
            prop_assert!(VerdictFile::Content(json.into()).read().is_err());
        }
    }
}
