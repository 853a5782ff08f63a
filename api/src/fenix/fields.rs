//! The members of a body, read one at a time; what is wrong is named by its path.
//!
//! Unknown members are ignored, as Fenix does, and `null` is as good as absent.

use serde_json::{Map, Value};
use tenterhook_session::InstanceAction;

use super::error::Problem;

/// An object, and where it stands in the body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    members: &'a Map<String, Value>,
    /// Such as `actions[1].`; empty for the body itself.
    place: &'a str,
}

impl<'a> Fields<'a> {
    /// The members of the body itself.
    pub(super) fn of(members: &'a Map<String, Value>) -> Self {
        Self { members, place: "" }
    }

    /// The members of an object in it.
    pub(super) fn at(members: &'a Map<String, Value>, place: &'a str) -> Self {
        Self { members, place }
    }

    /// Reports what is wrong with a member.
    pub(super) fn invalid(&self, name: &str, reason: &str) -> Problem {
        Problem::member(&format!("{}{name}", self.place), reason)
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn read<T>(
        &self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
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
    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Problem> {
        self.read(name, "a text", Value::as_str)
    }

    /// A required text.
    pub(super) fn required_text(&self, name: &str, wanted: &str) -> Result<&'a str, Problem> {
        self.read(name, wanted, Value::as_str)?
            .ok_or_else(|| self.invalid(name, &format!("is missing; it must be {wanted}")))
    }

    /// An optional object.
    pub(super) fn object(&self, name: &str) -> Result<Option<&'a Map<String, Value>>, Problem> {
        self.read(name, "an object", Value::as_object)
    }

    /// An optional list; `of` names what it holds.
    pub(super) fn list(&self, name: &str, of: &str) -> Result<&'a [Value], Problem> {
        let list = self.read(name, &format!("a list of {of}"), Value::as_array)?;
        Ok(list.map_or(&[], Vec::as_slice))
    }

    /// An optional list of texts.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, Problem> {
        let list = self.list(name, "texts")?.iter().enumerate();
        list.map(|(index, value)| {
            let text = value.as_str().map(str::to_owned);
            text.ok_or_else(|| self.invalid(&format!("{name}[{index}]"), "must be a text"))
        })
        .collect()
    }

    /// An optional boolean.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Problem> {
        let found = self.read(name, "true or false", Value::as_bool)?;
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
            let number = u32::try_from(value.as_u64()?).ok()?;
            range.contains(&number).then_some(number)
        })?;
        Ok(found.unwrap_or(default))
    }

    /// What is to happen to an instance, if the member is there.
    pub(super) fn action(&self, name: &str) -> Result<Option<InstanceAction>, Problem> {
        self.read(name, ACTIONS, action)
    }
}

/// The words for what can happen to an instance.
pub(super) const ACTIONS: &str = "`MIGRATE`, `LIVE_MIGRATE` or `OWN_ACTION`";

/// Reads what is to happen to an instance. One client says `MIGRATION`.
pub(super) fn action(value: &Value) -> Option<InstanceAction> {
    match value.as_str()? {
        "MIGRATE" | "MIGRATION" => Some(InstanceAction::Migrate),
        "LIVE_MIGRATE" => Some(InstanceAction::LiveMigrate),
        "OWN_ACTION" => Some(InstanceAction::OwnAction),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn invalid_members_are_named_by_path() {
        let value = json!({"type": 7, "list": ["a", 1], "none": null, "count": 11, "how": "FLY"});
        let members = value.as_object().unwrap();
        let fields = Fields::at(members, "actions[1].");
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
        ] {
            assert_eq!(problem.detail(), text);
        }
        assert_eq!(fields.whole("none", 0..=10, 3).unwrap(), 3);
        assert!(!fields.flag("none").unwrap());
    }
}
