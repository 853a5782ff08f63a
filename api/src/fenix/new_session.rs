//! Reading the body of a new session: its shape alone.
//!
//! Whether states, times, workflows and plug-ins exist is checked where the session is
//! created.

use std::borrow::Cow;

use serde_json::value::RawValue;
use tenterhook_engine::json;
use tenterhook_session::{Action, ActionType, Metadata, NewPlan};

use super::error::Problem;
use super::fields::Fields;

/// Reads what a session is asked to do.
pub(super) fn read(body: &RawValue) -> Result<NewPlan, Problem> {
    let fields = Fields::of(body);
    let text = |name, wanted| fields.required_text(name, wanted).map(Cow::into_owned);
    Ok(NewPlan {
        hosts: fields.texts("hosts")?,
        state: text("state", "the state to begin in, such as `MAINTENANCE`")?,
        maintenance_at: text("maintenance_at", "a time in UTC as `YYYY-MM-DD HH:MM:SS`")?,
        workflow: text("workflow", "`default`, `vnf` or the name of a source")?,
        metadata: metadata(&fields)?
            .ok_or_else(|| fields.invalid("metadata", "is missing; it must be an object"))?,
        download: download(&fields)?,
        actions: actions(&fields)?,
    })
}

/// Addresses, as texts or, since the reference calls them dictionaries, as
/// `{"url": "…"}`.
fn download(fields: &Fields<'_>) -> Result<Vec<String>, Problem> {
    let list = fields.list("download", "URLs")?.into_iter().enumerate();
    list.map(|(index, entry)| {
        let of_object = || Fields::at(entry, "")?.text("url").ok()?;
        let address = json::text(entry).or_else(of_object);
        address.map(Cow::into_owned).ok_or_else(|| {
            let place = format!("download[{index}]");
            fields.invalid(&place, "must be a URL as a text or as {\"url\": …}")
        })
    })
    .collect()
}

fn actions(fields: &Fields<'_>) -> Result<Vec<Action>, Problem> {
    let list = fields.list("actions", "objects")?.into_iter().enumerate();
    list.map(|(index, entry)| {
        let place = format!("actions[{index}]");
        let prefix = format!("{place}.");
        let members = Fields::at(entry, &prefix)
            .ok_or_else(|| fields.invalid(&place, "must be an object with `plugin` and `type`"))?;
        action(&members)
    })
    .collect()
}

fn action(fields: &Fields<'_>) -> Result<Action, Problem> {
    Ok(Action {
        plugin: fields
            .required_text("plugin", "the name of a source")?
            .into_owned(),
        kind: kind(fields)?,
        metadata: metadata(fields)?.unwrap_or_default(),
    })
}

/// Metadata, as it was sent.
fn metadata(fields: &Fields<'_>) -> Result<Option<Metadata>, Problem> {
    let object = fields.object("metadata")?;
    Ok(object.and_then(|object| Metadata::new(object.to_owned())))
}

fn kind(fields: &Fields<'_>) -> Result<ActionType, Problem> {
    let wanted = "`pre`, `host`, `post`, `compute` or `controller`";
    Ok(match &*fields.required_text("type", wanted)? {
        "pre" => ActionType::Pre,
        "host" => ActionType::Host,
        "post" => ActionType::Post,
        "compute" => ActionType::Compute,
        "controller" => ActionType::Controller,
        _ => return Err(fields.invalid("type", &format!("must be {wanted}"))),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn minimal() -> Value {
        json!({"state": "MAINTENANCE", "maintenance_at": "2031-05-06 07:08:09",
            "metadata": {}, "workflow": "default"})
    }

    fn read_value(value: &Value) -> Result<NewPlan, Problem> {
        read(&serde_json::value::to_raw_value(value).unwrap())
    }

    #[test]
    fn the_published_sample_is_read_field_by_field() {
        let plan = read_value(&json!({
            "hosts": ["node-1", "node-2"], "state": "MAINTENANCE",
            "maintenance_at": "2031-05-06 07:08:09", "metadata": {"openstack_release": "Zed"},
            "workflow": "default",
            "download": ["https://sw.example/SW1.tar.gz", {"url": "https://sw.example/2"}],
            "actions": [
                {"plugin": "prepare", "type": "pre"},
                {"plugin": "fw_upgrade", "type": "host", "metadata": {"upgrade": "FW1"}},
            ],
            "unheard_of": [1],
        }))
        .unwrap();
        assert_eq!(plan.hosts, ["node-1", "node-2"]);
        assert_eq!(plan.state, "MAINTENANCE");
        assert_eq!(plan.maintenance_at, "2031-05-06 07:08:09");
        assert_eq!(plan.metadata.json(), r#"{"openstack_release":"Zed"}"#);
        assert_eq!(
            plan.download,
            ["https://sw.example/SW1.tar.gz", "https://sw.example/2"]
        );
        assert_eq!(plan.actions[0].kind, ActionType::Pre);
        assert!(plan.actions[0].metadata.is_empty());
        assert_eq!(plan.actions[1].plugin, "fw_upgrade");
        assert_eq!(plan.actions[1].metadata.json(), r#"{"upgrade":"FW1"}"#);
    }

    #[test]
    fn hosts_actions_and_downloads_may_be_left_out_or_null() {
        let mut body = minimal();
        assert!(read_value(&body).unwrap().hosts.is_empty());
        for name in ["hosts", "actions", "download"] {
            body[name] = Value::Null;
        }
        let plan = read_value(&body).unwrap();
        assert!(plan.actions.is_empty() && plan.download.is_empty());
    }

    #[test]
    fn every_member_of_a_wrong_type_is_named() {
        for (name, value, place) in [
            ("hosts", json!("node-1"), "`hosts`"),
            ("hosts", json!(["a", 7]), "`hosts[1]`"),
            ("state", json!(1), "`state`"),
            ("state", Value::Null, "`state`"),
            ("maintenance_at", json!(1_900_000_000), "`maintenance_at`"),
            ("metadata", json!([]), "`metadata`"),
            ("metadata", Value::Null, "`metadata`"),
            ("workflow", json!({}), "`workflow`"),
            ("download", json!("https://sw.example"), "`download`"),
            ("download", json!([{"href": "x"}]), "`download[0]`"),
            ("download", json!([{"url": 1}]), "`download[0]`"),
            ("actions", json!({}), "`actions`"),
            ("actions", json!(["prepare"]), "`actions[0]`"),
            ("actions", json!([{"type": "pre"}]), "`actions[0].plugin`"),
            ("actions", json!([{"plugin": "a"}]), "`actions[0].type`"),
            (
                "actions",
                json!([{"plugin": "a", "type": "pre"}, {"plugin": "a", "type": "PRE"}]),
                "`actions[1].type`",
            ),
            (
                "actions",
                json!([{"plugin": "a", "type": 1}]),
                "`actions[0].type`",
            ),
            (
                "actions",
                json!([{"plugin": "a", "type": "pre", "metadata": "x"}]),
                "`actions[0].metadata`",
            ),
        ] {
            let mut body = minimal();
            body[name] = value;
            let problem = read_value(&body).unwrap_err();
            assert!(problem.detail().starts_with(place), "{}", problem.detail());
        }
    }
}
