//! Sources: named scripts, modules and components, uploaded as raw bytes.
//!
//! The kind of a program is detected from its bytes. How they are received is in
//! `upload`.

pub(super) mod shape;
mod upload;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use tenterhook_dispatch::{Key, Role, SourceId};
use tenterhook_engine::Kind;
use tenterhook_wire::{List, Source, Upload, UploadedSource};

pub(super) use self::shape::PROGRAM_MEDIA;
use self::shape::{SCRIPT, WASM, entity_tag, source, version};
pub(super) use self::upload::{promised_kind, receive};
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::native::page::PageQuery;
use crate::native::uploads;
use crate::refusal::Refusal;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Access::Role(Role::Viewer);
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/sources",
            Access::Role(Role::Member),
            "upload_source",
            upload::upload_source,
        )
        .summary("Uploads a shell script, a WASI module or a component")
        .query("name", "the new source's name; required")
        .query("description", "what it is for")
        .query("private", "`true` to withhold its bytes from every role")
        .query("wait", uploads::WAIT)
        .reads_raw(&PROGRAM_MEDIA)
        .answers::<UploadedSource>(201)
        .answers::<Upload>(202)
        .reply_header(202, "Location", "where to poll for the outcome"),
        Endpoint::new(
            Method::GET,
            "/api/v1/sources",
            read,
            "list_sources",
            list_sources,
        )
        .summary("Lists the sources by number, the built-in ones last")
        .query("name", "only the one with this name")
        .query("limit", "items in a page, 1 to 1000; 100 by default")
        .query("after", "the `next` of the previous page")
        .answers_items::<Source>(),
        Endpoint::new(
            Method::GET,
            "/api/v1/sources/{id}",
            read,
            "get_source",
            get_source,
        )
        .summary("Shows a source")
        .answers::<Source>(200)
        .reply_header(
            200,
            "ETag",
            "changes with the source; an `If-Match` for its replacement",
        )
        .conditional(),
        Endpoint::new(
            Method::GET,
            "/api/v1/sources/{id}/bytes",
            Access::Role(Role::Admin),
            "get_source_bytes",
            get_source_bytes,
        )
        .summary("Returns the exact bytes that were uploaded, unless they are private")
        .answers_raw(200, &[WASM, SCRIPT])
        .reply_header(200, "ETag", "the digest of the bytes, in quotes")
        .conditional(),
        Endpoint::new(
            Method::PUT,
            "/api/v1/sources/{id}",
            Access::Role(Role::Member),
            "replace_source",
            upload::replace_source,
        )
        .summary("Replaces a source's bytes; its hooks run the new program from now on")
        .query("description", "what it is for; if omitted, it is unchanged")
        .request_header(
            "If-Match",
            "the `ETag` of the source or of its bytes, which it must still have",
        )
        .query("wait", uploads::WAIT)
        .reads_raw(&PROGRAM_MEDIA)
        .answers::<UploadedSource>(200)
        .reply_header(200, "ETag", "the digest of the new bytes, in quotes")
        .answers::<Upload>(202)
        .reply_header(202, "Location", "where to poll for the outcome"),
        Endpoint::new(
            Method::DELETE,
            "/api/v1/sources/{id}",
            Access::Role(Role::Member),
            "delete_source",
            delete_source,
        )
        .summary("Removes a source that no hook uses")
        .answers_empty(204),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceQuery {
    name: Option<String>,
    limit: Option<u32>,
    after: Option<String>,
}

async fn list_sources(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<SourceQuery>,
) -> Result<Json<List<Source>>, Refusal> {
    let page = PageQuery::new(query.limit, query.after);
    let mut sources = app.dispatcher().sources().list(caller.account()).await?;
    if let Some(name) = query.name {
        sources.retain(|source| source.name == name);
    }
    let sources = sources.into_iter().map(source).collect();
    page.cut(sources, |source: &Source| source.number).map(Json)
}

async fn get_source(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<SourceId>>,
) -> Result<Response, Refusal> {
    let own = app
        .dispatcher()
        .sources()
        .get(caller.account(), key)
        .await?;
    let tag = [(header::ETAG, entity_tag(version(&own)))];
    Ok((tag, Json(source(own))).into_response())
}

async fn get_source_bytes(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<SourceId>>,
) -> Result<Response, Refusal> {
    let (source, bytes) = app
        .dispatcher()
        .sources()
        .bytes(caller.account(), key, caller.0.role)
        .await?;
    let media = match source.kind {
        Kind::Script => SCRIPT,
        Kind::Module | Kind::Component => WASM,
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media)),
        (header::ETAG, entity_tag(source.digest)),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    Ok((headers, bytes).into_response())
}

async fn delete_source(
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
