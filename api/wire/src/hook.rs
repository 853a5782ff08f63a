//! Hooks: sources bound to events, with targets, limits and policies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::container::{Criterion, Label};
use crate::present::present;
use crate::reference::IdOrNumber;

/// A source bound to an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hook {
    /// Its identifier, a UUID.
    pub id: String,
    /// Its number, unique within the account.
    pub number: i32,
    /// Unique within the account, if it has one.
    pub name: Option<String>,
    /// What it is for; empty if not given.
    pub description: String,
    /// The id of the source.
    pub source: String,
    /// An event type, or a prefix of some such as `com.github.*`.
    pub event: String,
    /// `"all"`, a list of server numbers, or null where there is no choice.
    pub servers: Option<Servers>,
    /// The id of the app for whose containers it runs; null is any that an event names.
    /// Present if the hook runs for containers.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub app: Option<Option<String>>,
    /// What a container must meet; present if the hook runs for containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criteria: Option<Vec<Criterion>>,
    /// Below the role `admin`, null stands in place of each.
    pub args: Vec<Option<String>>,
    /// Below the role `admin`, null stands in place of each value.
    pub env: BTreeMap<String, Option<String>>,
    /// The limits that it asks for.
    pub limits: Limits,
    /// Hooks of one event run in this order on each target; equal ones by number.
    pub order: i32,
    /// Whether it runs at all.
    pub enabled: bool,
    /// What its failure means for the event.
    pub failure_policy: FailurePolicy,
    /// When it is run again.
    pub retry: Retry,
    /// Whether the operator manages it: Astra's clients may read but not change it.
    pub managed: bool,
    /// Free-form labels.
    pub labels: Vec<Label>,
    /// The id of the principal who created it.
    pub created_by: String,
    /// The id of the principal who changed it last.
    pub modified_by: Option<String>,
    /// When it was created.
    pub created_at: String,
    /// When it was last changed.
    pub modified_at: String,
}

/// The servers that a hook runs for: `"all"` or a list of server numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "must be \"all\" or a list of server numbers")]
pub enum Servers {
    /// The word `all`.
    All(All),
    /// These, by number.
    These(Vec<i32>),
}

/// The word `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum All {
    /// All of them.
    All,
}

impl Servers {
    /// All servers of the account.
    pub const ALL: Self = Self::All(All::All);
}

/// The limits that a hook asks for; what is left out has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Units of work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Linear memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Time from start to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
    /// Bytes kept of both streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
    /// Bytes in files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files_bytes: Option<u64>,
    /// Files and folders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inodes: Option<u32>,
    /// Files open at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptors: Option<u32>,
}

/// What a hook's failure means for the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FailurePolicy {
    /// The event is allowed.
    Open,
    /// The event is denied.
    Closed,
}

/// When a failed execution is run again. What is left out has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Attempts in all, 1 to 20; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// The upper bound of the first wait, which doubles with every attempt; 1,000 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_ms: Option<u64>,
    /// The upper bound of every wait, at most a day; 300,000 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_max_ms: Option<u64>,
    /// Which failures are tried again; all by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<RetryOn>,
}

/// Which failures are tried again. A member that is left out is `true`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryOn {
    /// An exit status other than 0, or an unusable verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exited: Option<bool>,
    /// A limit that was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<bool>,
    /// A trap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trapped: Option<bool>,
}

/// A hook to create. What is left out has its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHook {
    /// Unique within the account; required on Astra's events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The id or the number of a source.
    pub source: IdOrNumber,
    /// An event type: one of `GET /api/v1/hook-points`, another one, or a prefix of others such as
    /// `com.github.*`.
    pub event: String,
    /// `"all"` (the default) or a list of server numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub servers: Option<Servers>,
    /// The id or the number of the app for whose containers it runs, on Astra's events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<IdOrNumber>,
    /// What a container must meet, all of it; on Astra's events. Without `app` it
    /// holds for any app that an event names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criteria: Option<Vec<Criterion>>,
    /// Arguments of the program. Null stands for one that was withheld, and is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub args: Vec<Option<String>>,
    /// Environment variables. Null stands for a value that was withheld, and is refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, String>)]
    pub env: BTreeMap<String, Option<String>>,
    /// The limits that it asks for.
    #[serde(default)]
    pub limits: Limits,
    /// Hooks of one event run in this order on each target; 0 by default.
    #[serde(default)]
    pub order: i32,
    /// Whether it runs at all; it does by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What its failure means for the event; closed by default on `Pre…` and
    /// `….pre`, else open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_policy: Option<FailurePolicy>,
    /// When it is run again.
    #[serde(default)]
    pub retry: Retry,
    /// For admins: Astra's clients may read but not change it.
    #[serde(default)]
    pub managed: bool,
    /// Free-form labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
}

/// What to change of a hook. What is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedHook {
    /// Its new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The id or the number of a source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<IdOrNumber>,
    /// An event type, or a prefix of some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// `"all"` or a list of server numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub servers: Option<Servers>,
    /// The id or the number of an app. Null is any that an event names.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<IdOrNumber>)]
    pub app: Option<Option<IdOrNumber>>,
    /// Replaces all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criteria: Option<Vec<Criterion>>,
    /// Replaces all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub args: Option<Vec<Option<String>>>,
    /// Replaces all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub env: Option<BTreeMap<String, Option<String>>>,
    /// Replaces all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// The order among the hooks of its event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<i32>,
    /// Whether it runs at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What its failure means for the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_policy: Option<FailurePolicy>,
    /// Replaces all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Replaces all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<Label>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_all_or_a_list() {
        assert_eq!(serde_json::to_string(&Servers::ALL).unwrap(), r#""all""#);
        let these: Servers = serde_json::from_str("[3,1]").unwrap();
        assert_eq!(these, Servers::These(vec![3, 1]));
        for other in [r#""some""#, "{}", "3", "[\"3\"]"] {
            let error = serde_json::from_str::<Servers>(other).unwrap_err();
            let error = error.to_string();
            assert!(error.starts_with("must be \"all\" or"), "{other}: {error}");
        }
    }

    #[test]
    fn null_is_not_the_same_as_left_out() {
        let change: ChangedHook = serde_json::from_str(r#"{"app":null}"#).unwrap();
        assert_eq!(change.app, Some(None));
        assert_eq!(serde_json::to_string(&change).unwrap(), r#"{"app":null}"#);
        assert_eq!(serde_json::from_str::<ChangedHook>("{}").unwrap().app, None);
    }
}
