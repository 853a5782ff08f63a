//! Hints of the client, an object that is passed on as it was written.
//!
//! Not a map of values: those would round numbers, sort members and resolve escapes, and
//! what is in it means nothing to a session.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An object, as its client wrote it: numbers keep their digits, members their order, and
/// of a member that is there twice both stay; the last counts.
///
/// It can only be read from and written as JSON. Two are equal if their text is.
#[derive(Clone, Debug)]
pub struct Metadata(Box<RawValue>);

impl Metadata {
    /// Takes an object; `None` if it is another value.
    #[must_use]
    pub fn new(value: Box<RawValue>) -> Option<Self> {
        value.get().starts_with('{').then_some(Self(value))
    }

    /// Returns its text.
    #[must_use]
    pub fn json(&self) -> &str {
        self.0.get()
    }

    /// Returns whether it has no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let inner = self.json().strip_prefix('{');
        let inner = inner.and_then(|rest| rest.strip_suffix('}'));
        inner.is_some_and(|inner| inner.trim_ascii().is_empty())
    }
}

impl Default for Metadata {
    /// Without members.
    fn default() -> Self {
        Self(RawValue::from_string("{}".to_owned()).expect("this is JSON"))
    }
}

impl PartialEq for Metadata {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

impl Eq for Metadata {}

impl std::str::FromStr for Metadata {
    type Err = serde_json::Error;

    fn from_str(json: &str) -> serde_json::Result<Self> {
        serde_json::from_str(json)
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(from)?;
        Self::new(value).ok_or_else(|| D::Error::custom("metadata must be an object"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(json: &str) -> Metadata {
        json.parse().unwrap()
    }

    #[test]
    fn its_text_survives_being_stored() {
        for json in [
            r#"{"z":1.10,"a":12345678901234567890123,"far":1e400,"k":1e5,"zero":-0}"#,
            r#"{ "caf\u00e9" : [ 1.0 ], "caf\u00e9":"\ud83d" , "$serde_json::private::RawValue":"{"}"#,
        ] {
            let metadata = metadata(json);
            assert_eq!(metadata.json(), json);
            let stored = serde_json::to_string(&[&metadata]).unwrap();
            assert_eq!(stored, format!("[{json}]"));
            let [read]: [Metadata; 1] = serde_json::from_str(&stored).unwrap();
            assert_eq!(read, metadata);
        }
    }

    #[test]
    fn it_is_an_object_and_nothing_else() {
        for other in ["null", "[]", "\"{}\"", "1", "{", "{'a':1}", ""] {
            assert!(other.parse::<Metadata>().is_err(), "{other}");
        }
    }

    #[test]
    fn an_object_without_members_is_empty() {
        assert!(Metadata::default().is_empty());
        assert!(metadata(" { \n} ").is_empty());
        assert!(!metadata(r#"{"":{}}"#).is_empty());
    }

    #[test]
    fn other_text_is_other_metadata() {
        assert_eq!(metadata(r#" {"n":1.1}"#), metadata(r#"{"n":1.1}"#));
        assert_ne!(metadata(r#"{"n":1.1}"#), metadata(r#"{"n":1.10}"#));
    }
}
