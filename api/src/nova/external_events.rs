//! Submitting external events: all that can be accepted of a request is stored at once,
//! before the reply. Their hooks run after it.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use tenterhook_dispatch::{Error, Role};
use tenterhook_sdk::Event;
use uuid::Uuid;

use super::fault::{Fault, Rejection};
use super::json::Json;
use super::microversion::Microversion;
use super::schema::{self, Asked};
use super::verdict::{Servers, Verdict, event_for};
use super::{heading, python, shapes};
use crate::app::{App, NovaRules};
use crate::auth::{Access, Caller};
use crate::body::{self, Pieces};
use crate::endpoint::Endpoint;
use crate::extract::PathMembers;
use crate::refusal::Refusal;
use crate::request_id::RequestId;

/// Largest body, in bytes: what OpenStack's services read.
const BODY_MAX_BYTES: u64 = 114_688;

/// Characters of a project's id that a refusal quotes.
const PROJECT_MAX_CHARS: usize = 64;

pub(super) fn endpoints() -> Vec<Endpoint> {
    [
        ("/os-server-external-events", "create_external_events"),
        (
            "/v2.1/os-server-external-events",
            "create_external_events_at_version",
        ),
        (
            "/v2.1/{project_id}/os-server-external-events",
            "create_external_events_of_project",
        ),
    ]
    .map(|(path, id)| endpoint(path, id))
    .into()
}

fn endpoint(path: &'static str, id: &'static str) -> Endpoint {
    let access = Access::Role(Role::Admin);
    let fault = shapes::fault();
    let endpoint = Endpoint::new(Method::POST, path, access, id, create_external_events)
        .summary("Reports what has happened to servers; the hooks for it run after the reply")
        .request_header(
            "OpenStack-API-Version",
            "`compute 2.x` or `compute latest`; 2.1 by default",
        )
        .reads_as(&shapes::request())
        .answers_as(200, &shapes::results())
        .answers_as(207, &shapes::results())
        .answers_as(401, &shapes::unauthorized());
    let endpoint = [200, 207].into_iter().fold(endpoint, |endpoint, status| {
        endpoint
            .reply_header(
                status,
                "OpenStack-API-Version",
                "the version that was spoken",
            )
            .reply_header(status, "X-Compute-Request-Id", "`req-` and a UUID")
    });
    [400, 403, 404, 406, 413, 415]
        .into_iter()
        .fold(endpoint, |endpoint, status| {
            endpoint.answers_as(status, &fault)
        })
}

async fn create_external_events(
    State(app): State<App>,
    caller: Caller,
    path: PathMembers,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Rejection> {
    let version = Microversion::read(&headers)?;
    check_media(&headers)?;
    let body = Pieces::new(app.door(), &headers, body, BODY_MAX_BYTES)?
        .collect()
        .await?;
    let body = match &*body {
        [] => Json::Null,
        body => Json::read(body).ok_or(Fault::bad_request("Malformed request body"))?,
    };
    check_project(&path, &caller)?;
    let asked = schema::read(&body, version).map_err(Fault::bad_request)?;

    let mut servers = Servers::new(&app, caller.account());
    let mut verdicts = Vec::with_capacity(asked.len());
    for asked in &asked {
        verdicts.push(servers.judge(asked).await?);
    }
    let request = heading::request_id(&id);
    let events: Vec<_> = asked
        .iter()
        .zip(&verdicts)
        .filter_map(|(asked, verdict)| match verdict {
            Verdict::Accepted(server) => Some(event_for(asked, server, &request)),
            _ => None,
        })
        .collect();
    if events.is_empty() && app.nova_rules() == NovaRules::Seed {
        return Err(Fault::not_found("No instances found for any event").into());
    }
    accept(&app, &caller, events).await?;
    Ok(results(&asked, &verdicts))
}

/// Checks the body's content type.
fn check_media(headers: &HeaderMap) -> Result<(), Fault> {
    match body::media_type(headers).as_deref() {
        // What clients send that do not set one.
        None | Some("" | "text/plain") => Ok(()),
        Some(kind) if shapes::READ.contains(&kind) => Ok(()),
        Some(_) => Err(Fault::unsupported_media()),
    }
}

/// Stores the events, all or none.
async fn accept(app: &App, caller: &Caller, events: Vec<Event>) -> Result<(), Refusal> {
    if events.is_empty() {
        return Ok(());
    }
    let accepted = app
        .dispatcher()
        .events()
        .accept(caller.account(), &caller.0.name, events)
        .await;
    match accepted {
        Ok(_) => Ok(()),
        Err(Error::Invalid { field, .. }) if field.ends_with("serverid") => Err(Refusal::Conflict(
            "a server was removed meanwhile; send the events again".to_owned(),
        )),
        Err(error) => Err(error.into()),
    }
}

fn results(asked: &[Asked], verdicts: &[Verdict]) -> Response {
    let events: Vec<Value> = asked
        .iter()
        .zip(verdicts)
        .map(|(asked, verdict)| asked.answer(verdict.code(), verdict.status()))
        .collect();
    let all = verdicts.iter().all(|verdict| verdict.code() == 200);
    let status = if all {
        StatusCode::OK
    } else {
        StatusCode::MULTI_STATUS
    };
    let kind = HeaderValue::from_static("application/json");
    let body = json!({ "events": events }).to_string();
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

/// Checks that the project which the path names, if it names one, is the caller's
/// account.
fn check_project(path: &PathMembers, caller: &Caller) -> Result<(), Fault> {
    let Some(sent) = path.get("project_id") else {
        return Ok(());
    };
    let own = caller.account();
    if Uuid::try_parse(sent).is_ok_and(|id| id == own.as_uuid()) {
        return Ok(());
    }
    Err(Fault::bad_request(format!(
        "Malformed request URL: URL's project_id '{}' doesn't match Context's project_id '{own}'",
        python::clip(sent, PROJECT_MAX_CHARS)
    )))
}
