//! JSON that is passed on as it was written: its members, its depth, its text.
//!
//! What a tenant sends or a guest writes is theirs: numbers keep their digits, strings their
//! escapes. `serde_json` checks the syntax and cuts the text; values are parsed only where
//! their meaning is needed.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// How deeply lists and objects may be nested in what is passed on unparsed.
///
/// Parsers give up at 127 levels. The rest is room for what it is wrapped in.
pub const MAX_DEPTH: usize = 100;

/// The members of an object, in the order of the text, repeated names included.
#[derive(Debug, Default)]
pub struct Members<'a>(pub Vec<Member<'a>>);

/// A member of an object, as it was written.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Its name, a JSON string.
    pub name: &'a RawValue,
    /// Its value.
    pub value: &'a RawValue,
}

impl<'a> Member<'a> {
    /// Returns the name; `None` if it is not text, see [`text`].
    #[must_use]
    pub fn name(&self) -> Option<Cow<'a, str>> {
        text(self.name)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Vec<Member<'de>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key()? {
                    let value = map.next_value()?;
                    members.push(Member { name, value });
                }
                Ok(members)
            }
        }
        from.deserialize_map(Object).map(Self)
    }
}

/// Returns the text of a JSON string; `None` if it is another value, or has a lone
/// surrogate: the grammar allows that, and no text can hold it.
#[must_use]
pub fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let quoted = value.get();
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(quoted).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// Returns whether lists and objects are nested deeper than [`MAX_DEPTH`].
#[must_use]
pub fn is_too_deep(json: &str) -> bool {
    is_deeper(json, MAX_DEPTH)
}

/// Returns whether lists and objects are nested deeper than this.
///
/// It counts brackets outside strings, also in a text that is not JSON: no parser finds the
/// depth without recursion, and without reading numbers that it cannot hold.
#[must_use]
pub fn is_deeper(json: &str, levels: usize) -> bool {
    let mut depth = 0_usize;
    tokens(json).any(|byte| {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > levels
    })
}

/// Iterates over the bytes outside strings.
fn tokens(json: &str) -> impl Iterator<Item = u8> {
    let (mut in_string, mut is_escaped) = (false, false);
    json.bytes().filter(move |byte| {
        if !in_string {
            in_string = *byte == b'"';
            return true;
        }
        if is_escaped {
            is_escaped = false;
        } else if *byte == b'\\' {
            is_escaped = true;
        } else {
            in_string = *byte != b'"';
        }
        false
    })
}

/// Returns JSON without the white space between its tokens.
#[must_use]
pub fn compact(json: &str) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    let kept = |c: &char| {
        if in_string {
            in_string = is_escaped || *c != '"';
            is_escaped = !is_escaped && *c == '\\';
            return true;
        }
        in_string = *c == '"';
        !matches!(c, ' ' | '\t' | '\n' | '\r')
    };
    json.chars().filter(kept).collect()
}

/// Returns the value that comes nearest: a number that a [`Value`] cannot hold becomes its
/// text, and a lone surrogate U+FFFD. For what is looked at, not for what is passed on.
#[must_use]
pub fn nearest(value: &RawValue) -> Value {
    match serde_json::from_str(value.get()) {
        Ok(value) => value,
        Err(_) if is_too_deep(value.get()) => value.get().into(),
        Err(_) => by_parts(value, nearest),
    }
}

/// Returns the value, in which a number that a [`Value`] would print otherwise is its text.
/// For what is compared.
#[must_use]
pub fn exact(value: &RawValue) -> Value {
    if is_too_deep(value.get()) {
        return value.get().into();
    }
    match serde_json::from_str(value.get()) {
        Ok(Value::Number(number)) if number.to_string() != value.get() => value.get().into(),
        Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_))) => value,
        _ => by_parts(value, exact),
    }
}

fn by_parts(value: &RawValue, inner: fn(&RawValue) -> Value) -> Value {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'{') => {
            let Members(members) = serde_json::from_str(json).unwrap_or_default();
            let named = |member: Member<'_>| (string(member.name), inner(member.value));
            Value::Object(members.into_iter().map(named).collect::<Map<_, _>>())
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            items.into_iter().map(inner).collect()
        }
        Some(b'"') => string(value).into(),
        _ => json.into(),
    }
}

/// Returns the text of a string, its lone surrogates replaced.
fn string(value: &RawValue) -> String {
    struct Lossy(String);
    impl<'de> Deserialize<'de> for Lossy {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            struct Bytes;
            impl Visitor<'_> for Bytes {
                type Value = Lossy;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a string")
                }

                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Lossy, E> {
                    Ok(Lossy(String::from_utf8_lossy(bytes).into_owned()))
                }
            }
            from.deserialize_bytes(Bytes)
        }
    }
    match serde_json::from_str(value.get()) {
        Ok(Lossy(text)) => text,
        Err(_) => value.get().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn members_keep_their_text_and_their_order() {
        let json = r#"{ "b" : 1.10, "a":[ 1e400 ],"b":"\ud83d"}"#;
        let Members(members) = serde_json::from_str(json).unwrap();
        let texts: Vec<_> = members
            .iter()
            .map(|member| (member.name().unwrap(), member.value.get()))
            .collect();
        assert_eq!(
            texts,
            [
                ("b".into(), "1.10"),
                ("a".into(), "[ 1e400 ]"),
                ("b".into(), r#""\ud83d""#)
            ]
        );
        assert!(serde_json::from_str::<Members>("{\"a\nb\":1}").is_err());
    }

    #[test]
    fn only_strings_have_a_text() {
        assert_eq!(text(raw(r#""a\u00e9""#)).as_deref(), Some("a\u{e9}"));
        assert_eq!(text(raw(r#""""#)).as_deref(), Some(""));
        for other in [r#""\ud83d""#, "1", "null", "[]"] {
            assert_eq!(text(raw(other)), None, "{other}");
        }
    }

    #[test]
    fn nesting_is_counted_in_objects_and_lists() {
        let json = r#"{"a": [{"b": 1}], "c": [[]]}"#;
        assert!(!is_deeper(json, 3));
        assert!(is_deeper(json, 2));
        assert!(!is_deeper("1", 0));
    }

    #[test]
    fn brackets_in_strings_are_not_depth() {
        let nested = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(!is_too_deep(&nested(MAX_DEPTH)));
        assert!(is_too_deep(&nested(MAX_DEPTH + 1)));
        assert!(!is_too_deep(&format!(r#"["\"{}\\"]"#, "[".repeat(1_000))));
    }

    #[test]
    fn the_nearest_value_is_found_for_any_json() {
        let odd = r#"{"n":[1e400,1],"s\ud83d":"a\udead","ok":"\u00e9"}"#;
        assert_eq!(
            nearest(raw(odd)),
            json!({"n": ["1e400", 1], "s\u{fffd}\u{fffd}\u{fffd}": "a\u{fffd}\u{fffd}\u{fffd}", "ok": "\u{e9}"})
        );
    }

    #[test]
    fn a_number_that_a_value_would_change_is_its_text() {
        let json = r#"{"a":[1.10,1.5,12345678901234567890123,1e400,-0],"b":{"c":"1.10"}}"#;
        assert_eq!(
            exact(raw(json)),
            json!({
                "a": ["1.10", 1.5, "12345678901234567890123", "1e400", "-0"], "b": {"c": "1.10"},
            })
        );
    }

    proptest! {
        #[test]
        fn compact_json_has_the_same_value(text in r#"\[ ?("[a \\n"]{0,3}" ?, ?)?\{"a" ?: ?-?1 ?\} ?\]"#) {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                prop_assert_eq!(compact(&text), value.to_string());
            }
        }
    }
}
