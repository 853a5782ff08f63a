//! What is left of values that may be secret or personal.

use std::net::IpAddr;

use serde_json::{Map, Value};

/// Parts of the names of members whose values are secrets.
const SECRET: [&str; 10] = [
    "authorization",
    "cookie",
    "credential",
    "key",
    "passphrase",
    "passwd",
    "password",
    "secret",
    "signature",
    "token",
];

/// Stands in the place of what is left out.
const LEFT_OUT: &str = "***";

/// A name, or an address of mail, as its first letter.
pub(crate) fn person(name: &str) -> String {
    let first = name.chars().next();
    first.map_or_else(String::new, |first| format!("{first}{LEFT_OUT}"))
}

/// An address without its last part: the network that it belongs to.
pub(crate) fn address(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.{LEFT_OUT}")
        }
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{LEFT_OUT}")
        }
        Err(_) => LEFT_OUT.to_owned(),
    }
}

/// A text with the addresses in it redacted.
pub(crate) fn text(text: &str) -> String {
    let words =
        text.split_inclusive([' ', ',', ';', '\n', '"', '\'', '<', '>', '(', ')', '[', ']']);
    words.map(word).collect()
}

/// One word, with what ends it.
fn word(word: &str) -> String {
    let end = word.trim_end_matches(|c: char| !c.is_alphanumeric());
    let rest = &word[end.len()..];
    if end.parse::<IpAddr>().is_ok() {
        return address(end) + rest;
    }
    if end
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
    {
        return person(end) + rest;
    }
    word.to_owned()
}

/// JSON without the values of secret members, and with the addresses in its texts
/// redacted.
pub(crate) fn json(value: Value) -> Value {
    match value {
        Value::String(said) => text(&said).into(),
        Value::Array(items) => items.into_iter().map(json).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| match is_secret(&name) {
                true => (name, LEFT_OUT.into()),
                false => (name, json(value)),
            })
            .collect::<Map<_, _>>()
            .into(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}

/// The body of a request. One that cannot be read cannot be searched for secrets
/// either.
pub(crate) fn body(body: &str) -> Value {
    if body.is_empty() {
        return "".into();
    }
    match serde_json::from_str(body) {
        Ok(value) => json(value),
        Err(_) => format!("[{} bytes that are not JSON]", body.len()).into(),
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_lose_what_names_one_machine() {
        assert_eq!(address("192.0.2.17"), "192.0.2.***");
        assert_eq!(address("2001:db8:17:4::9"), "2001:db8:17:***");
        assert_eq!(address("somewhere"), "***");
    }

    #[test]
    fn addresses_are_found_in_the_middle_of_a_text() {
        assert_eq!(
            text("mail ada@example.com, or <grace@example.com>; from 192.0.2.17."),
            "mail a***, or <g***>; from 192.0.2.***."
        );
        assert_eq!(text("node@7 was @ 10.0"), "node@7 was @ 10.0");
    }

    #[test]
    fn secrets_are_found_by_their_names_at_any_depth() {
        let value = json!({"a": [{"apiToken": "t", "PASSWORD": {"x": 1}, "n": null}]});
        let expected = json!({"a": [{"apiToken": "***", "PASSWORD": "***", "n": null}]});
        assert_eq!(super::json(value), expected);
    }

    #[test]
    fn nothing_of_a_body_that_cannot_be_read_is_left() {
        assert_eq!(body(r#"{"password": "x"#), "[15 bytes that are not JSON]");
    }
}
