//! How a hook's JSON names its source and its servers.

use serde::{Deserialize, Deserializer, Serialize};
use tenterhook_dispatch::{Key, Number, SourceId, Targets};

/// `"all"` or a list of numbers.
#[derive(Debug)]
pub(super) struct Servers(pub(super) Targets);

impl Serialize for Servers {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Targets::Once => serializer.serialize_none(),
            Targets::All => serializer.serialize_str("all"),
            Targets::These(numbers) => numbers.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Servers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Said {
            Word(String),
            Numbers(Vec<i32>),
        }
        match Said::deserialize(deserializer) {
            Ok(Said::Word(word)) if word == "all" => Ok(Self(Targets::All)),
            Ok(Said::Numbers(numbers)) => Ok(Self(Targets::These(
                numbers.into_iter().map(Number::new).collect(),
            ))),
            _ => Err(serde::de::Error::custom(
                "must be \"all\" or a list of server numbers",
            )),
        }
    }
}

/// The id of a source, or its number as a number or as text.
#[derive(Debug)]
pub(super) struct SourceKey(pub(super) Key<SourceId>);

impl<'de> Deserialize<'de> for SourceKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Said {
            Number(i32),
            Text(String),
        }
        let key = match Said::deserialize(deserializer) {
            Ok(Said::Number(number)) => Some(Key::Number(Number::new(number))),
            Ok(Said::Text(text)) => text.parse().ok(),
            Err(_) => None,
        };
        key.map(Self)
            .ok_or_else(|| serde::de::Error::custom("must be the id or the number of a source"))
    }
}
