//! `/events/scripts`: named scripts and their text.
//!
//! A WebAssembly source that was uploaded through the native API is listed here as well, so
//! that `scriptId` can refer to it; its bytes are given as they are. The built-in scripts
//! are not listed, but can be read and bound.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use tenterhook_dispatch::{Key, NewSource, PrincipalId, Role, SourceChange, SourceId, Visibility};
use tenterhook_engine::Kind;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::croit::list::Paged;
use crate::croit::negotiation::Form;
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::refusal::Refusal;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let admin = Access::Role(Role::Admin);
    vec![
        Endpoint::new(
            Method::GET,
            "/api/events/scripts",
            admin,
            "list_scripts",
            list_scripts,
        )
        .summary("Lists the scripts")
        .answers_list_or_page::<ScriptIdentifier>(),
        Endpoint::new(
            Method::POST,
            "/api/events/scripts",
            admin,
            "create_script",
            create_script,
        )
        .summary("Creates a script")
        .reads::<ScriptRequest>()
        .answers::<GeneratedId>(200),
        Endpoint::new(
            Method::GET,
            "/api/events/scripts/{id}",
            admin,
            "get_script",
            get_script,
        )
        .summary("Returns a script's text, unless the source is private")
        .answers_raw(200, &["text/plain", "application/json", "application/wasm"]),
        Endpoint::new(
            Method::PATCH,
            "/api/events/scripts/{id}",
            admin,
            "change_script",
            change_script,
        )
        .summary("Changes a script's name or text")
        .reads::<ScriptRequest>()
        .answers_empty(204),
        Endpoint::new(
            Method::DELETE,
            "/api/events/scripts/{id}",
            admin,
            "delete_script",
            delete_script,
        )
        .summary("Removes a script that no hook uses")
        .answers_empty(204),
    ]
}

/// The number of what was created.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GeneratedId {
    pub(super) id: i32,
}

/// A script's number and name.
#[derive(Debug, Serialize, ToSchema)]
struct ScriptIdentifier {
    id: i32,
    name: String,
}

/// A script; on a change, what is null or absent stays.
#[derive(Debug, Deserialize, ToSchema)]
struct ScriptRequest {
    name: Option<String>,
    /// At most 96 KiB. May be empty.
    contents: Option<String>,
}

/// A new script from a name and a text, both of which a client must give.
pub(super) fn new_source(
    name: Option<String>,
    contents: Option<String>,
    created_by: PrincipalId,
) -> Result<NewSource, Refusal> {
    let required = |field: &str| Refusal::invalid(format!("/{field}"), "is required");
    Ok(NewSource {
        name: name.ok_or_else(|| required("name"))?,
        bytes: contents.ok_or_else(|| required("contents"))?.into(),
        kind: Some(Kind::Script),
        description: String::new(),
        visibility: Visibility::Readable,
        labels: Vec::new(),
        created_by,
    })
}

/// A change of name or text.
pub(super) fn source_change(
    name: Option<String>,
    contents: Option<String>,
    caller: &Caller,
) -> SourceChange {
    SourceChange {
        name,
        kind: contents.is_some().then_some(Kind::Script),
        bytes: contents.map(Bytes::from),
        modified_by: Some(caller.principal()),
        modified_as: caller.0.role,
        ..SourceChange::default()
    }
}

async fn list_scripts(
    State(app): State<App>,
    caller: Caller,
    Query(paged): Query<Paged>,
) -> Result<Response, Refusal> {
    let sources = app.dispatcher().sources().list(caller.account()).await?;
    let rows = sources
        .into_iter()
        .filter(|source| !source.preloaded)
        .map(|source| ScriptIdentifier {
            id: source.number.get(),
            name: source.name,
        })
        .collect();
    paged.list(rows).await
}

async fn create_script(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<ScriptRequest>,
) -> Result<Json<GeneratedId>, Refusal> {
    let new = new_source(body.name, body.contents, caller.principal())?;
    let (source, _) = app
        .dispatcher()
        .sources()
        .create(caller.account(), new, Vec::new())
        .await?;
    Ok(Json(GeneratedId {
        id: source.number.get(),
    }))
}

async fn get_script(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<SourceId>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (source, bytes) = app
        .dispatcher()
        .sources()
        .bytes(caller.account(), key, caller.0.role)
        .await?;
    if source.kind != Kind::Script {
        let kind = HeaderValue::from_static("application/wasm");
        return Ok(([(header::CONTENT_TYPE, kind)], bytes).into_response());
    }
    let form = Form::wanted(&headers)?;
    Ok(form.give(String::from_utf8_lossy(&bytes).into_owned()))
}

async fn change_script(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<SourceId>>,
    Json(body): Json<ScriptRequest>,
) -> Result<StatusCode, Refusal> {
    let change = source_change(body.name, body.contents, &caller);
    app.dispatcher()
        .sources()
        .change(caller.account(), key, change, None)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_script(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<SourceId>>,
) -> Result<StatusCode, Refusal> {
    app.dispatcher()
        .sources()
        .delete(caller.account(), key)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
