//! A hook as the native face reads and shows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{
    AppId, FailurePolicy, HookChange, Label, PrincipalId, RetryPolicy, Role, SourceId, Targets,
};
use tenterhook_engine::AskedLimits;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::containers::{Criterion, print_criteria, read_criteria};
use crate::native::hooks::described::{Limits, Retry};
use crate::native::hooks::reference::{Named, Servers, present};
use crate::native::hooks::values;
use crate::refusal::Refusal;
use crate::time_text::time_text;

/// A source bound to an event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hook {
    id: String,
    number: i32,
    /// Unique within the account, if it has one.
    name: Option<String>,
    description: String,
    /// The id of the source.
    source: String,
    event: String,
    /// `"all"`, a list of server numbers, or null where there is no choice.
    #[schema(value_type = serde_json::Value)]
    servers: Servers,
    /// The id of the app for whose containers it runs; null is any that an event names.
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<Option<String>>,
    /// What a container must meet; present if the hook runs for containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    criteria: Option<Vec<Criterion>>,
    /// Below the role `admin`, null stands in place of each.
    args: Vec<Option<String>>,
    /// Below the role `admin`, null stands in place of each value.
    env: BTreeMap<String, Option<String>>,
    #[schema(value_type = Limits)]
    limits: AskedLimits,
    order: i32,
    enabled: bool,
    /// `open` or `closed`.
    #[schema(value_type = String)]
    failure_policy: FailurePolicy,
    #[schema(value_type = Retry)]
    retry: RetryPolicy,
    /// Whether the operator manages it: Astra's clients may read but not change it.
    managed: bool,
    #[schema(value_type = Vec<Object>)]
    labels: Vec<Label>,
    /// The id of the principal who created it.
    created_by: String,
    /// The id of the principal who changed it last.
    modified_by: Option<String>,
    created_at: String,
    modified_at: String,
}

impl Hook {
    /// Shows a hook to a reader with this role.
    pub(crate) fn new(own: dispatch::Hook, reader: Role) -> Self {
        let (app, criteria) = match &own.targets {
            Targets::Containers { app, criteria } => (
                Some(app.map(|app| app.to_string())),
                Some(print_criteria(criteria)),
            ),
            Targets::Once | Targets::All | Targets::These(_) => (None, None),
        };
        Self {
            id: own.id.to_string(),
            number: own.number.get(),
            name: own.name,
            description: own.description,
            app,
            criteria,
            managed: own.managed,
            labels: own.labels,
            created_by: own.created_by.to_string(),
            modified_by: own.modified_by.map(|id| id.to_string()),
            source: own.source.to_string(),
            event: own.event.to_string(),
            servers: Servers(own.targets),
            args: values::show_args(own.args, reader),
            env: values::show_env(own.env, reader),
            limits: own.limits,
            order: own.order,
            enabled: own.enabled,
            failure_policy: own.failure_policy,
            retry: own.retry,
            created_at: time_text(own.created_at),
            modified_at: time_text(own.modified_at),
        }
    }
}

/// A hook to create. What is left out has its default.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewHook {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: String,
    /// The id or the number of a source.
    #[schema(value_type = serde_json::Value)]
    source: Named<SourceId>,
    /// An event type: one of `GET /api/v1/hook-points`, another one, or a prefix of others such as
    /// `com.github.*`.
    event: String,
    /// `"all"` (the default) or a list of server numbers.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    servers: Option<Servers>,
    /// The id or the number of the app for whose containers it runs, on Astra's events.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(super) app: Option<Named<AppId>>,
    /// What a container must meet, all of it; on Astra's events. Without `app` it
    /// holds for any app that an event names.
    #[serde(default)]
    criteria: Option<Vec<Criterion>>,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    args: Vec<Option<String>>,
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    env: BTreeMap<String, Option<String>>,
    #[serde(default)]
    #[schema(value_type = Limits)]
    limits: AskedLimits,
    #[serde(default)]
    order: i32,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    failure_policy: Option<FailurePolicy>,
    #[serde(default)]
    #[schema(value_type = Retry)]
    retry: RetryPolicy,
    /// For admins: Astra's clients may read but not change it.
    #[serde(default)]
    pub(super) managed: bool,
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    labels: Vec<Label>,
}

impl NewHook {
    /// Builds the hook; `app` is the one that was named.
    pub(super) fn read(
        self,
        app: Option<AppId>,
        created_by: PrincipalId,
    ) -> Result<dispatch::NewHook, Refusal> {
        let criteria = self.criteria.map(read_criteria);
        let targets = match (self.servers, app, criteria) {
            (servers, None, None) => servers.map(|servers| servers.0),
            (None, app, criteria) => Some(Targets::Containers {
                app,
                criteria: criteria.unwrap_or_default(),
            }),
            (Some(_), _, _) => return Err(both()),
        };
        Ok(dispatch::NewHook {
            name: self.name,
            description: self.description,
            source: self.source.0,
            event: self.event,
            targets,
            args: values::read_args(self.args)?,
            env: values::read_env(self.env)?,
            limits: self.limits,
            order: self.order,
            enabled: self.enabled,
            failure_policy: self.failure_policy,
            retry: self.retry,
            managed: self.managed,
            labels: self.labels,
            created_by,
        })
    }
}

fn both() -> Refusal {
    Refusal::invalid(
        "/servers",
        "cannot stand beside `app` or `criteria`: a hook runs for servers or for containers",
    )
}

/// What to change of a hook. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedHook {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    source: Option<Named<SourceId>>,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    servers: Option<Servers>,
    /// Null is any app that an event names.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Object>)]
    pub(super) app: Option<Option<Named<AppId>>>,
    /// Replaces all.
    #[serde(default)]
    criteria: Option<Vec<Criterion>>,
    /// Replaces all.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    args: Option<Vec<Option<String>>>,
    /// Replaces all.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    env: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    #[schema(value_type = Option<Limits>)]
    limits: Option<AskedLimits>,
    #[serde(default)]
    order: Option<i32>,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    failure_policy: Option<FailurePolicy>,
    #[serde(default)]
    #[schema(value_type = Option<Retry>)]
    retry: Option<RetryPolicy>,
    /// Replaces all.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    labels: Option<Vec<Label>>,
}

impl ChangedHook {
    /// Builds the change of a hook that has these targets; `app` is the one that was
    /// named, if any.
    pub(super) fn read(
        self,
        current: &Targets,
        app: Option<Option<AppId>>,
        caller: &Caller,
    ) -> Result<HookChange, Refusal> {
        let targets = match (self.servers, app, self.criteria.map(read_criteria)) {
            (servers, None, None) => servers.map(|servers| servers.0),
            (Some(_), _, _) => return Err(both()),
            (None, app, criteria) => {
                let (old_app, old_criteria) = match current {
                    Targets::Containers { app, criteria } => (*app, criteria.clone()),
                    Targets::Once | Targets::All | Targets::These(_) => (None, Vec::new()),
                };
                Some(Targets::Containers {
                    app: app.unwrap_or(old_app),
                    criteria: criteria.unwrap_or(old_criteria),
                })
            }
        };
        Ok(HookChange {
            name: self.name,
            description: self.description,
            source: self.source.map(|source| source.0),
            event: self.event,
            targets,
            args: self.args.map(values::read_args).transpose()?,
            env: self.env.map(values::read_env).transpose()?,
            limits: self.limits,
            order: self.order,
            enabled: self.enabled,
            failure_policy: self.failure_policy,
            retry: self.retry,
            labels: self.labels,
            modified_by: Some(caller.principal()),
            modified_as: caller.0.role,
        })
    }
}

/// The refusal of a body that refers to what does not exist: an invalid body, not an
/// unknown path.
pub(crate) fn refers_to_missing(error: dispatch::Error) -> Refusal {
    match error {
        dispatch::Error::NotFound { what, id } => {
            let pointer = match what {
                dispatch::Noun::Source => "/source",
                dispatch::Noun::Server => "/servers",
                dispatch::Noun::App => "/app",
                _ => "",
            };
            Refusal::invalid(
                pointer,
                format!("names the {what} `{id}`, which does not exist"),
            )
        }
        error => error.into(),
    }
}
