//! What an event gives its hooks besides its text: named and positional parameters.
//!
//! Parameters are members of the event's `data` object. What does not fit here, in length
//! or in characters, is still on standard input.

use std::borrow::Cow;

use serde_json::Value;

use crate::catalog::{Face, HookPoint};
use crate::contract::upper_snake;

/// The parameters of one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// Variable names without prefix, in upper snake case, and values.
    pub named: Vec<(String, String)>,
    /// Values in the catalog's order, for croit's scripts; an absent one is empty.
    pub positional: Vec<String>,
    /// Whether croit's own variable names are set too.
    pub croit: bool,
}

/// The longest value that becomes a variable, in bytes.
const VALUE_MAX_BYTES: usize = 32 * 1024;
/// The longest name that becomes a variable, in bytes.
const NAME_MAX_BYTES: usize = 128;
/// The most variables from members that no catalog documents.
const UNDOCUMENTED_MAX: usize = 64;
/// The most bytes of all values together.
const TOTAL_MAX_BYTES: usize = 128 * 1024;

impl Params {
    /// Returns the parameters of an event, from its `data`; `point` is the catalog's entry
    /// for its type, if it has one.
    #[must_use]
    pub fn of(point: Option<&HookPoint>, data: Option<&Value>) -> Self {
        let members = data.and_then(Value::as_object).into_iter().flatten();
        Self::of_members(point, members.map(|(name, value)| (&**name, value)))
    }

    /// Returns the parameters of an event, from the members of its `data`, in the order of
    /// their names.
    #[must_use]
    pub fn of_members<'a, M: Member>(
        point: Option<&HookPoint>,
        members: impl IntoIterator<Item = (&'a str, M)>,
    ) -> Self {
        let data: Vec<_> = members.into_iter().collect();
        let find = |wanted: &str| {
            let place = data.binary_search_by(|(name, _)| (*name).cmp(wanted));
            place.ok().map(|place| &data[place].1)
        };
        let mut params = Self::default();
        let mut room = TOTAL_MAX_BYTES;
        if let Some(point) = point {
            params.croit = point.face == Face::Croit;
            for parameter in point.parameters {
                let value = find(parameter.name).and_then(|value| text(value, &mut room));
                if params.croit {
                    params.positional.push(value.clone().unwrap_or_default());
                }
                if let Some(value) = value {
                    params.named.push((upper_snake(parameter.name), value));
                }
            }
        }
        params.add_undocumented(&data, room);
        params
    }

    /// Adds every other scalar member: an event may have more than the catalog documents,
    /// and a custom event is not in the catalog.
    fn add_undocumented<M: Member>(&mut self, data: &[(&str, M)], mut room: usize) {
        let most = self.named.len() + UNDOCUMENTED_MAX;
        for (name, value) in data {
            if self.named.len() == most {
                break;
            }
            if name.is_empty() || name.len() > NAME_MAX_BYTES || value.is_nested() {
                continue;
            }
            let name = upper_snake(name);
            if self.named.iter().any(|(taken, _)| *taken == name) {
                continue;
            }
            if let Some(value) = text(value, &mut room) {
                self.named.push((name, value));
            }
        }
    }
}

/// A member's value, from which a parameter is made: parsed, or as its sender wrote it.
pub trait Member {
    /// Returns whether it is a list or an object.
    fn is_nested(&self) -> bool;

    /// Returns its text: a string unchanged, anything else as compact JSON. `None` if it
    /// makes no variable: null, and what is not text.
    fn text(&self) -> Option<Cow<'_, str>>;
}

impl Member for &Value {
    fn is_nested(&self) -> bool {
        self.is_object() || self.is_array()
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Value::Null => None,
            Value::String(text) => Some(text.as_str().into()),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Some(self.to_string().into())
            }
        }
    }
}

/// Returns the text of a value. A NUL, which no variable can contain, is replaced. `None` if
/// it has no text, or is too long.
fn text(value: &impl Member, room: &mut usize) -> Option<String> {
    let text = value.text()?;
    if text.len() > VALUE_MAX_BYTES {
        return None;
    }
    *room = room.checked_sub(text.len())?;
    Some(match text.contains('\0') {
        true => text.replace('\0', "\u{fffd}"),
        false => text.into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    fn of(name: &str, data: &Value) -> Params {
        Params::of(HookPoint::find(name), Some(data))
    }

    #[test]
    fn documented_members_become_variables_and_croit_arguments_and_others_variables() {
        let params = of(
            "OnDhcpLeaseUpdate",
            &json!({"ip": "10.0.0.7", "mac": "aa:bb", "more": 1}),
        );
        assert_eq!(
            params.named,
            [
                ("MAC".into(), "aa:bb".into()),
                ("IP".into(), "10.0.0.7".into()),
                ("MORE".into(), "1".into())
            ]
        );
        assert_eq!(params.positional, ["", "aa:bb", "10.0.0.7", ""]);
        assert!(params.croit);
    }

    #[test]
    fn what_is_not_a_string_becomes_compact_json() {
        let params = of(
            "OnAudit",
            &json!({"queryParams": {"a": [1, 2]}, "status": 200}),
        );
        assert!(
            params
                .named
                .contains(&("QUERY_PARAMS".into(), r#"{"a":[1,2]}"#.into()))
        );
        assert!(params.named.contains(&("STATUS".into(), "200".into())));
    }

    #[test]
    fn plain_members_of_a_custom_event_become_variables() {
        let params = of(
            "custom.x",
            &json!({"jobName": "a", "n": 1.5, "deep": {"no": 1}, "nul": "a\0b", "gone": null}),
        );
        assert_eq!(
            params.named,
            [
                ("JOB_NAME".into(), "a".into()),
                ("N".into(), "1.5".into()),
                ("NUL".into(), "a\u{fffd}b".into())
            ]
        );
        assert!(params.positional.is_empty());
    }

    #[test]
    fn a_flood_of_members_is_bounded() {
        let data: Map<_, _> = (0..10_000)
            .map(|i| (format!("m{i}"), json!("x".repeat(1000))))
            .collect();
        assert_eq!(
            of("custom.x", &Value::Object(data)).named.len(),
            UNDOCUMENTED_MAX
        );
        let long = of(
            "custom.x",
            &json!({"long": "x".repeat(VALUE_MAX_BYTES + 1)}),
        );
        assert!(long.named.is_empty());
    }

    proptest! {
        #[test]
        fn no_name_or_value_can_break_the_environment(members in proptest::collection::btree_map(".*", ".*", 0..20)) {
            let data = Value::Object(members.into_iter().map(|(k, v)| (k, Value::String(v))).collect());
            for (name, value) in of("custom.x", &data).named {
                prop_assert!(!name.is_empty());
                prop_assert!(name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'));
                prop_assert!(!value.contains('\0'));
            }
        }
    }
}
