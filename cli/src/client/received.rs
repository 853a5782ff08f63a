//! A response: what was read of it, and its JSON as it was sent.

use std::borrow::Borrow;
use std::ops::Deref;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A response, or an item of one. It is printed as the server has sent it, with what a newer
/// server has added and the numbers that no value holds exactly.
#[derive(Clone, Debug)]
pub(crate) struct Received<T> {
    value: T,
    json: Box<RawValue>,
}

impl<T> Received<T> {
    /// Returns what was read.
    pub(crate) fn into_value(self) -> T {
        self.value
    }
}

impl<T> Deref for Received<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Borrow<T> for Received<T> {
    fn borrow(&self) -> &T {
        &self.value
    }
}

impl<T> Serialize for Received<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Received<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let value = serde_json::from_str(json.get()).map_err(serde::de::Error::custom)?;
        Ok(Self { value, json })
    }
}
