//! Sources: named scripts, modules and components, uploaded as raw bytes.
//!
//! The body is hashed while it arrives and cut off at its limit. What the bytes
//! are is told by the bytes, whatever the content type says.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{Key, NewSource, Role, SCRIPT_MAX_BYTES, SourceId};
use tenterhook_engine::{Digest, Kind};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::body::{self, Pieces};
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::native::page::{List, Wanted};
use crate::native::{Created, created, time_text};
use crate::refusal::Refusal;

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
            upload_source,
        )
        .summary("Uploads a shell script, a WASI module or a component")
        .query("name", "the new source's name; required")
        .query("description", "what it is for")
        .reads_raw(&[WASM, SCRIPT, ANY])
        .answers::<Source>(201),
        Endpoint::new(
            Method::GET,
            "/api/v1/sources",
            read,
            "list_sources",
            list_sources,
        )
        .summary("Lists the sources by number")
        .query("limit", "items in a page, 1 to 1000; 100 by default")
        .query("after", "the `next` of the page before")
        .answers::<List<Source>>(200),
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
        .summary("Answers with the very bytes that were uploaded")
        .answers_raw(200, &[WASM, SCRIPT]),
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
    created_at: String,
    modified_at: String,
}

impl Source {
    fn new(own: dispatch::Source) -> Self {
        Self {
            id: own.id.to_string(),
            number: own.number.get(),
            name: own.name,
            kind: own.kind,
            digest: own.digest.to_string(),
            size_bytes: own.size_bytes,
            revision: own.revision,
            description: own.description,
            created_at: time_text(own.created_at),
            modified_at: time_text(own.modified_at),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: Option<String>,
    #[serde(default)]
    description: String,
}

async fn upload_source(
    State(app): State<App>,
    caller: Caller,
    Query(named): Query<Named>,
    headers: HeaderMap,
    body: Body,
) -> Result<Created<Source>, Refusal> {
    let name = named
        .name
        .ok_or_else(|| Refusal::invalid("?name", "is required; add `?name=NAME` to the path"))?;
    let expected = expected_kind(&headers)?;
    let _place = app.upload_place().await?;
    let (digest, bytes) = receive(&app, &headers, body).await?;
    if expected == Some(Kind::Script) && Kind::detect(&bytes) != Kind::Script {
        return Err(Refusal::UnsupportedMedia(
            "these bytes are WebAssembly; send them as `application/wasm`".to_owned(),
        ));
    }
    if expected == Some(Kind::Module) && Kind::detect(&bytes) == Kind::Script {
        return Err(Refusal::InvalidProgram {
            digest: Some(digest.to_string()),
            reason: "the bytes are not WebAssembly: they do not begin with `\\0asm`; \
                     send a script as `text/x-shellscript`"
                .to_owned(),
        });
    }
    let new = NewSource {
        name,
        bytes,
        kind: None,
        description: named.description,
    };
    let (source, _) = app
        .dispatcher()
        .create_source(caller.account(), new, Vec::new())
        .await
        .map_err(|error| with_digest(error.into(), digest))?;
    let source = Source::new(source);
    Ok(created("/api/v1/sources", &source.id.clone(), source))
}

/// What the content type promises: `Module` stands for any WebAssembly.
fn expected_kind(headers: &HeaderMap) -> Result<Option<Kind>, Refusal> {
    match body::media_type(headers).as_deref() {
        Some(WASM) => Ok(Some(Kind::Module)),
        Some(SCRIPT) => Ok(Some(Kind::Script)),
        Some(ANY) => Ok(None),
        _ => Err(Refusal::UnsupportedMedia(format!(
            "a program is sent as `{WASM}`, `{SCRIPT}` or `{ANY}`"
        ))),
    }
}

/// Reads the program piece by piece. Its first bytes decide which limit holds.
async fn receive(app: &App, headers: &HeaderMap, body: Body) -> Result<(Digest, Bytes), Refusal> {
    let most = app
        .dispatcher()
        .settings()
        .module_bytes
        .max(SCRIPT_MAX_BYTES);
    let mut pieces = Pieces::new(headers, body, most)?;
    let mut hash = Sha256::new();
    let mut bytes = BytesMut::new();
    while let Some(piece) = pieces.next().await? {
        hash.update(&piece);
        bytes.extend_from_slice(&piece);
        let is_script = bytes.len() >= 4 && Kind::detect(&bytes) == Kind::Script;
        if is_script && bytes.len() as u64 > SCRIPT_MAX_BYTES {
            return Err(Refusal::TooLarge {
                limit_bytes: SCRIPT_MAX_BYTES,
            });
        }
    }
    Ok((Digest::from_bytes(hash.finalize().into()), bytes.freeze()))
}

fn with_digest(refusal: Refusal, digest: Digest) -> Refusal {
    match refusal {
        Refusal::InvalidProgram { reason, .. } => Refusal::InvalidProgram {
            digest: Some(digest.to_string()),
            reason,
        },
        refusal => refusal,
    }
}

async fn list_sources(
    State(app): State<App>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<List<Source>>, Refusal> {
    let sources = app.dispatcher().sources(caller.account()).await?;
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
    let source = app.dispatcher().source(caller.account(), key).await?;
    Ok(Json(Source::new(source)))
}

async fn get_source_bytes(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<SourceId>>,
) -> Result<Response, Refusal> {
    let (source, bytes) = app.dispatcher().source_bytes(caller.account(), key).await?;
    let media = match source.kind {
        Kind::Script => SCRIPT,
        Kind::Module | Kind::Component => WASM,
    };
    let etag =
        HeaderValue::from_str(&format!("\"{}\"", source.digest)).expect("a digest is plain text");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media)),
        (header::ETAG, etag),
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
        .delete_source(caller.account(), key)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
