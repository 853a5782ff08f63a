//! JSON from outside: no member twice, no more values than any resource has.
//!
//! A body of megabytes is a text of megabytes, not millions of small values.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::problem::{Problem, Row};
use crate::body::without_bom;

/// Most values in one body, nested ones counted.
const VALUES_MAX: u32 = 4_096;

/// Reads an object.
pub(super) fn read_object(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let left = Cell::new(VALUES_MAX);
    let mut reader = serde_json::Deserializer::from_slice(without_bom(bytes));
    let value = Strict(&left).deserialize(&mut reader).map_err(|error| {
        // What the seed refuses is valid JSON as far as it was read.
        if error.is_data() {
            Problem::schema(error.to_string())
        } else {
            Row::InvalidJson.into()
        }
    })?;
    reader.end().map_err(|_| Problem::from(Row::InvalidJson))?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Problem::schema("the body must be an object")),
    }
}

#[derive(Clone, Copy)]
struct Strict<'a>(&'a Cell<u32>);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        let left = self.0.get().checked_sub(1).ok_or_else(|| {
            D::Error::custom(format!(
                "the body must not hold more than {VALUES_MAX} values"
            ))
        })?;
        self.0.set(left);
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice in one object"));
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::rejection::OwnProblem as _;

    #[test]
    fn an_object_is_read_unchanged() {
        let text = r#" {"a": [1, -2, 2.5, true, null, {"b": "c\u00e4"}]} "#;
        let object = read_object(text.as_bytes()).unwrap();
        assert_eq!(
            Value::Object(object),
            json!({"a": [1, -2, 2.5, true, null, {"b": "cä"}]})
        );
    }

    #[test]
    fn invalid_json_is_distinguished_from_too_much_json() {
        let deep = "[".repeat(10_000);
        for text in ["", "{", "{}x", "{\"a\":}", "\u{1}", "'a'", "{a:1}", &deep] {
            let problem = read_object(text.as_bytes()).unwrap_err();
            assert_eq!(problem, Row::InvalidJson.into(), "{text}");
        }
        let wide = format!("{{\"a\":[{}1]}}", "1,".repeat(5_000));
        for text in [
            "[]",
            "7",
            "null",
            "\"x\"",
            r#"{"a":1,"a":1}"#,
            r#"{"b":{"a":1,"a":2}}"#,
            &wide,
        ] {
            let problem = read_object(text.as_bytes()).unwrap_err();
            assert_ne!(problem, Row::InvalidJson.into(), "{text}");
            assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = read_object(&bytes);
        }
    }
}
