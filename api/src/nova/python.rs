//! How Python prints values: Nova's refusals show what was sent as Python does.
//!
//! What is printed has a bound, whatever was sent.

use serde_json::Number;

use super::json::Json;

/// Characters of one value that are shown.
const SHOWN_MAX_CHARS: usize = 512;

/// A value as `repr` prints it.
pub(super) fn repr(value: &Json) -> String {
    let mut printed = Printed::default();
    printed.value(value);
    printed.text
}

/// A text as `repr` prints it.
pub(super) fn quoted(text: &str) -> String {
    let mut printed = Printed::default();
    printed.quoted(text);
    printed.text
}

/// A value as `str` prints it: text unchanged, except for control characters.
pub(super) fn text(value: &Json) -> String {
    match value {
        Json::Text(text) => clip(text, SHOWN_MAX_CHARS),
        value => repr(value),
    }
}

/// No more of a text than this, without control characters.
pub(super) fn clip(text: &str, chars: usize) -> String {
    let plain = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    let mut clipped: String = text.chars().take(chars).map(plain).collect();
    if text.chars().nth(chars).is_some() {
        clipped.push('…');
    }
    clipped
}

/// What is printed so far.
#[derive(Default)]
struct Printed {
    text: String,
    chars: usize,
}

impl Printed {
    fn is_full(&self) -> bool {
        self.chars > SHOWN_MAX_CHARS
    }

    fn put(&mut self, text: &str) {
        for c in text.chars() {
            if self.is_full() {
                return;
            }
            let last = self.chars == SHOWN_MAX_CHARS;
            self.text.push(if last { '…' } else { c });
            self.chars += 1;
        }
    }

    fn value(&mut self, value: &Json) {
        match value {
            Json::Null => self.put("None"),
            Json::Bool(true) => self.put("True"),
            Json::Bool(false) => self.put("False"),
            Json::Number(number) => self.put(&number_text(number)),
            Json::Text(text) => self.quoted(text),
            Json::List(items) => self.list("[", "]", items, Self::value),
            Json::Object(members) => self.list("{", "}", members, |printed, (name, value)| {
                printed.quoted(name);
                printed.put(": ");
                printed.value(value);
            }),
        }
    }

    fn list<T>(&mut self, open: &str, close: &str, items: &[T], one: impl Fn(&mut Self, &T)) {
        self.put(open);
        for (place, item) in items.iter().enumerate() {
            if self.is_full() {
                return;
            }
            if place > 0 {
                self.put(", ");
            }
            one(self, item);
        }
        self.put(close);
    }

    fn quoted(&mut self, text: &str) {
        let quote = match (text.contains('\''), text.contains('"')) {
            (true, false) => "\"",
            _ => "'",
        };
        self.put(quote);
        for c in text.chars() {
            if self.is_full() {
                return;
            }
            match c {
                '\n' => self.put("\\n"),
                '\r' => self.put("\\r"),
                '\t' => self.put("\\t"),
                '\\' => self.put("\\\\"),
                '\'' if quote == "'" => self.put("\\'"),
                c if is_printable(c) => self.put(c.encode_utf8(&mut [0; 4])),
                c => self.put(&escaped(c)),
            }
        }
        self.put(quote);
    }
}

fn escaped(c: char) -> String {
    match u32::from(c) {
        code @ ..=0xff => format!("\\x{code:02x}"),
        code @ ..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

/// Whether Python shows a character unescaped: no control, no space but the plain one,
/// and none that is invisible or private.
fn is_printable(c: char) -> bool {
    let hidden = matches!(
        u32::from(c),
        0xad | 0x600..=0x605 | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff
            | 0xfff0..=0xfffb | 0xe000..=0xf8ff | 0xe0000..
    );
    c == ' ' || !(c.is_control() || c.is_whitespace() || hidden)
}

/// Floating-point numbers have a sign and two digits in their exponent.
fn number_text(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        return number.to_string();
    };
    let printed = format!("{float:?}");
    match printed.split_once('e') {
        None => printed,
        Some((digits, exponent)) => match exponent.strip_prefix('-') {
            Some(exponent) => format!("{digits}e-{exponent:0>2}"),
            None => format!("{digits}e+{exponent:0>2}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(json: &str) -> String {
        repr(&Json::read(json.as_bytes()).unwrap())
    }

    #[test]
    fn values_are_printed_as_python_does() {
        for (json, python) in [
            ("null", "None"),
            ("true", "True"),
            ("false", "False"),
            ("-7", "-7"),
            ("1.0", "1.0"),
            ("2.5", "2.5"),
            ("1e30", "1e+30"),
            ("1e16", "1e+16"),
            ("-0.00001", "-1e-05"),
            (r#""foo""#, "'foo'"),
            (r#""it's""#, "\"it's\""),
            (r#""\"""#, "'\"'"),
            (r#""it's \"q\"""#, r#"'it\'s "q"'"#),
            (r#""a\n\t\r\\""#, r"'a\n\t\r\\'"),
            (r#""a\u001bb""#, r"'a\x1bb'"),
            (r#""a\u200bb\u00e9\u007f""#, "'a\\u200bb\u{e9}\\x7f'"),
            (r#""\ud83d\ude00""#, "'\u{1f600}'"),
            ("[]", "[]"),
            ("{}", "{}"),
            (r#"[1,"a",[null]]"#, "[1, 'a', [None]]"),
            (r#"{"b":1,"a":{"c":[]}}"#, "{'b': 1, 'a': {'c': []}}"),
        ] {
            assert_eq!(of(json), python, "{json}");
        }
    }

    #[test]
    fn text_is_shown_unchanged_except_for_control_characters() {
        assert_eq!(text(&Json::Text("it's".into())), "it's");
        assert_eq!(text(&Json::Text("a\u{1b}b\n".into())), "a\u{fffd}b\u{fffd}");
        assert_eq!(text(&Json::Null), "None");
    }

    #[test]
    fn the_shown_text_is_bounded() {
        let long = "x".repeat(100_000);
        let wide = format!("[{}1]", "1,".repeat(50_000));
        let members: Vec<_> = (0..10_000).map(|n| format!("\"{n}\":{{}}")).collect();
        let members = format!("{{{}}}", members.join(","));
        for json in [format!("\"{long}\""), wide, members] {
            let value = Json::read(json.as_bytes()).unwrap();
            for printed in [repr(&value), text(&value)] {
                assert_eq!(printed.chars().count(), SHOWN_MAX_CHARS + 1);
                assert!(printed.ends_with('…'));
            }
        }
    }

    proptest! {
        #[test]
        fn any_value_is_printed_short_and_without_control_characters(sent in ".{0,600}") {
            let value = Json::List(vec![Json::Text(sent.clone()), Json::Object(vec![(sent, Json::Null)])]);
            for printed in [repr(&value), text(&value)] {
                prop_assert!(printed.chars().count() <= SHOWN_MAX_CHARS + 1);
                prop_assert!(!printed.chars().any(char::is_control));
            }
        }
    }
}
