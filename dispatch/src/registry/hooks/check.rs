//! The rules of hooks, and what they are when something is left out.

use tenterhook_engine::AskedLimits;

use crate::clock::now;
use crate::dispatcher::{Core, spawn_blocking};
use crate::error::{Error, Noun};
use crate::id::{HookId, Key, Number, PrincipalId, SourceId};
use crate::page::ACCOUNT_MAX;
use crate::registry::criterion::Matcher;
use crate::registry::directory::Directory;
use crate::registry::hook::{FailurePolicy, Hook, HookChange, NewHook, Targets};
use crate::registry::hook_point::HookPointName;
use crate::registry::rules;

/// Most hooks of one application, and most that the operator keeps for all. Each
/// is matched against every container of an application when that changes.
const APP_HOOKS_MAX: usize = 256;

impl Core {
    /// Checks a hook to be made in place of `old`, if that is given, and fills in
    /// what it leaves out. Its criteria have been checked.
    pub(crate) fn check_hook(
        &self,
        directory: &Directory,
        source: SourceId,
        new: NewHook,
        old: Option<&Hook>,
    ) -> Result<Hook, Error> {
        if old.is_none() && directory.hooks().len() >= ACCOUNT_MAX as usize {
            return Err(Error::invalid(
                "event",
                "cannot have one more hook: the account has 20000",
            ));
        }
        let event = HookPointName::parse_for_hook(&new.event)?;
        if event.is_astra() || old.is_some_and(|old| old.event.is_astra()) {
            directory.check_app_hooks()?;
        }
        if let Some(name) = &new.name {
            rules::name("name", name)?;
            check_name(directory, name, old)?;
        }
        rules::description(&new.description)?;
        rules::label_list(&new.labels)?;
        rules::args(&new.args)?;
        rules::env(&new.env)?;
        new.retry.check()?;
        self.check_limits(&new.limits)?;
        let targets = targets(directory, &event, new.targets)?;
        check_containers(directory, &event, &targets, new.managed, old)?;
        let for_containers = matches!(targets, Targets::Containers { .. });
        if for_containers && new.name.is_none() {
            return Err(Error::invalid("name", "must not be left out"));
        }
        let created_at = now();
        Ok(Hook {
            id: HookId::generate(),
            number: Number::UNASSIGNED,
            name: new.name,
            description: new.description,
            source,
            targets,
            args: new.args,
            env: new.env,
            limits: new.limits,
            order: new.order,
            enabled: new.enabled.unwrap_or(true),
            failure_policy: new.failure_policy.unwrap_or_else(|| {
                if for_containers {
                    FailurePolicy::Open
                } else {
                    event.default_failure_policy()
                }
            }),
            retry: new.retry,
            event,
            managed: new.managed,
            labels: new.labels,
            created_by: new.created_by,
            modified_by: None,
            values_by: Some(new.created_by),
            created_at,
            modified_at: created_at,
        })
    }

    /// Checks that limits are within what the operator allows and the host can give.
    pub(crate) fn check_limits(&self, limits: &AskedLimits) -> Result<(), Error> {
        let ceiling = self.settings.ceiling_here();
        limits.resolve(&self.settings.default_limits, &ceiling)?;
        Ok(())
    }
}

/// Checks the criteria of hooks to be made or changed. It is done before anything
/// is locked: expressions are bounded, but compiling them may take a while.
pub(crate) async fn check_criteria(
    targets: impl Iterator<Item = Option<&Targets>>,
) -> Result<(), Error> {
    let all: Vec<_> = targets
        .filter_map(|targets| match targets {
            Some(Targets::Containers { criteria, .. }) => Some(criteria.clone()),
            _ => None,
        })
        .collect();
    if all.is_empty() {
        return Ok(());
    }
    let check = move || {
        all.iter()
            .try_for_each(|criteria| Matcher::compile(criteria).map(|_| ()))
    };
    spawn_blocking(check).await?
}

/// The store is the judge, but it does not know hooks that are stored together.
fn check_name(directory: &Directory, name: &str, old: Option<&Hook>) -> Result<(), Error> {
    match directory.hook_named(name) {
        Some(other) if old.is_none_or(|old| old.id != other.hook.id) => Err(Error::NameTaken {
            what: Noun::Hook,
            name: name.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The targets that a hook has in the end, in one form: sorted, each once.
fn targets(
    directory: &Directory,
    event: &HookPointName,
    asked: Option<Targets>,
) -> Result<Targets, Error> {
    match asked {
        Some(targets @ Targets::Containers { .. }) if event.is_astra() => Ok(targets),
        Some(Targets::Containers { .. }) => Err(Error::invalid(
            "targets",
            "can be containers on the hook points of Astra alone",
        )),
        _ if !event.can_choose_server() => Ok(Targets::Once),
        None if event.point().is_some() => Ok(Targets::All),
        None => Ok(Targets::Once),
        Some(Targets::These(mut servers)) => {
            servers.sort_unstable();
            servers.dedup();
            for server in &servers {
                directory.server(Key::Number(*server))?;
            }
            Ok(Targets::These(servers))
        }
        Some(targets @ (Targets::Once | Targets::All)) => Ok(targets),
    }
}

/// Checks whose containers a hook runs for: those of one application, or, if the
/// operator keeps it, those of all.
fn check_containers(
    directory: &Directory,
    event: &HookPointName,
    targets: &Targets,
    managed: bool,
    old: Option<&Hook>,
) -> Result<(), Error> {
    let Targets::Containers { app, .. } = targets else {
        if managed {
            return Err(Error::invalid(
                "managed",
                "can be said of hooks for containers alone",
            ));
        }
        return Ok(());
    };
    let others = match app {
        Some(_) if managed => {
            return Err(Error::invalid(
                "app",
                "must be left out of a hook that the operator keeps",
            ));
        }
        None if !managed => return Err(Error::invalid("app", "must not be left out")),
        Some(app) => {
            let app = directory.app(Key::Id(*app))?;
            if event.as_str().starts_with("failover.") && !app.replicated {
                return Err(Error::NotReplicated {
                    app: app.name.clone(),
                });
            }
            directory.hooks_of_app(app.id).count()
        }
        None => directory.hooks().filter(|bound| bound.hook.managed).count(),
    };
    let counted = old.is_some_and(|old| old.managed == managed && same_app(&old.targets, targets));
    if others - usize::from(counted) >= APP_HOOKS_MAX {
        return Err(Error::invalid(
            "app",
            "cannot have one more hook: it has 256",
        ));
    }
    Ok(())
}

fn same_app(one: &Targets, other: &Targets) -> bool {
    match (one, other) {
        (Targets::Containers { app: one, .. }, Targets::Containers { app: other, .. }) => {
            one == other
        }
        _ => false,
    }
}

/// Who has set the arguments and variables of a hook, once it is changed.
pub(super) fn values_by(old: &Hook, change: &HookChange) -> Option<PrincipalId> {
    let (args, env) = (change.args.is_some(), change.env.is_some());
    let sets_all = (args || old.args.is_empty()) && (env || old.env.is_empty());
    match (args || env, sets_all) {
        (false, _) => old.values_by,
        (true, true) => change.modified_by,
        (true, false) => old.values_by.filter(|by| Some(*by) == change.modified_by),
    }
}

/// The hook that `change` makes of `old`, as if it were made new.
///
/// A hook that moves to another event has that event's defaults, unless it says otherwise.
pub(super) fn changed(old: &Hook, change: HookChange) -> NewHook {
    let moves = change
        .event
        .as_ref()
        .is_some_and(|event| event != old.event.as_str());
    let fits = match (&old.targets, &change.event) {
        _ if !moves => true,
        (Targets::Containers { .. }, Some(event)) => {
            HookPointName::parse(event).is_ok_and(|event| event.is_astra())
        }
        _ => old.event.can_choose_server(),
    };
    let keeps_policy = !moves || matches!(old.targets, Targets::Containers { .. });
    NewHook {
        name: change.name.or_else(|| old.name.clone()),
        description: change
            .description
            .unwrap_or_else(|| old.description.clone()),
        source: change.source.unwrap_or(Key::Id(old.source)),
        event: change.event.unwrap_or_else(|| old.event.to_string()),
        targets: change.targets.or_else(|| fits.then(|| old.targets.clone())),
        args: change.args.unwrap_or_else(|| old.args.clone()),
        env: change.env.unwrap_or_else(|| old.env.clone()),
        limits: change.limits.unwrap_or_else(|| old.limits.clone()),
        order: change.order.unwrap_or(old.order),
        enabled: change.enabled.or(Some(old.enabled)),
        failure_policy: change
            .failure_policy
            .or_else(|| keeps_policy.then_some(old.failure_policy)),
        retry: change.retry.unwrap_or_else(|| old.retry.clone()),
        managed: old.managed,
        labels: change.labels.unwrap_or_else(|| old.labels.clone()),
        created_by: old.created_by,
    }
}
