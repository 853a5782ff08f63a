//! The projects' part: the instances that a session concerns, and replies.

use axum::body::Body;
use http::Method;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;

use super::ask::{Ask, Empty};
use super::error::{Rejection, unprocessable};
use super::{answer, shapes};
use crate::auth::Access;
use crate::endpoint::Endpoint;
use crate::extract::Json;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let member = Access::Role(Role::Member);
    let project = "/v1/maintenance/{session_id}/{project_id}";
    vec![
        Endpoint::new(
            Method::GET,
            project,
            member,
            "list_instances",
            list_instances,
        )
        .summary("Lists a project's instances that the session's current step concerns, else all")
        .answers_as(200, &shapes::instance_ids()),
        Endpoint::new(Method::PUT, project, member, "reply", reply)
            .summary("Accepts a project's reply to a notice")
            .reads_as(&shapes::answer())
            .answers_as(200, &shapes::answer()),
        Endpoint::new(
            Method::PUT,
            "/v1/maintenance/{session_id}/{project_id}/{instance_id}",
            member,
            "reply_for_instance",
            reply_for_instance,
        )
        .summary("Accepts a project's reply for one of its instances")
        .reads_as(&shapes::answer())
        .answers_as(200, &shapes::answer()),
    ]
}

async fn list_instances(ask: Ask, body: Body) -> Result<Json<Value>, Rejection> {
    ask.no_body(body).await?;
    let (id, project) = (ask.session()?, ask.name("project_id")?);
    let instances = ask
        .maintenance()
        .instances(ask.account(), id, &project)
        .await
        .map_err(unprocessable)?;
    Ok(Json(json!({ "instance_ids": instances })))
}

async fn reply(ask: Ask, body: Body) -> Result<Json<Box<RawValue>>, Rejection> {
    accept(&ask, None, body).await
}

async fn reply_for_instance(ask: Ask, body: Body) -> Result<Json<Box<RawValue>>, Rejection> {
    let instance = ask.instance()?;
    accept(&ask, Some(instance), body).await
}

/// Returns what was sent, as Fenix does.
async fn accept(
    ask: &Ask,
    instance: Option<String>,
    body: Body,
) -> Result<Json<Box<RawValue>>, Rejection> {
    let (id, project) = (ask.session()?, ask.name("project_id")?);
    let body = ask.object(body, Empty::IsRefused).await?;
    let reply = answer::read(&body, instance)?;
    ask.maintenance()
        .reply(ask.account(), id, &project, reply)
        .await
        .map_err(unprocessable)?;
    Ok(Json(body))
}
