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
    /// Which members are not parameters that would be, and why: one sentence each.
    pub warnings: Vec<String>,
}

/// The longest value that becomes a variable, in bytes.
const VALUE_MAX_BYTES: usize = 32 * 1024;
/// The longest name that becomes a variable, in bytes.
const NAME_MAX_BYTES: usize = 128;
/// The most variables from members that no catalog documents.
const UNDOCUMENTED_MAX: usize = 64;
/// The most bytes of all values together.
const TOTAL_MAX_BYTES: usize = 128 * 1024;
/// The most warnings; one more gives the number of the rest. They are kept with the event's
/// task, so they stay within 2 KiB or so.
const WARNINGS_MAX: usize = 8;
/// Characters of a member's name in a warning.
const SHOWN_CHARS: usize = 64;

impl Params {
    /// Returns the parameters of an event, from its `data`; `point` is the catalog's entry
    /// for its type, if it has one.
    ///
    /// Where members collapse to one variable, such as `fooBar` and `foo_bar`, a parameter of
    /// the catalog wins, else the first member.
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
        let mut skipped = 0;
        let mut room = TOTAL_MAX_BYTES;
        let parameters = point.map_or(&[][..], |point| point.parameters);
        if let Some(point) = point {
            params.croit = point.face == Face::Croit;
        }
        for parameter in parameters {
            let value = find(parameter.name).map(|value| text(value, &mut room));
            let value = match value {
                Some(Err(reason)) => {
                    params.warn(&mut skipped, parameter.name, &reason);
                    None
                }
                Some(Ok(value)) => value,
                None => None,
            };
            if params.croit {
                params.positional.push(value.clone().unwrap_or_default());
            }
            if let Some(value) = value {
                params.named.push((upper_snake(parameter.name), value));
            }
        }
        let is_documented = |name: &str| parameters.iter().any(|own| own.name == name);
        params.add_undocumented(&data, is_documented, room, &mut skipped);
        if skipped > WARNINGS_MAX {
            let more = skipped - WARNINGS_MAX;
            params
                .warnings
                .push(format!("{more} more members are not parameters"));
        }
        params
    }

    /// Adds every other scalar member: an event may have more than the catalog documents,
    /// and a custom event is not in the catalog.
    fn add_undocumented<M: Member>(
        &mut self,
        data: &[(&str, M)],
        is_documented: impl Fn(&str) -> bool,
        mut room: usize,
        skipped: &mut usize,
    ) {
        // Whose member each variable is, for the warnings.
        let most = self.named.len() + UNDOCUMENTED_MAX;
        let documented = self.named.len();
        let mut owners: Vec<&str> = Vec::new();
        for (name, value) in data {
            if value.is_null() || value.is_nested() || is_documented(name) {
                continue;
            }
            if self.named.len() == most {
                let reason = format!(
                    "there are {UNDOCUMENTED_MAX} already that the catalog does not document"
                );
                self.warn(skipped, name, &reason);
                continue;
            }
            if name.is_empty() || name.len() > NAME_MAX_BYTES {
                let reason = format!("its name must have 1 to {NAME_MAX_BYTES} bytes");
                self.warn(skipped, name, &reason);
                continue;
            }
            let variable = upper_snake(name);
            if let Some(at) = self.named.iter().position(|(taken, _)| *taken == variable) {
                let reason = match at.checked_sub(documented).and_then(|at| owners.get(at)) {
                    Some(owner) => format!("`{}` has its variable, {variable}", shown(owner)),
                    None => format!("a parameter of the catalog has its variable, {variable}"),
                };
                self.warn(skipped, name, &reason);
                continue;
            }
            match text(value, &mut room) {
                Ok(Some(value)) => {
                    self.named.push((variable, value));
                    owners.push(name);
                }
                Ok(None) => {}
                Err(reason) => self.warn(skipped, name, &reason),
            }
        }
    }

    fn warn(&mut self, skipped: &mut usize, name: &str, reason: &str) {
        *skipped += 1;
        if *skipped <= WARNINGS_MAX {
            let name = shown(name);
            self.warnings.push(format!(
                "the member `{name}` is not a parameter: {reason}; it is in the event's data all the same"
            ));
        }
    }
}

/// A member's value, from which a parameter is made: parsed, or as its sender wrote it.
pub trait Member {
    /// Returns whether it is null.
    fn is_null(&self) -> bool;

    /// Returns whether it is a list or an object.
    fn is_nested(&self) -> bool;

    /// Returns its text: a string unchanged, anything else as compact JSON. `None` if it
    /// makes no variable: null, and what is not text.
    fn text(&self) -> Option<Cow<'_, str>>;
}

impl Member for &Value {
    fn is_null(&self) -> bool {
        Value::is_null(self)
    }

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

/// A member's name as a warning shows it.
fn shown(name: &str) -> String {
    let name = name.chars().filter(|c| !c.is_control());
    name.take(SHOWN_CHARS).collect()
}

/// Returns the text of a value. `None` if it is null.
///
/// # Errors
///
/// Why it makes no variable: it is not text, it has a NUL, or it is too long.
fn text(value: &impl Member, room: &mut usize) -> Result<Option<String>, String> {
    let Some(text) = value.text() else {
        return match value.is_null() {
            true => Ok(None),
            false => Err("its value has a lone surrogate, which is not text".into()),
        };
    };
    if text.contains('\0') {
        return Err("its value has a NUL, which no variable can hold".into());
    }
    if text.len() > VALUE_MAX_BYTES {
        return Err(format!("its value is longer than {VALUE_MAX_BYTES} bytes"));
    }
    match room.checked_sub(text.len()) {
        Some(rest) => *room = rest,
        None => {
            return Err(format!(
                "all parameters would have more than {TOTAL_MAX_BYTES} bytes together"
            ));
        }
    }
    Ok(Some(text.into_owned()))
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
    fn non_string_values_become_compact_json() {
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
            [("JOB_NAME".into(), "a".into()), ("N".into(), "1.5".into()),]
        );
        assert_eq!(params.warnings.len(), 1, "{:?}", params.warnings);
        assert!(params.warnings[0].contains("`nul` is not a parameter: its value has a NUL"));
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

    #[test]
    fn a_member_that_is_too_long_is_reported_as_not_a_parameter() {
        let params = of(
            "OnAudit",
            &json!({"id": "x".repeat(VALUE_MAX_BYTES + 1), "own": "y".repeat(VALUE_MAX_BYTES + 1)}),
        );
        assert_eq!(params.warnings.len(), 2, "{:?}", params.warnings);
        assert!(params.warnings[0].contains("`id`"), "{:?}", params.warnings);
        assert!(
            params.warnings[1].contains("`own`"),
            "{:?}",
            params.warnings
        );
        assert!(params.warnings[1].contains("longer than 32768 bytes"));
        let many: Map<_, _> = (0..5)
            .map(|i| (format!("m{i}"), json!("x".repeat(30_000))))
            .collect();
        let params = of("custom.x", &Value::Object(many));
        assert_eq!((params.named.len(), params.warnings.len()), (4, 1));
        assert!(params.warnings[0].contains("131072 bytes together"));
    }

    #[test]
    fn members_beyond_the_count_are_reported_as_not_parameters() {
        let data: Map<_, _> = (0..100).map(|i| (format!("m{i:03}"), json!(i))).collect();
        let params = of("custom.x", &Value::Object(data));
        assert_eq!(params.warnings.len(), WARNINGS_MAX + 1);
        assert!(
            params.warnings[0].contains("`m064`"),
            "{:?}",
            params.warnings
        );
        let last = params.warnings.last().unwrap();
        assert!(last.starts_with("28 more"), "{last}");
    }

    #[test]
    fn members_that_map_to_one_variable_are_reported_and_the_catalog_wins() {
        let params = of(
            "custom.x",
            &json!({"fooBar": 1, "foo_bar": 2, "foo-bar": 3}),
        );
        assert_eq!(params.named.len(), 1);
        assert_eq!(params.warnings.len(), 2, "{:?}", params.warnings);
        for warning in &params.warnings {
            assert!(warning.contains("its variable, FOO_BAR"), "{warning}");
        }
        let params = of("OnAudit", &json!({"query_params": 1, "queryParams": 2}));
        assert_eq!(params.named, [("QUERY_PARAMS".into(), "2".into())]);
        assert!(
            params.warnings[0].contains("`query_params`"),
            "{:?}",
            params.warnings
        );
        assert!(
            params.warnings[0].contains("catalog"),
            "{:?}",
            params.warnings
        );
    }

    #[test]
    fn members_that_are_never_parameters_cause_no_warning() {
        let data = json!({"deep": {"a": 1}, "list": [1], "gone": null, "plain": 1});
        assert!(of("custom.x", &data).warnings.is_empty());
        let data = json!({"queryParams": {"a": 1}, "id": "1"});
        assert!(of("OnAudit", &data).warnings.is_empty());
    }

    proptest! {
        #[test]
        fn no_name_or_value_can_break_the_environment(members in proptest::collection::btree_map(".*", ".*", 0..20)) {
            let data = Value::Object(members.into_iter().map(|(k, v)| (k, Value::String(v))).collect());
            let params = of("custom.x", &data);
            for warning in &params.warnings {
                prop_assert!(!warning.contains(char::is_control) && warning.len() < 1024);
            }
            for (name, value) in params.named {
                prop_assert!(!name.is_empty());
                prop_assert!(name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'));
                prop_assert!(!value.contains('\0'));
            }
        }
    }
}
