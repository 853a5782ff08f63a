//! What a source looks like in the replies of this face.

use http::HeaderValue;
use serde::Serialize;
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::Label;
use tenterhook_engine::Kind;
use utoipa::ToSchema;

use crate::time_text::time_text;

pub(super) const WASM: &str = "application/wasm";
pub(super) const SCRIPT: &str = "text/x-shellscript";
pub(super) const ANY: &str = "application/octet-stream";

/// A named program.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Source {
    pub(super) id: String,
    pub(super) number: i32,
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
    /// Whether its bytes are withheld from every role, on every interface.
    private: bool,
    /// Whether it is built-in and cannot be changed.
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
    pub(in crate::native) fn new(own: dispatch::Source) -> Self {
        Self {
            id: own.id.to_string(),
            number: own.number.get(),
            name: own.name,
            kind: own.kind,
            digest: own.digest.to_string(),
            size_bytes: own.size_bytes,
            revision: own.revision,
            description: own.description,
            private: own.visibility == dispatch::Visibility::Private,
            preloaded: own.preloaded,
            labels: own.labels,
            created_by: own.created_by.to_string(),
            modified_by: own.modified_by.map(|id| id.to_string()),
            created_at: time_text(own.created_at),
            modified_at: time_text(own.modified_at),
        }
    }
}

/// What changes whenever a source does, its name and description included: the digest of
/// its bytes, and when it was changed.
pub(super) fn version(source: &dispatch::Source) -> String {
    let micros = source.modified_at.unix_timestamp_nanos() / 1_000;
    format!("{}.{micros:x}", source.digest)
}

/// A tag as a header's value, in quotes. That of a source's bytes is their digest.
pub(super) fn entity_tag(digest: impl std::fmt::Display) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{digest}\"")).expect("a digest is plain text")
}
