//! The members of a body, read one at a time; what is wrong is named by its path.
//!
//! Unknown members are ignored, as Fenix does, and `null` is as good as absent.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use tenterhook_engine::json::{self, Members};
use tenterhook_session::InstanceAction;

use super::error::Problem;

/// An object, and where it stands in the body.
///
/// Of its members only those that are asked for are read: what is passed on keeps its
/// text, and what is ignored need not be anything that a value can hold.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    /// The last of each name.
    members: BTreeMap<Cow<'a, str>, &'a RawValue>,
    /// Such as `actions[1].`; empty for the body itself.
    place: &'a str,
}

impl<'a> Fields<'a> {
    /// The members of the body itself, which is an object.
    pub(super) fn of(body: &'a RawValue) -> Self {
        Self::at(body, "").unwrap_or_default()
    }

    /// The members of an object in it; `None` if it is another value.
    pub(super) fn at(value: &'a RawValue, place: &'a str) -> Option<Self> {
        let Members(members) = serde_json::from_str(value.get()).ok()?;
        // No member that is read has a name that is not text.
        let named = |member: json::Member<'a>| Some((member.name()?, member.value));
        let members = members.into_iter().filter_map(named).collect();
        Some(Self { members, place })
    }

    /// Reports what is wrong with a member.
    pub(super) fn invalid(&self, name: &str, reason: &str) -> Problem {
        Problem::member(&format!("{}{name}", self.place), reason)
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        let value = self.members.get(name).copied();
        value.filter(|value| value.get() != "null")
    }

    fn read<T>(
        &self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&'a RawValue) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let found = read(value);
        found
            .map(Some)
            .ok_or_else(|| self.invalid(name, &format!("must be {wanted}")))
    }

    /// An optional text.
    pub(super) fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, Problem> {
        self.read(name, "a text", json::text)
    }

    /// A required text.
    pub(super) fn required_text(&self, name: &str, wanted: &str) -> Result<Cow<'a, str>, Problem> {
        self.read(name, wanted, json::text)?
            .ok_or_else(|| self.invalid(name, &format!("is missing; it must be {wanted}")))
    }

    /// An optional object.
    pub(super) fn object(&self, name: &str) -> Result<Option<&'a RawValue>, Problem> {
        self.read(name, "an object", |value| {
            value.get().starts_with('{').then_some(value)
        })
    }

    /// An optional list; `of` names what it holds.
    pub(super) fn list(&self, name: &str, of: &str) -> Result<Vec<&'a RawValue>, Problem> {
        let list = self.read(name, &format!("a list of {of}"), parsed)?;
        Ok(list.unwrap_or_default())
    }

    /// An optional list of texts.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, Problem> {
        let list = self.list(name, "texts")?.into_iter().enumerate();
        list.map(|(index, value)| {
            let text = json::text(value).map(Cow::into_owned);
            text.ok_or_else(|| self.invalid(&format!("{name}[{index}]"), "must be a text"))
        })
        .collect()
    }

    /// An optional boolean.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Problem> {
        let found = self.read(name, "true or false", parsed)?;
        Ok(found.unwrap_or(false))
    }

    /// An optional whole number.
    pub(super) fn whole(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u32>,
        default: u32,
    ) -> Result<u32, Problem> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let found = self.read(name, &wanted, |value| {
            let number = parsed(value)?;
            range.contains(&number).then_some(number)
        })?;
        Ok(found.unwrap_or(default))
    }

    /// What is to happen to an instance, if the member is there.
    pub(super) fn action(&self, name: &str) -> Result<Option<InstanceAction>, Problem> {
        self.read(name, ACTIONS, action)
    }
}

impl Default for Fields<'_> {
    /// Those of an object without members.
    fn default() -> Self {
        Self {
            members: BTreeMap::new(),
            place: "",
        }
    }
}

/// Reads a value as what it should be.
fn parsed<'a, T: serde::Deserialize<'a>>(value: &'a RawValue) -> Option<T> {
    serde_json::from_str(value.get()).ok()
}

/// The words for what can happen to an instance.
pub(super) const ACTIONS: &str = "`MIGRATE`, `LIVE_MIGRATE` or `OWN_ACTION`";

/// Reads what is to happen to an instance. One client says `MIGRATION`.
pub(super) fn action(value: &RawValue) -> Option<InstanceAction> {
    match &*json::text(value)? {
        "MIGRATE" | "MIGRATION" => Some(InstanceAction::Migrate),
        "LIVE_MIGRATE" => Some(InstanceAction::LiveMigrate),
        "OWN_ACTION" => Some(InstanceAction::OwnAction),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn invalid_members_are_named_by_path() {
        let body = r#"{"type":7,"list":["a",1],"none":null,"count":11,"how":"FLY","far":1e400}"#;
        let fields = Fields::at(raw(body), "actions[1].").unwrap();
        for (problem, text) in [
            (
                fields.text("type").unwrap_err(),
                "`actions[1].type` must be a text",
            ),
            (
                fields.texts("list").unwrap_err(),
                "`actions[1].list[1]` must be a text",
            ),
            (
                fields.required_text("none", "a name").unwrap_err(),
                "`actions[1].none` is missing; it must be a name",
            ),
            (
                fields.whole("count", 0..=10, 1).unwrap_err(),
                "`actions[1].count` must be a whole number from 0 to 10",
            ),
            (
                fields.action("how").unwrap_err(),
                "`actions[1].how` must be `MIGRATE`, `LIVE_MIGRATE` or `OWN_ACTION`",
            ),
            (
                fields.text("far").unwrap_err(),
                "`actions[1].far` must be a text",
            ),
        ] {
            assert_eq!(problem.detail(), text);
        }
        assert_eq!(fields.whole("none", 0..=10, 3).unwrap(), 3);
        assert!(!fields.flag("none").unwrap());
    }

    #[test]
    fn a_whole_number_has_neither_a_fraction_nor_an_exponent() {
        for number in ["5.0", "50e-1", "-0", "-5", "4294967301", "1e400", "\"5\""] {
            let body = format!("{{\"count\":{number}}}");
            let fields = Fields::of(raw(&body));
            assert!(fields.whole("count", 0..=10, 1).is_err(), "{number}");
        }
        let fields = Fields::of(raw(r#"{"count":7,"count":5}"#));
        assert_eq!(fields.whole("count", 0..=10, 1).unwrap(), 5);
    }
}
