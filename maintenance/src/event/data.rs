//! The data of an event: members of ours, and text of the client's that stays as it is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::ser::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tenterhook_engine::json::{Member, Members};
use tenterhook_sdk::contract::upper_snake;
use tenterhook_session::Metadata;

/// Members of metadata that become parameters of a plug-in. More would push out what
/// it has to know of the session.
pub(super) const METADATA_PARAMETERS: usize = 40;

/// An object that is being put together, member by member.
#[derive(Clone, Debug)]
pub(super) struct Data(Vec<(String, Box<RawValue>)>);

impl Data {
    /// Begins with the members of an object.
    pub(super) fn of(own: &Value) -> Self {
        let members = own.as_object().into_iter().flatten();
        Self(
            members
                .map(|(name, value)| (name.clone(), raw(value)))
                .collect(),
        )
    }

    /// Adds a member.
    pub(super) fn with(mut self, name: &str, value: &impl Serialize) -> Self {
        self.0.push((name.to_owned(), raw(value)));
        self
    }

    /// Adds metadata beside our own members, in the order in which it was sent, unless
    /// they would be the same parameter.
    pub(super) fn beside(mut self, metadata: [&Metadata; 2]) -> Self {
        let mut taken: Vec<String> = self.0.iter().map(|(name, _)| upper_snake(name)).collect();
        let ours = taken.len();
        for (name, value) in metadata.into_iter().flat_map(members) {
            let parameter = upper_snake(&name);
            if taken.len() == ours + METADATA_PARAMETERS {
                break;
            }
            if value.get().starts_with(['[', '{']) || taken.contains(&parameter) {
                continue;
            }
            taken.push(parameter);
            self.0.push((name.into_owned(), value.to_owned()));
        }
        self
    }

    /// Returns its text.
    pub(super) fn json(&self) -> Box<RawValue> {
        raw(self)
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Prints a value; what is metadata in it keeps its text.
pub(super) fn raw(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("our members have names, and metadata is JSON")
}

/// The members whose names are text, the last of each name.
fn members(metadata: &Metadata) -> Vec<(Cow<'_, str>, &RawValue)> {
    let Members(members) = serde_json::from_str(metadata.json()).unwrap_or_default();
    let named: Vec<_> = members
        .iter()
        .filter_map(|member: &Member<'_>| Some((member.name()?, member.value)))
        .collect();
    let last: BTreeMap<_, _> = named
        .iter()
        .enumerate()
        .map(|(at, (name, _))| (name.clone(), at))
        .collect();
    named
        .into_iter()
        .enumerate()
        .filter(|(at, (name, _))| last.get(name) == Some(at))
        .map(|(_, member)| member)
        .collect()
}
