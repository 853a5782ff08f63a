//! JSON from outside, with its members in the order of the text, since a refusal shows
//! them so.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::body::without_bom;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a text; `None` if it is not JSON, or nested deeper than 127 levels.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(without_bom(bytes)).ok()
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    /// Of a member that occurs twice the last value counts.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object: Vec<(String, Json)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        while let Some((name, value)) = members.next_entry::<String, Json>()? {
            if let Some(place) = places.get(&name) {
                object[*place].1 = value;
            } else {
                places.insert(name.clone(), object.len());
                object.push((name, value));
            }
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_keep_their_order_and_the_last_of_two_counts() {
        let text = br#"{"b":1,"a":[true,null,2.5,"x"],"b":{"c":-1}}"#;
        let Some(Json::Object(members)) = Json::read(text) else {
            panic!("not read");
        };
        let names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b", "a"]);
        let inner = vec![("c".to_owned(), Json::Number((-1).into()))];
        assert_eq!(members[0].1, Json::Object(inner));
    }

    #[test]
    fn invalid_or_too_deep_json_is_not_read() {
        let deep = "[".repeat(100_000);
        let closed = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for text in [
            "", "{", "{}x", "'a'", "{a:1}", "NaN", "\u{1}", &deep, &closed,
        ] {
            assert_eq!(Json::read(text.as_bytes()), None, "{text:.20}");
        }
        assert_eq!(Json::read(b"\"\xff\""), None);
    }

    #[test]
    fn many_members_of_one_name_cost_no_more_than_many_of_different_names() {
        let members: Vec<_> = (0..20_000).map(|n| format!("\"{}\":{n}", n % 7)).collect();
        let text = format!("{{{}}}", members.join(","));
        let Some(Json::Object(members)) = Json::read(text.as_bytes()) else {
            panic!("not read");
        };
        assert_eq!(members.len(), 7);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), text in ".{0,64}") {
            let _ = Json::read(&bytes);
            let _ = Json::read(text.as_bytes());
        }
    }
}
