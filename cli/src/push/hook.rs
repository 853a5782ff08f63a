//! The hook of a project: created, changed member by member, or left as it is.

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tenterhook_dispatch::RetryPolicy;
use tenterhook_engine::AskedLimits;

use super::diff;
use crate::client::{Client, find_named, text};
use crate::neutral;
use crate::paint::Painter;
use crate::project::Manifest;

/// What a push does to the hook.
pub(super) struct HookStep {
    /// The manifest's members, in the server's form.
    wanted: Map<String, Value>,
    current: Option<Value>,
    /// Members that differ: name, old and new.
    differing: Vec<(String, Value, Value)>,
}

impl HookStep {
    /// Compares the manifest with the hook of this source and event.
    pub(super) fn plan(
        client: &Client,
        manifest: &Manifest,
        source: Option<&Value>,
    ) -> anyhow::Result<Self> {
        let wanted = wanted(client, manifest)?;
        let current = match source {
            Some(source) => find(client, manifest, text(source, "id"))?,
            None => None,
        };
        let differing = match &current {
            Some(current) => wanted
                .iter()
                .filter(|(name, value)| !is_same(name, &current[*name], value))
                .map(|(name, value)| (name.clone(), current[name].clone(), value.clone()))
                .collect(),
            None => Vec::new(),
        };
        Ok(Self {
            wanted,
            current,
            differing,
        })
    }

    pub(super) fn changes(&self) -> bool {
        self.current.is_none() || !self.differing.is_empty()
    }

    pub(super) fn as_json(&self) -> Value {
        let action = match (&self.current, self.changes()) {
            (None, _) => "create",
            (Some(_), true) => "update",
            (Some(_), false) => "keep",
        };
        let change = |(name, old, new): &(String, Value, Value)| json!({"member": name, "old": old, "new": new});
        let changes: Vec<_> = self.differing.iter().map(change).collect();
        json!({"action": action, "changes": changes})
    }

    /// Describes what will change.
    pub(super) fn describe(&self, manifest: &Manifest, paint: Painter) -> String {
        let event = neutral::line(&manifest.event);
        let Some(current) = &self.current else {
            let mut summary = paint.ok(&format!("+ hook on {event}"));
            summary.push('\n');
            for (name, value) in &self.wanted {
                let line = neutral::line(&format!("  + {name} = {value}"));
                summary += &format!("{}\n", paint.ok(&line));
            }
            return summary;
        };
        let number = &current["number"];
        let mut summary = String::new();
        if !self.differing.is_empty() {
            let managed = match current["managed"] == true {
                true => " (managed by the operator: only admins may change it)",
                false => "",
            };
            summary += &format!("~ hook {number} on {event}{managed}\n");
        }
        for (name, old, new) in &self.differing {
            if is_withheld(name, old) {
                let line = format!(
                    "  ~ {name}: this token may not read the current values; they are replaced"
                );
                summary += &format!("{}\n", paint.warn(&line));
            } else {
                summary += &diff::field(name, old, new, paint);
            }
        }
        if current["enabled"] == false {
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
        let hook = match &self.current {
            None => {
                let mut new = self.wanted.clone();
                new.insert("source".into(), source.into());
                new.insert("event".into(), manifest.event.as_str().into());
                if manifest.hook_point().is_astra() {
                    // Astra's hooks have a name, unique in the account.
                    new.insert("name".into(), manifest.name.as_str().into());
                }
                client
                    .post("/api/v1/hooks", &new.into())
                    .context("the source was pushed, but its hook cannot be created")?
            }
            Some(current) if self.differing.is_empty() => current.clone(),
            Some(current) => {
                let members = self.differing.iter();
                let change: Map<String, Value> = members
                    .map(|(name, _, new)| (name.clone(), new.clone()))
                    .collect();
                let path = format!("/api/v1/hooks/{}", text(current, "id"));
                client
                    .patch(&path, &[], &change.into())
                    .with_context(|| format!("cannot change hook {}", current["number"]))?
            }
        };
        Ok(text(&hook, "id").to_owned())
    }
}

/// Finds the hook of this source and event. Of several, it is the one with the project's
/// name.
fn find(client: &Client, manifest: &Manifest, source: &str) -> anyhow::Result<Option<Value>> {
    let mut hooks = client.list("/api/v1/hooks", &[("event", &manifest.event)])?;
    hooks.retain(|hook| text(hook, "source") == source);
    if hooks.len() > 1
        && let Some(index) = hooks
            .iter()
            .position(|hook| text(hook, "name") == manifest.name)
    {
        return Ok(Some(hooks.swap_remove(index)));
    }
    if hooks.len() > 1 {
        let numbers: Vec<String> = hooks
            .iter()
            .map(|hook| hook["number"].to_string())
            .collect();
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
fn wanted(client: &Client, manifest: &Manifest) -> anyhow::Result<Map<String, Value>> {
    let given = serde_json::to_value(&manifest.hook).context("cannot read the manifest's hook")?;
    let Value::Object(mut members) = given else {
        bail!("the manifest's hook is not a table");
    };
    if !manifest.hook_point().can_choose_server() {
        // The server accepts it and ignores it.
        members.remove("servers");
    }
    for (name, value) in &mut members {
        let whole = match name.as_str() {
            "limits" => whole::<AskedLimits>(value),
            "retry" => whole::<RetryPolicy>(value),
            "app" => app(client, value),
            _ => continue,
        };
        *value = whole.with_context(|| format!("cannot use `hook.{name}` of tenterhook.toml"))?;
    }
    Ok(members)
}

/// Fills in the defaults that a member leaves out.
fn whole<T: Serialize + DeserializeOwned>(given: &Value) -> anyhow::Result<Value> {
    Ok(serde_json::to_value(T::deserialize(given)?)?)
}

/// Finds the id of an app by id, number or name.
fn app(client: &Client, given: &Value) -> anyhow::Result<Value> {
    let given = match given {
        Value::String(text) => text.clone(),
        value => format!("number:{value}"),
    };
    let apps = client.list("/api/v1/apps", &[])?;
    Ok(find_named(&apps, "app", &given)?["id"].clone())
}

/// Whether the server has replaced a member's values with null, as it does for roles below
/// `admin`.
fn is_withheld(name: &str, shown: &Value) -> bool {
    match (name, shown) {
        ("args", Value::Array(args)) => args.iter().any(Value::is_null),
        ("env", Value::Object(env)) => env.values().any(Value::is_null),
        _ => false,
    }
}

fn is_same(name: &str, old: &Value, new: &Value) -> bool {
    match (name, old.as_array(), new.as_array()) {
        // The order of servers is irrelevant.
        ("servers", Some(old), Some(new)) => {
            let sorted = |numbers: &[Value]| {
                let mut numbers: Vec<_> = numbers.iter().map(Value::as_i64).collect();
                numbers.sort_unstable();
                numbers.dedup();
                numbers
            };
            sorted(old) == sorted(new)
        }
        _ => old == new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_member_leaves_out_is_filled_in_before_it_is_compared() {
        let retry = whole::<RetryPolicy>(&json!({"attempts": 3})).unwrap();
        assert_eq!(
            (&retry["attempts"], &retry["backoff_ms"]),
            (&json!(3), &json!(1_000))
        );
        let limits = whole::<AskedLimits>(&json!({"wall_ms": 500})).unwrap();
        assert_eq!(limits, json!({"wall_ms": 500}));
        assert!(whole::<AskedLimits>(&json!({"wall": 500})).is_err());
    }

    #[test]
    fn what_is_withheld_is_told_from_what_is_set() {
        assert!(is_withheld("args", &json!([null])) && is_withheld("env", &json!({"A": null})));
        for (name, shown) in [
            ("args", json!([])),
            ("args", json!(["null"])),
            ("env", json!({"A": ""})),
            ("app", json!(null)),
        ] {
            assert!(!is_withheld(name, &shown), "{name}");
        }
    }

    #[test]
    fn servers_are_the_same_in_any_order() {
        assert!(is_same("servers", &json!([2, 1]), &json!([1, 2, 2])));
        assert!(!is_same("servers", &json!("all"), &json!([1])));
        assert!(!is_same("args", &json!([2, 1]), &json!([1, 2])));
    }
}
