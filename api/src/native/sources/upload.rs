//! Receiving a program: hashed while it arrives, cut off at its limit.
//!
//! The first bytes decide what it is and which limit holds, whatever the content
//! type promises; a promise that does not hold is refused.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{Key, NewSource, SCRIPT_MAX_BYTES, SourceChange, SourceId, Visibility};
use tenterhook_engine::{Digest, Kind};

use crate::app::App;
use crate::auth::Caller;
use crate::body::{self, Pieces};
use crate::charge::Charge;
use crate::entity_tag::Tags;
use crate::extract::{Json, Path, Query};
use crate::native::created::created;
use crate::native::sources::shape::{ANY, SCRIPT, WASM, entity_tag, uploaded, version};
use crate::native::uploads;
use crate::refusal::Refusal;
use crate::uploads::pending::Progress;
use crate::uploads::stored::Stored;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    name: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    private: bool,
    wait: Option<f64>,
}

/// Receives a program, under the name in the query.
pub(super) async fn upload_source(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    Query(named): Query<Named>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let name = named
        .name
        .ok_or_else(|| Refusal::invalid("?name", "is required; add `?name=NAME` to the path"))?;
    let wait = uploads::read_wait(&app, named.wait)?;
    let promised = promised_kind(&headers)?;
    let account = caller.account();
    let slot = app.upload_slot(account).await?;
    let (digest, bytes) = receive(&app, &headers, body, promised).await?;
    let subject = (digest, bytes.len() as u64);
    let new = NewSource {
        name,
        bytes: bytes.clone(),
        kind: None,
        description: named.description,
        visibility: match named.private {
            true => Visibility::Private,
            false => Visibility::Readable,
        },
        labels: Vec::new(),
        created_by: caller.principal(),
    };
    let dispatcher = app.dispatcher().clone();
    let work = async move {
        // The program is charged to the account until it is compiled, whether or not a
        // client waits.
        let _held = (slot, charge);
        let made = dispatcher.sources().create(account, new, Vec::new()).await;
        let (source, _) = made.map_err(|error| with_digest(error.into(), digest))?;
        Ok(Stored::check(&dispatcher, account, source, bytes).await)
    };
    let begun = app.pending_uploads().begin(account, subject, wait, work);
    Ok(match begun.await? {
        Progress::Done(stored) => {
            let uploaded = uploaded(*stored);
            let id = uploaded.source.id.clone();
            created("/api/v1/sources", &id, uploaded).into_response()
        }
        Progress::Compiling(upload) => uploads::accepted(&upload),
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Described {
    description: Option<String>,
    wait: Option<f64>,
}

/// Receives a program that replaces the bytes of a source.
pub(super) async fn replace_source(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    Path(key): Path<Key<SourceId>>,
    Query(described): Query<Described>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    // First the source in the path: an unknown one is 404, whatever the body says.
    let account = caller.account();
    let source = app.dispatcher().sources().get(account, key).await?;
    let wait = uploads::read_wait(&app, described.wait)?;
    let promised = promised_kind(&headers)?;
    let slot = app.upload_slot(account).await?;
    let (digest, bytes) = receive(&app, &headers, body, promised).await?;
    let subject = (digest, bytes.len() as u64);
    let change = SourceChange {
        bytes: Some(bytes.clone()),
        description: described.description,
        modified_by: Some(caller.principal()),
        modified_as: caller.0.role,
        expected: expected_digests(&headers, &source),
        ..SourceChange::default()
    };
    let dispatcher = app.dispatcher().clone();
    let work = async move {
        let _held = (slot, charge);
        let key = Key::Id(source.id);
        let changed = dispatcher
            .sources()
            .change(account, key, change, None)
            .await;
        let source = changed.map_err(|error| with_digest(error.into(), digest))?;
        Ok(Stored::check(&dispatcher, account, source, bytes).await)
    };
    let begun = app.pending_uploads().begin(account, subject, wait, work);
    Ok(match begun.await? {
        Progress::Done(stored) => {
            let tag = [(header::ETAG, entity_tag(stored.source.digest))];
            (tag, Json(uploaded(*stored))).into_response()
        }
        Progress::Compiling(upload) => uploads::accepted(&upload),
    })
}

/// The digests of which `If-Match` wants one; `None` if any will do. A tag of the source
/// stands for its digest while it is still the source's; what is neither matches nothing.
fn expected_digests(headers: &HeaderMap, source: &dispatch::Source) -> Option<Vec<Digest>> {
    let tags = Tags::of(headers, &header::IF_MATCH).filter(|tags| !tags.is_any())?;
    let version = version(source);
    let digest = |tag: &str| match tag == version {
        true => Some(source.digest),
        false => tag.parse().ok(),
    };
    Some(tags.strong().filter_map(digest).collect())
}

/// What the content type promises: `Module` stands for any WebAssembly.
pub(in crate::native) fn promised_kind(headers: &HeaderMap) -> Result<Option<Kind>, Refusal> {
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
pub(in crate::native) async fn receive(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    promised: Option<Kind>,
) -> Result<(Digest, Bytes), Refusal> {
    let most = app
        .dispatcher()
        .settings()
        .module_bytes
        .max(SCRIPT_MAX_BYTES);
    let mut pieces = Pieces::new(app.door(), headers, body, most)?;
    let mut hash = Sha256::new();
    let mut bytes = BytesMut::new();
    while let Some(piece) = pieces.next().await? {
        hash.update(&piece);
        bytes.extend_from_slice(&piece);
        let is_script = bytes.len() >= 4 && Kind::detect(&bytes) == Kind::Script;
        if is_script && bytes.len() as u64 > SCRIPT_MAX_BYTES {
            if promised == Some(Kind::Module) {
                return Err(not_webassembly(None));
            }
            return Err(Refusal::TooLarge {
                limit_bytes: SCRIPT_MAX_BYTES,
                size_bytes: body::announced_bytes(headers),
            });
        }
    }
    let digest = Digest::from_bytes(hash.finalize().into());
    check_promise(promised, digest, &bytes)?;
    Ok((digest, bytes.freeze()))
}

/// Refuses bytes that are not what their content type has promised.
fn check_promise(promised: Option<Kind>, digest: Digest, bytes: &[u8]) -> Result<(), Refusal> {
    let kind = Kind::detect(bytes);
    if promised == Some(Kind::Script) && kind != Kind::Script {
        return Err(Refusal::UnsupportedMedia(
            "these bytes are WebAssembly; send them as `application/wasm`".to_owned(),
        ));
    }
    if promised == Some(Kind::Module) && kind == Kind::Script {
        return Err(not_webassembly(Some(digest.to_string())));
    }
    Ok(())
}

fn not_webassembly(digest: Option<String>) -> Refusal {
    Refusal::InvalidProgram {
        digest,
        reason: "the bytes are not WebAssembly: they do not begin with `\\0asm`; \
                 send a script as `text/x-shellscript`"
            .to_owned(),
    }
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
