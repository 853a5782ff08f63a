//! How a hook's JSON names its source, its servers and its app.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use tenterhook_dispatch::{Key, Number, Targets};

/// `"all"` or a list of numbers.
#[derive(Debug)]
pub(super) struct Servers(pub(super) Targets);

impl Serialize for Servers {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Targets::Once | Targets::Containers { .. } => serializer.serialize_none(),
            Targets::All => serializer.serialize_str("all"),
            Targets::These(numbers) => numbers.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Servers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Wire {
            Word(String),
            Numbers(Vec<i32>),
        }
        match Wire::deserialize(deserializer) {
            Ok(Wire::Word(word)) if word == "all" => Ok(Self(Targets::All)),
            Ok(Wire::Numbers(numbers)) => Ok(Self(Targets::These(
                numbers.into_iter().map(Number::new).collect(),
            ))),
            _ => Err(serde::de::Error::custom(
                "must be \"all\" or a list of server numbers",
            )),
        }
    }
}

/// The id of something, or its number as a number or as text.
#[derive(Debug)]
pub(super) struct Named<I>(pub(super) Key<I>);

impl<'de, I: FromStr> Deserialize<'de> for Named<I> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Wire {
            Number(i32),
            Text(String),
        }
        let key = match Wire::deserialize(deserializer) {
            Ok(Wire::Number(number)) => Some(Key::Number(Number::new(number))),
            Ok(Wire::Text(text)) => text.parse().ok(),
            Err(_) => None,
        };
        key.map(Self)
            .ok_or_else(|| serde::de::Error::custom("must be an id or a number"))
    }
}

/// Distinguishes a member that is null from one that is left out.
pub(super) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
