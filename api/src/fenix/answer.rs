//! Reading a project's reply, in either of the two spellings that clients use.
//!
//! `instance_actions` names each instance with its action. `instance_action` is one
//! action for the instance that was asked about, which is named by the path, by
//! `instance_ids`, or by nothing but the session's having asked for it. In states that
//! empty no host there is nothing to choose, and neither is kept.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use tenterhook_engine::json::Members;
use tenterhook_session::{InstanceAction, Reply, State};
use uuid::Uuid;

use super::error::Problem;
use super::fields::{ACTIONS, Fields, action};

/// Instances that one reply may name; a host has far fewer.
const INSTANCES_MAX: usize = 1_024;

/// Reads a reply; `instance` is the one in the path.
pub(super) fn read(body: &RawValue, instance: Option<String>) -> Result<Reply, Problem> {
    let fields = Fields::of(body);
    let (agreed, state) = state(&fields)?;
    let mut instance_actions = actions(&fields)?;
    let instance_action = fields.action("instance_action")?;
    let named = match instance_action {
        Some(_) => ids(&fields)?,
        // Without an action they only repeat what the session knows.
        None => Vec::new(),
    };
    if !matches!(state, State::PrepareMaintenance | State::PlannedMaintenance) {
        return Ok(Reply {
            state,
            agreed,
            instance_actions: BTreeMap::new(),
            instance,
            instance_action: None,
        });
    }
    let (instance, instance_action) = match (instance, named.as_slice(), instance_action) {
        (Some(own), named, _) if named.iter().any(|id| *id != own) => {
            let reason = "must name the instance in the path alone, or be left out";
            return Err(fields.invalid("instance_ids", reason));
        }
        (Some(own), _, action) => (Some(own), action),
        (None, [one], action) => (Some(one.clone()), action),
        (None, [_, _, ..], Some(action)) => {
            instance_actions.extend(named.into_iter().map(|id| (id, action)));
            (None, None)
        }
        (None, _, action) => (None, action),
    };
    Ok(Reply {
        state,
        agreed,
        instance_actions,
        instance,
        instance_action,
    })
}

fn state(fields: &Fields<'_>) -> Result<(bool, State), Problem> {
    let wanted = "`ACK_` or `NACK_` before the state that is replied to, such as `ACK_MAINTENANCE`";
    let text = fields.required_text("state", wanted)?;
    let read = match text.split_once('_') {
        Some(("ACK", state)) => state.parse().map(|state| (true, state)),
        Some(("NACK", state)) => state.parse().map(|state| (false, state)),
        _ => return Err(fields.invalid("state", &format!("must be {wanted}"))),
    };
    read.map_err(|error| fields.invalid("state", &format!("must be {wanted}; {error}")))
}

fn actions(fields: &Fields<'_>) -> Result<BTreeMap<String, InstanceAction>, Problem> {
    let name = "instance_actions";
    let Some(object) = fields.object(name)? else {
        return Ok(BTreeMap::new());
    };
    let Members(members) = serde_json::from_str(object.get()).unwrap_or_default();
    few(fields, name, members.len())?;
    members
        .iter()
        .map(|member| {
            let id = member
                .name()
                .and_then(|id| canonical(&id))
                .ok_or_else(|| fields.invalid(name, "must name instances by their UUIDs"))?;
            let action = action(member.value).ok_or_else(|| {
                fields.invalid(&format!("{name}.{id}"), &format!("must be {ACTIONS}"))
            })?;
            Ok((id, action))
        })
        .collect()
}

/// The instances that one action is for.
fn ids(fields: &Fields<'_>) -> Result<Vec<String>, Problem> {
    let name = "instance_ids";
    let ids = fields.texts(name)?;
    few(fields, name, ids.len())?;
    ids.iter()
        .enumerate()
        .map(|(index, id)| {
            let place = format!("{name}[{index}]");
            canonical(id).ok_or_else(|| fields.invalid(&place, "must be the UUID of an instance"))
        })
        .collect()
}

fn few(fields: &Fields<'_>, name: &str, count: usize) -> Result<(), Problem> {
    if count > INSTANCES_MAX {
        let reason = format!("must not name more than {INSTANCES_MAX} instances");
        return Err(fields.invalid(name, &reason));
    }
    Ok(())
}

/// An instance's id as the inventory writes it.
fn canonical(text: &str) -> Option<String> {
    let id = Uuid::try_parse(text).ok()?;
    matches!(text.len(), 32 | 36).then(|| id.to_string())
}
