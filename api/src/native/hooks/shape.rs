//! Hooks as this API reads and shows them.

use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{AppId, HookChange, PrincipalId, Role, Targets};
use tenterhook_wire::{ChangedHook, Hook, NewHook};

use crate::auth::Caller;
use crate::containers::{read_criteria, read_labels, show_criteria, show_labels};
use crate::native::hooks::bounds::{read_limits, read_retry, show_limits, show_retry};
use crate::native::hooks::reference::{read_key, read_servers, show_servers};
use crate::native::hooks::values;
use crate::native::words;
use crate::refusal::Refusal;
use crate::time_text::time_text;

/// Shows a hook to a reader with this role.
pub(super) fn show(own: dispatch::Hook, reader: Role) -> Hook {
    let (app, criteria) = match &own.targets {
        Targets::Containers { app, criteria } => (
            Some(app.map(|app| app.to_string())),
            Some(show_criteria(criteria)),
        ),
        Targets::Once | Targets::All | Targets::These(_) => (None, None),
    };
    Hook {
        id: own.id.to_string(),
        number: own.number.get(),
        name: own.name,
        description: own.description,
        source: own.source.to_string(),
        event: own.event.to_string(),
        servers: show_servers(&own.targets),
        app,
        criteria,
        args: values::show_args(own.args, reader),
        env: values::show_env(own.env, reader),
        limits: show_limits(own.limits),
        order: own.order,
        enabled: own.enabled,
        failure_policy: words::policy(own.failure_policy),
        retry: show_retry(&own.retry),
        managed: own.managed,
        labels: show_labels(own.labels),
        created_by: own.created_by.to_string(),
        modified_by: own.modified_by.map(|id| id.to_string()),
        created_at: time_text(own.created_at),
        modified_at: time_text(own.modified_at),
    }
}

/// Reads a hook to create; `app` is the one that was named.
pub(super) fn read(
    given: NewHook,
    app: Option<AppId>,
    created_by: PrincipalId,
) -> Result<dispatch::NewHook, Refusal> {
    let criteria = given.criteria.map(read_criteria);
    let targets = match (given.servers, app, criteria) {
        (servers, None, None) => servers.map(read_servers),
        (None, app, criteria) => Some(Targets::Containers {
            app,
            criteria: criteria.unwrap_or_default(),
        }),
        (Some(_), _, _) => return Err(both()),
    };
    Ok(dispatch::NewHook {
        name: given.name,
        description: given.description,
        source: read_key("/source", given.source)?,
        event: given.event,
        targets,
        args: values::read_args(given.args)?,
        env: values::read_env(given.env)?,
        limits: read_limits(given.limits),
        order: given.order,
        enabled: given.enabled,
        failure_policy: given.failure_policy.map(words::read_policy),
        retry: read_retry(given.retry),
        managed: given.managed,
        labels: read_labels(given.labels),
        created_by,
    })
}

fn both() -> Refusal {
    Refusal::invalid(
        "/servers",
        "cannot stand beside `app` or `criteria`: a hook runs for servers or for containers",
    )
}

/// Reads the changes to a hook that has these targets; `app` is the one that was named, if
/// any.
pub(super) fn read_change(
    given: ChangedHook,
    current: &Targets,
    app: Option<Option<AppId>>,
    caller: &Caller,
) -> Result<HookChange, Refusal> {
    let targets = match (given.servers, app, given.criteria.map(read_criteria)) {
        (servers, None, None) => servers.map(read_servers),
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
    let source = given.source.map(|source| read_key("/source", source));
    Ok(HookChange {
        name: given.name,
        description: given.description,
        source: source.transpose()?,
        event: given.event,
        targets,
        args: given.args.map(values::read_args).transpose()?,
        env: given.env.map(values::read_env).transpose()?,
        limits: given.limits.map(read_limits),
        order: given.order,
        enabled: given.enabled,
        failure_policy: given.failure_policy.map(words::read_policy),
        retry: given.retry.map(read_retry),
        labels: given.labels.map(read_labels),
        modified_by: Some(caller.principal()),
        modified_as: caller.0.role,
    })
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
