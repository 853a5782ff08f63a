//! Receiving a program: hashed while it arrives, cut off at its limit.
//!
//! The first bytes decide what it is and which limit holds, whatever the content
//! type promises; a promise that does not hold is refused.

use axum::body::Body;
use axum::extract::State;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tenterhook_dispatch::{NewSource, SCRIPT_MAX_BYTES};
use tenterhook_engine::{Digest, Kind};

use crate::app::App;
use crate::auth::Caller;
use crate::body::{self, Pieces};
use crate::extract::Query;
use crate::native::sources::{ANY, SCRIPT, Source, WASM};
use crate::native::{Created, created};
use crate::refusal::Refusal;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    name: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    private: bool,
}

/// Takes a program in, under the name that the query gives.
pub(super) async fn upload_source(
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
    let _place = app.upload_place(caller.account()).await?;
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
        private: named.private,
        labels: Vec::new(),
        created_by: caller.principal(),
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
    let mut pieces = Pieces::new(app.door(), headers, body, most)?;
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
