//! Constraints of instances and groups, which the `vnf` workflow honours.

use axum::body::Body;
use http::Method;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;
use tenterhook_session::{GroupConstraint, InstanceAction, InstanceConstraint};

use super::ask::{Ask, Empty};
use super::error::{Problem, Rejection};
use super::fields::Fields;
use super::shapes;
use crate::auth::Access;
use crate::endpoint::Endpoint;
use crate::extract::Json;

/// Longest time of a constraint, in seconds: a week. A session may wait as long.
const SECONDS_MAX: u32 = 7 * 24 * 60 * 60;

/// Most members of a group, as the inventory has no more servers.
const MEMBERS_MAX: u32 = 20_000;

/// Longest name, in bytes, as in the inventory.
const NAME_MAX_BYTES: usize = 255;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let member = Access::Role(Role::Member);
    let instance = "/v1/instance/{instance_id}";
    let group = "/v1/instance_group/{group_id}";
    vec![
        Endpoint::new(Method::PUT, instance, member, "put_instance", put_instance)
            .summary("Sets the constraint of an instance, replacing any previous one")
            .reads_as(&shapes::new_instance_constraint())
            .answers_as(200, &shapes::instance_constraint()),
        Endpoint::new(
            Method::DELETE,
            instance,
            member,
            "delete_instance",
            delete_instance,
        )
        .summary("Deletes the constraint of an instance")
        .answers_as(200, &shapes::nothing()),
        Endpoint::new(Method::PUT, group, member, "put_group", put_group)
            .summary("Sets the constraint of a group, replacing any previous one")
            .reads_as(&shapes::new_group_constraint())
            .answers_as(200, &shapes::group_constraint()),
        Endpoint::new(Method::DELETE, group, member, "delete_group", delete_group)
            .summary("Deletes the constraint of a group")
            .answers_as(200, &shapes::nothing()),
    ]
}

async fn put_instance(ask: Ask, body: Body) -> Result<Json<InstanceConstraint>, Rejection> {
    let id = ask.instance()?;
    let body = ask.object(body, Empty::IsRefused).await?;
    let constraint = instance_of(id, &body)?;
    ask.maintenance()
        .put_instance_constraint(ask.account(), constraint.clone())
        .await?;
    Ok(Json(constraint))
}

async fn put_group(ask: Ask, body: Body) -> Result<Json<GroupConstraint>, Rejection> {
    let id = ask.name("group_id")?;
    let body = ask.object(body, Empty::IsRefused).await?;
    let constraint = group_of(id, &body)?;
    ask.maintenance()
        .put_group_constraint(ask.account(), constraint.clone())
        .await?;
    Ok(Json(constraint))
}

async fn delete_instance(ask: Ask, body: Body) -> Result<Json<Value>, Rejection> {
    ask.no_body(body).await?;
    let id = ask.instance()?;
    ask.maintenance()
        .delete_instance_constraint(ask.account(), id)
        .await?;
    Ok(Json(json!({})))
}

async fn delete_group(ask: Ask, body: Body) -> Result<Json<Value>, Rejection> {
    ask.no_body(body).await?;
    let id = ask.name("group_id")?;
    ask.maintenance()
        .delete_group_constraint(ask.account(), id)
        .await?;
    Ok(Json(json!({})))
}

fn instance_of(id: String, body: &RawValue) -> Result<InstanceConstraint, Problem> {
    let fields = Fields::of(body);
    if let Some(own) = fields.text("instance_id")?
        && uuid::Uuid::try_parse(&own).map(|own| own.to_string()) != Ok(id.clone())
    {
        return Err(fields.invalid("instance_id", "must be the one in the path, or left out"));
    }
    let action = fields.action("migration_type")?;
    Ok(InstanceConstraint {
        instance_id: id,
        project_id: name(&fields, "project_id")?,
        group_id: name(&fields, "group_id")?,
        instance_name: title(&fields, "instance_name")?,
        max_interruption_time: fields.whole("max_interruption_time", 0..=SECONDS_MAX, 120)?,
        migration_type: action.unwrap_or(InstanceAction::Migrate),
        resource_mitigation: fields.flag("resource_mitigation")?,
        lead_time: fields.whole("lead_time", 0..=SECONDS_MAX, 120)?,
    })
}

fn group_of(id: String, body: &RawValue) -> Result<GroupConstraint, Problem> {
    let fields = Fields::of(body);
    if fields.text("group_id")?.is_some_and(|own| own != id) {
        return Err(fields.invalid("group_id", "must be the one in the path, or left out"));
    }
    Ok(GroupConstraint {
        group_id: id,
        project_id: name(&fields, "project_id")?,
        group_name: title(&fields, "group_name")?,
        anti_affinity_group: fields.flag("anti_affinity_group")?,
        max_instances_per_host: fields.whole("max_instances_per_host", 0..=MEMBERS_MAX, 0)?,
        max_impacted_members: fields.whole("max_impacted_members", 1..=MEMBERS_MAX, 1)?,
        recovery_time: fields.whole("recovery_time", 0..=SECONDS_MAX, 60)?,
        resource_mitigation: fields.flag("resource_mitigation")?,
    })
}

/// A name, which is required.
fn name(fields: &Fields<'_>, member: &str) -> Result<String, Problem> {
    let wanted = "a text of 1 to 255 bytes without control characters";
    let text = fields.required_text(member, wanted)?;
    if text.is_empty() || !is_short(&text) {
        return Err(fields.invalid(member, &format!("must be {wanted}")));
    }
    Ok(text.into_owned())
}

/// A name for people, which is optional.
fn title(fields: &Fields<'_>, member: &str) -> Result<String, Problem> {
    let text = fields.text(member)?.unwrap_or_default();
    if !is_short(&text) {
        let reason = "must be a text of up to 255 bytes without control characters";
        return Err(fields.invalid(member, reason));
    }
    Ok(text.into_owned())
}

fn is_short(text: &str) -> bool {
    text.len() <= NAME_MAX_BYTES && !text.chars().any(char::is_control)
}
