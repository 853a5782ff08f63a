//! The hook of a project: created, changed member by member, or left unchanged.

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tenterhook_dispatch::RetryPolicy;
use tenterhook_engine::AskedLimits;
use tenterhook_wire::{
    App, ChangedHook, Hook, IdOrNumber, Limits, NewHook, Retry, RetryOn, Servers,
};

use super::{diff, object};
use crate::client::{Client, Received, find_named};
use crate::neutral;
use crate::paint::Painter;
use crate::project::Manifest;

/// What a push does to the hook.
pub(super) struct HookStep {
    /// The manifest's members, in the server's form.
    wanted: ChangedHook,
    current: Option<Hook>,
    differing: Vec<Difference>,
}

/// A member that differs.
struct Difference {
    name: String,
    old: Value,
    new: Value,
}

impl HookStep {
    /// Compares the manifest with the hook of this source and event.
    pub(super) fn plan(
        client: &Client,
        manifest: &Manifest,
        source: Option<&tenterhook_wire::Source>,
    ) -> anyhow::Result<Self> {
        let wanted = wanted(client, manifest)?;
        let current = match source {
            Some(source) => find(client, manifest, &source.id)?,
            None => None,
        };
        let differing = match &current {
            Some(current) => differences(current, &wanted),
            None => Vec::new(),
        };
        Ok(Self {
            wanted,
            current,
            differing,
        })
    }

    /// The hook as it is on the server.
    pub(super) fn current(&self) -> Option<&Hook> {
        self.current.as_ref()
    }

    pub(super) fn changes(&self) -> bool {
        self.current.is_none() || !self.differing.is_empty()
    }

    pub(super) fn as_json(&self) -> Map<String, Value> {
        let action = match (&self.current, self.changes()) {
            (None, _) => "create",
            (Some(_), true) => "update",
            (Some(_), false) => "keep",
        };
        let change = |own: &Difference| {
            let Difference { name, old, new } = own;
            json!({"member": name, "old": old, "new": new})
        };
        let changes: Vec<_> = self.differing.iter().map(change).collect();
        object(json!({"action": action, "changes": changes}))
    }

    /// Describes what will change.
    pub(super) fn describe(&self, manifest: &Manifest, paint: Painter) -> String {
        let event = neutral::line(&manifest.event);
        let Some(current) = &self.current else {
            let mut summary = paint.ok(&format!("+ hook on {event}"));
            summary.push('\n');
            for (name, value) in &members(&self.wanted) {
                let line = neutral::line(&format!("  + {name} = {value}"));
                summary += &format!("{}\n", paint.ok(&line));
            }
            return summary;
        };
        let number = current.number;
        let mut summary = String::new();
        if !self.differing.is_empty() {
            let managed = match current.managed {
                true => " (managed by the operator: only admins may change it)",
                false => "",
            };
            summary += &format!("~ hook {number} on {event}{managed}\n");
        }
        for Difference { name, old, new } in &self.differing {
            if is_withheld(current, name) {
                let line = format!(
                    "  ~ {name}: this token may not read the current values; they are replaced"
                );
                summary += &format!("{}\n", paint.warn(&line));
            } else {
                summary += &diff::field(name, old, new, paint);
            }
        }
        if !current.enabled {
            let line = format!("hook {number} on {event} is switched off on the server");
            summary += &format!("{}\n", paint.warn(&line));
        }
        summary
    }

    /// Applies the change; returns the hook's id.
    pub(super) fn apply(
        &self,
        client: &Client,
        manifest: &Manifest,
        source: &str,
    ) -> anyhow::Result<String> {
        let hook: Hook = match &self.current {
            None => client
                .post("/api/v1/hooks", &self.new_hook(manifest, source))
                .context("the source was pushed, but its hook cannot be created")?,
            Some(current) if self.differing.is_empty() => return Ok(current.id.clone()),
            Some(current) => {
                let members = self.differing.iter();
                let change: Map<String, Value> = members
                    .map(|own| (own.name.clone(), own.new.clone()))
                    .collect();
                let path = format!("/api/v1/hooks/{}", current.id);
                client
                    .patch(&path, &[], &change)
                    .with_context(|| format!("cannot change hook {}", current.number))?
            }
        };
        Ok(hook.id)
    }

    fn new_hook(&self, manifest: &Manifest, source: &str) -> NewHook {
        let wanted = self.wanted.clone();
        // Astra's hooks have a name, unique in the account.
        let name = manifest
            .hook_point()
            .is_astra()
            .then(|| manifest.name.clone());
        NewHook {
            name,
            description: String::new(),
            source: IdOrNumber::Text(source.to_owned()),
            event: manifest.event.clone(),
            servers: wanted.servers,
            app: wanted.app.flatten(),
            criteria: wanted.criteria,
            args: wanted.args.unwrap_or_default(),
            env: wanted.env.unwrap_or_default(),
            limits: wanted.limits.unwrap_or_default(),
            order: 0,
            enabled: None,
            failure_policy: wanted.failure_policy,
            retry: wanted.retry.unwrap_or_default(),
            managed: false,
            labels: Vec::new(),
        }
    }
}

/// Finds the hook of this source and event. Of several, it is the one with the project's
/// name.
fn find(client: &Client, manifest: &Manifest, source: &str) -> anyhow::Result<Option<Hook>> {
    let hooks: Vec<Received<Hook>> = client.list("/api/v1/hooks", &[("event", &manifest.event)])?;
    let hooks = hooks.into_iter().map(Received::into_value);
    let mut hooks: Vec<Hook> = hooks.filter(|hook| hook.source == source).collect();
    if hooks.len() > 1
        && let Some(index) = hooks
            .iter()
            .position(|hook| hook.name.as_ref() == Some(&manifest.name))
    {
        return Ok(Some(hooks.swap_remove(index)));
    }
    if hooks.len() > 1 {
        let numbers: Vec<String> = hooks.iter().map(|hook| hook.number.to_string()).collect();
        bail!(
            "the hooks {} all run this source on {}, and none has the project's name; remove all but one (DELETE /api/v1/hooks/NUMBER), or name one `{}`",
            numbers.join(", "),
            manifest.event,
            manifest.name
        );
    }
    Ok(hooks.pop())
}

/// Returns the manifest's members, each in the form in which the server shows it.
fn wanted(client: &Client, manifest: &Manifest) -> anyhow::Result<ChangedHook> {
    let given = manifest.hook.clone();
    let app = match &given.app {
        Some(named) => Some(Some(
            app(client, named).context("cannot use `hook.app` of tenterhook.toml")?,
        )),
        None => None,
    };
    let args = given.args.map(|args| args.into_iter().map(Some).collect());
    let env = given.env.map(|env| {
        let value = |(name, value)| (name, Some(value));
        env.into_iter().map(value).collect()
    });
    Ok(ChangedHook {
        // The server accepts them where there is no choice, and ignores them.
        servers: given
            .servers
            .filter(|_| manifest.hook_point().can_choose_server()),
        app,
        criteria: given.criteria,
        args,
        env,
        limits: given.limits.map(limits),
        failure_policy: given.failure_policy,
        retry: given.retry.map(retry),
        ..ChangedHook::default()
    })
}

fn limits(asked: AskedLimits) -> Limits {
    Limits {
        fuel: asked.fuel,
        memory_bytes: asked.memory_bytes,
        wall_ms: asked.wall_ms,
        output_bytes: asked.output_bytes,
        files_bytes: asked.files_bytes,
        inodes: asked.inodes,
        descriptors: asked.descriptors,
    }
}

/// The whole policy, with the defaults of what the manifest leaves out.
fn retry(policy: RetryPolicy) -> Retry {
    Retry {
        attempts: Some(policy.attempts),
        backoff_ms: Some(policy.backoff_ms),
        backoff_max_ms: Some(policy.backoff_max_ms),
        on: Some(RetryOn {
            exited: Some(policy.on.exited),
            stopped: Some(policy.on.stopped),
            trapped: Some(policy.on.trapped),
        }),
    }
}

/// Finds the id of an app by id, number or name.
fn app(client: &Client, given: &IdOrNumber) -> anyhow::Result<IdOrNumber> {
    let given = match given {
        IdOrNumber::Text(text) => text.clone(),
        IdOrNumber::Number(number) => format!("number:{number}"),
    };
    let apps: Vec<Received<App>> = client.list("/api/v1/apps", &[])?;
    Ok(IdOrNumber::Text(find_named(&apps, &given)?.id.clone()))
}

/// Returns the members that are wanted to differ.
fn differences(current: &Hook, wanted: &ChangedHook) -> Vec<Difference> {
    let old = members(current);
    let mut differing = Vec::new();
    for (name, new) in members(wanted) {
        let old = old.get(&name).cloned().unwrap_or_default();
        let is_same = match name.as_str() {
            "servers" => is_same_servers(current.servers.as_ref(), wanted.servers.as_ref()),
            _ => old == new,
        };
        if !is_same {
            differing.push(Difference { name, old, new });
        }
    }
    differing
}

/// The members of a hook, by name.
fn members(hook: &impl Serialize) -> Map<String, Value> {
    object(serde_json::to_value(hook).unwrap_or_default())
}

/// Whether the server has replaced a member's values with null, as it does for roles below
/// `admin`.
fn is_withheld(current: &Hook, name: &str) -> bool {
    match name {
        "args" => current.args.iter().any(Option::is_none),
        "env" => current.env.values().any(Option::is_none),
        _ => false,
    }
}

/// The order of servers is irrelevant.
fn is_same_servers(old: Option<&Servers>, new: Option<&Servers>) -> bool {
    let sorted = |servers: Option<&Servers>| match servers {
        Some(Servers::These(numbers)) => {
            let mut numbers = numbers.clone();
            numbers.sort_unstable();
            numbers.dedup();
            Some(Servers::These(numbers))
        }
        other => other.cloned(),
    };
    sorted(old) == sorted(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(members: Value) -> Hook {
        let mut hook = json!({
            "id": "h", "number": 1, "name": null, "description": "", "source": "s",
            "event": "OnAudit", "servers": "all", "args": [], "env": {}, "limits": {},
            "order": 0, "enabled": true, "failure_policy": "open", "retry": retry_shown(),
            "managed": false, "labels": [], "created_by": "p", "modified_by": null,
            "created_at": "", "modified_at": "",
        });
        let own = hook.as_object_mut().unwrap();
        own.extend(members.as_object().unwrap().clone());
        serde_json::from_value(hook).unwrap()
    }

    fn retry_shown() -> Retry {
        retry(RetryPolicy::default())
    }

    fn names(current: &Hook, wanted: &ChangedHook) -> Vec<String> {
        let differing = differences(current, wanted).into_iter();
        differing.map(|own| own.name).collect()
    }

    #[test]
    fn omitted_members_are_filled_in_before_comparison() {
        let policy = |text| toml::from_str::<RetryPolicy>(text).unwrap();
        let wanted = ChangedHook {
            retry: Some(retry(policy("attempts = 1"))),
            ..ChangedHook::default()
        };
        assert!(names(&hook(json!({})), &wanted).is_empty());
        let wanted = ChangedHook {
            retry: Some(retry(policy("attempts = 3"))),
            ..ChangedHook::default()
        };
        assert_eq!(names(&hook(json!({})), &wanted), ["retry"]);
    }

    #[test]
    fn members_that_the_manifest_leaves_out_are_not_compared() {
        let own = hook(json!({"args": ["-v"], "limits": {"wall_ms": 500}}));
        assert!(names(&own, &ChangedHook::default()).is_empty());
    }

    #[test]
    fn withheld_values_are_distinguished_from_set_ones() {
        let own = hook(json!({"args": [null], "env": {"A": null}}));
        assert!(is_withheld(&own, "args") && is_withheld(&own, "env"));
        assert!(!is_withheld(&own, "app"));
        let own = hook(json!({"args": ["null"], "env": {"A": ""}}));
        assert!(!is_withheld(&own, "args") && !is_withheld(&own, "env"));
    }

    #[test]
    fn servers_are_the_same_in_any_order() {
        let own = hook(json!({"servers": [2, 1]}));
        let wanted = |servers| ChangedHook {
            servers: Some(servers),
            ..ChangedHook::default()
        };
        assert!(names(&own, &wanted(Servers::These(vec![1, 2, 2]))).is_empty());
        assert_eq!(names(&own, &wanted(Servers::ALL)), ["servers"]);
        assert_eq!(names(&own, &wanted(Servers::These(vec![1]))), ["servers"]);
    }
}
