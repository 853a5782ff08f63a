//! The admin's part: creating, listing, reading, resuming and deleting sessions.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;
use tenterhook_maintenance::{NewSession, Stored};
use tenterhook_session::State;

use super::ask::{Ask, Empty};
use super::error::{Rejection, unprocessable};
use super::fields::Fields;
use super::{detail, new_session, shapes};
use crate::auth::Access;
use crate::endpoint::Endpoint;
use crate::extract::Json;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let admin = Access::Role(Role::Admin);
    let all = "/v1/maintenance";
    let one = "/v1/maintenance/{session_id}";
    vec![
        Endpoint::new(Method::POST, all, admin, "create_session", create_session)
            .summary("Creates a session and starts it")
            .reads_as(&shapes::new_session())
            .answers_as(200, &shapes::session_id()),
        Endpoint::new(Method::GET, all, admin, "list_sessions", list_sessions)
            .summary("Lists the ids of all sessions, oldest first")
            .answers_as(200, &shapes::session_ids()),
        Endpoint::new(Method::GET, one, admin, "get_session", get_session)
            .summary("Returns the state of a session")
            .answers_as(200, &shapes::session()),
        Endpoint::new(Method::PUT, one, admin, "resume_session", resume_session)
            .summary("Resumes a failed session, at the step that failed or in a state")
            .reads_as(&shapes::resumption())
            .answers_as(200, &shapes::session()),
        Endpoint::new(Method::DELETE, one, admin, "delete_session", delete_session)
            .summary("Deletes a session; a running one is stopped first")
            .answers_as(200, &shapes::nothing()),
        Endpoint::new(
            Method::GET,
            "/v1/maintenance/{session_id}/detail",
            admin,
            "get_session_detail",
            get_session_detail,
        )
        .summary("Returns what a session has done, what failed and which projects have not replied")
        .answers_as(200, &shapes::detail()),
    ]
}

async fn create_session(ask: Ask, body: Body) -> Result<Json<Value>, Rejection> {
    let body = ask.object(body, Empty::IsRefused).await?;
    let new = NewSession {
        plan: new_session::read(&body)?,
        created_by: ask.who(),
        base_url: ask.base_url()?,
    };
    let stored = ask.maintenance().create(ask.account(), new).await?;
    Ok(Json(json!({"session_id": stored.session.id()})))
}

async fn list_sessions(ask: Ask, body: Body) -> Result<Json<Value>, Rejection> {
    ask.no_body(body).await?;
    let ids = ask.maintenance().sessions(ask.account());
    Ok(Json(json!({"session_id": ids})))
}

async fn get_session(ask: Ask, body: Body) -> Result<Json<Value>, Rejection> {
    ask.no_body(body).await?;
    let id = ask.session()?;
    let stored = ask.maintenance().session(ask.account(), id).await?;
    Ok(Json(summary(&stored)))
}

async fn get_session_detail(ask: Ask, body: Body) -> Result<Response, Rejection> {
    ask.no_body(body).await?;
    let id = ask.session()?;
    let stored = ask.maintenance().session(ask.account(), id).await?;
    let steps = ask.maintenance().steps(ask.account(), id).await?;
    Ok(Json(detail::describe(&stored, &steps)).into_response())
}

async fn resume_session(ask: Ask, body: Body) -> Result<Json<Value>, Rejection> {
    let id = ask.session()?;
    let body = ask.object(body, Empty::IsAnObject).await?;
    let fields = Fields::of(&body);
    let at = fields
        .text("state")?
        .map(|text| {
            let state = text.parse::<State>();
            state.map_err(|error| fields.invalid("state", &format!("is none: {error}")))
        })
        .transpose()?;
    if matches!(at, Some(State::MaintenanceFailed | State::MaintenanceDone)) {
        let reason = "must be the state to go on in; leave it out to go on where it failed";
        return Err(fields.invalid("state", reason).into());
    }
    let stored = ask
        .maintenance()
        .resume(ask.account(), id, at)
        .await
        .map_err(unprocessable)?;
    Ok(Json(summary(&stored)))
}

async fn delete_session(ask: Ask, body: Body) -> Result<Json<Value>, Rejection> {
    ask.no_body(body).await?;
    let id = ask.session()?;
    ask.maintenance()
        .delete(ask.account(), id)
        .await
        .map_err(unprocessable)?;
    Ok(Json(json!({})))
}

fn summary(stored: &Stored) -> Value {
    json!({"session_id": stored.session.id(), "state": stored.session.state().as_str()})
}
