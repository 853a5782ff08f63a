//! JSON that is compared and written with the text of its numbers.
//!
//! A float cannot tell `1.10` from `1.1`, nor one large number from the next, and whoever reads
//! what a hook wrote may. White space, the order of members and the escapes of strings have no
//! meaning: they are not compared.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use tenterhook_engine::json::{MAX_DEPTH, Member, Members, is_too_deep, text};

/// The indentation of one level.
const INDENT: &str = "  ";

/// Why reading what was read as a [`RawValue`] succeeds.
const CHECKED: &str = "the syntax of a raw value was checked";

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exact {
    /// A number, `true`, `false` or `null` as it was written, or a string in the one form in
    /// which strings with the same text are written here.
    Scalar(String),
    /// A list.
    List(Vec<Self>),
    /// An object: its members by name, a string in that form; of a repeated name, the last.
    Object(BTreeMap<String, Self>),
}

impl Exact {
    /// The value `null`.
    pub(super) fn null() -> Self {
        Self::Scalar("null".to_owned())
    }

    /// What a hook wrote; its depth was checked when it was received.
    pub(super) fn written(value: &impl Serialize) -> Self {
        let raw = to_raw_value(value).expect("it holds nothing that JSON cannot represent");
        Self::of(&raw)
    }

    fn of(value: &RawValue) -> Self {
        let json = value.get();
        match json.as_bytes().first() {
            Some(b'{') => {
                let Members(members) = serde_json::from_str(json).expect(CHECKED);
                let member = |own: &Member<'_>| (string(own.name), Self::of(own.value));
                Self::Object(members.iter().map(member).collect())
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(json).expect(CHECKED);
                Self::List(items.into_iter().map(Self::of).collect())
            }
            Some(b'"') => Self::Scalar(string(value)),
            _ => Self::Scalar(json.to_owned()),
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(json) if json == "null")
    }

    pub(super) fn is_number(&self) -> bool {
        let starts = |json: &String| json.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        matches!(self, Self::Scalar(json) if starts(json))
    }

    /// The text of a string; `None` if it is another value, or no text can hold it.
    pub(super) fn as_text(&self) -> Option<String> {
        match self {
            Self::Scalar(json) if json.starts_with('"') => serde_json::from_str(json).ok(),
            _ => None,
        }
    }
}

/// Writes a string in the one form of its text. One with a lone surrogate has no text and
/// stays as it is.
fn string(value: &RawValue) -> String {
    match text(value) {
        Some(text) => quoted(&text),
        None => value.get().to_owned(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text is JSON")
}

impl From<&str> for Exact {
    fn from(text: &str) -> Self {
        Self::Scalar(quoted(text))
    }
}

impl From<u64> for Exact {
    fn from(number: u64) -> Self {
        Self::Scalar(number.to_string())
    }
}

/// Writes it on one line, without white space.
impl Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let comma = |index| if index == 0 { "" } else { "," };
        match self {
            Self::Scalar(json) => f.write_str(json),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", comma(index))?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    write!(f, "{}{name}:{value}", comma(index))?;
                }
                f.write_str("}")
            }
        }
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(self.to_string()).map_err(S::Error::custom)?;
        raw.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        if is_too_deep(raw.get()) {
            let message = format!("lists and objects are nested deeper than {MAX_DEPTH} levels");
            return Err(D::Error::custom(message));
        }
        Ok(Self::of(&raw))
    }
}

/// Lays out JSON without white space on several lines, and keeps its numbers and strings as
/// they are.
pub(super) fn pretty(compact: &str) -> String {
    let mut lines = String::new();
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    let mut rest = compact.chars().peekable();
    while let Some(c) = rest.next() {
        if in_string {
            in_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
            lines.push(c);
            continue;
        }
        in_string = c == '"';
        let is_end = matches!(c, ']' | '}');
        if is_end && !lines.ends_with(['[', '{']) {
            depth = depth.saturating_sub(1);
            break_line(&mut lines, depth);
        }
        lines.push(c);
        match c {
            '[' | '{' if !matches!(rest.peek(), Some(']' | '}')) => {
                depth += 1;
                break_line(&mut lines, depth);
            }
            ',' => break_line(&mut lines, depth),
            ':' => lines.push(' '),
            _ => {}
        }
    }
    lines
}

fn break_line(lines: &mut String, depth: usize) {
    lines.push('\n');
    lines.extend(std::iter::repeat_n(INDENT, depth));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn read(json: &str) -> Exact {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn numbers_are_equal_if_their_texts_are() {
        assert_eq!(read("1.10"), read(" 1.10 "));
        for (one, other) in [
            ("1.10", "1.1"),
            ("1.0", "1"),
            ("0", "-0"),
            ("1e400", "\"1e400\""),
            ("12345678901234567890123", "12345678901234567899999"),
        ] {
            assert_ne!(read(one), read(other));
        }
    }

    #[test]
    fn layout_order_and_escapes_are_not_compared() {
        let one = read(r#"{"b": [1, "\u00e4\/"], "a": {}}"#);
        assert_eq!(one, read(r#"{"\u0061":{},"b":[1,"\u00E4/"]}"#));
        assert_ne!(one, read(r#"{"b": ["\u00e4/", 1], "a": {}}"#));
    }

    #[test]
    fn what_no_value_can_hold_is_written_as_it_was() {
        let json = r#"{"\ud83d":"\uDEAD","n":[1e400,-0,1.10]}"#;
        assert_eq!(serde_json::to_string(&read(json)).unwrap(), json);
    }

    #[test]
    fn a_text_is_read_back() {
        let text = "a\"\u{1b}\n";
        assert_eq!(Exact::from(text).as_text().as_deref(), Some(text));
        assert_eq!(Exact::from(7).as_text(), None);
        assert!(Exact::from(7).is_number() && !Exact::from("7").is_number());
    }

    proptest! {
        #[test]
        fn the_layout_is_that_of_the_usual_writer(text in r#"\[("[a\\n,:{]{0,3}",)?\{("a":-?1)?\}(,\[(\[\],2)?\])?\]"#) {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                let usual = serde_json::to_string_pretty(&value).unwrap();
                prop_assert_eq!(pretty(&read(&text).to_string()), usual);
            }
        }
    }
}
