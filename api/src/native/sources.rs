//! Sources: named scripts, modules and components, uploaded as raw bytes.
//!
//! What the bytes are is told by the bytes. How they come in stands in `upload`.

mod upload;
mod warnings;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{Key, Label, Role, SourceId};
use tenterhook_engine::Kind;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::native::page::{List, Wanted};
use crate::native::time_text;
use crate::native::uploads::{self, Upload};
use crate::refusal::Refusal;

use self::warnings::UploadedSource;
pub(super) use self::warnings::Warning;

const WASM: &str = "application/wasm";
const SCRIPT: &str = "text/x-shellscript";
const ANY: &str = "application/octet-stream";

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
        .query(
            "private",
            "`true` to withhold its bytes at Astra's interface",
        )
        .query("wait", uploads::WAIT)
        .reads_raw(&[WASM, SCRIPT, ANY])
        .answers::<UploadedSource>(201)
        .answers::<Upload>(202)
        .reply_header(202, "Location", "where to ask what has become of it"),
        Endpoint::new(
            Method::GET,
            "/api/v1/sources",
            read,
            "list_sources",
            list_sources,
        )
        .summary("Lists the sources by number, the preloaded ones last")
        .query("name", "only the one of this name")
        .query("limit", "items in a page, 1 to 1000; 100 by default")
        .query("after", "the `next` of the page before")
        .answers_items::<Source>(),
        Endpoint::new(
            Method::GET,
            "/api/v1/sources/{id}",
            read,
            "get_source",
            get_source,
        )
        .summary("Shows a source")
        .answers::<Source>(200),
        Endpoint::new(
            Method::GET,
            "/api/v1/sources/{id}/bytes",
            Access::Role(Role::Admin),
            "get_source_bytes",
            get_source_bytes,
        )
        .summary("Answers with the very bytes that were uploaded, unless they are private")
        .answers_raw(200, &[WASM, SCRIPT]),
        Endpoint::new(
            Method::PUT,
            "/api/v1/sources/{id}",
            Access::Role(Role::Member),
            "replace_source",
            upload::replace_source,
        )
        .summary("Replaces a source's bytes; its hooks run the new program from now on")
        .query("description", "what it is for; left out, it stays")
        .request_header(
            "If-Match",
            "the digest that the bytes have to have until now, in quotes",
        )
        .query("wait", uploads::WAIT)
        .reads_raw(&[WASM, SCRIPT, ANY])
        .answers::<UploadedSource>(200)
        .reply_header(200, "ETag", "the digest of the new bytes, in quotes")
        .answers::<Upload>(202)
        .reply_header(202, "Location", "where to ask what has become of it"),
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

/// A named program.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Source {
    id: String,
    number: i32,
    name: String,
    /// `script`, `module` or `component`.
    #[schema(value_type = String)]
    kind: Kind,
    /// `sha256:` and 64 hexadecimal digits.
    digest: String,
    size_bytes: u64,
    /// One more whenever the bytes change.
    revision: u32,
    description: String,
    /// Whether its bytes are withheld from everybody, on every interface.
    private: bool,
    /// Whether it came with the account and cannot be changed.
    preloaded: bool,
    #[schema(value_type = Vec<Object>)]
    labels: Vec<Label>,
    /// The id of the principal who uploaded it.
    created_by: String,
    /// The id of the principal who changed it last.
    modified_by: Option<String>,
    created_at: String,
    modified_at: String,
}

impl Source {
    pub(super) fn new(own: dispatch::Source) -> Self {
        Self {
            id: own.id.to_string(),
            number: own.number.get(),
            name: own.name,
            kind: own.kind,
            digest: own.digest.to_string(),
            size_bytes: own.size_bytes,
            revision: own.revision,
            description: own.description,
            private: own.private,
            preloaded: own.preloaded,
            labels: own.labels,
            created_by: own.created_by.to_string(),
            modified_by: own.modified_by.map(|id| id.to_string()),
            created_at: time_text(own.created_at),
            modified_at: time_text(own.modified_at),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    name: Option<String>,
    limit: Option<u32>,
    after: Option<String>,
}

async fn list_sources(
    State(app): State<App>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<List<Source>>, Refusal> {
    let wanted = Wanted::new(filter.limit, filter.after);
    let mut sources = app.dispatcher().sources().list(caller.account()).await?;
    if let Some(name) = filter.name {
        sources.retain(|source| source.name == name);
    }
    let sources = sources.into_iter().map(Source::new).collect();
    wanted
        .cut(sources, |source: &Source| source.number)
        .map(Json)
}

async fn get_source(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<SourceId>>,
) -> Result<Json<Source>, Refusal> {
    let source = app
        .dispatcher()
        .sources()
        .get(caller.account(), key)
        .await?;
    Ok(Json(Source::new(source)))
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

/// The tag of a source's bytes: their digest.
fn entity_tag(digest: impl std::fmt::Display) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{digest}\"")).expect("a digest is plain text")
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
