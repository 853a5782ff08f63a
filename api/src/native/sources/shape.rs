//! Sources as this API shows them, with what is wrong with their scripts.

use http::HeaderValue;
use tenterhook_dispatch as dispatch;
use tenterhook_engine::Diagnostic;
use tenterhook_wire::{Source, UploadedSource, Warning};

use crate::containers::show_labels;
use crate::native::words;
use crate::time_text::time_text;
use crate::uploads::stored::Stored;

pub(super) const WASM: &str = "application/wasm";
pub(super) const SCRIPT: &str = "text/x-shellscript";
pub(super) const ANY: &str = "application/octet-stream";

/// The media types that a program is sent as.
pub(in crate::native) const PROGRAM_MEDIA: [&str; 3] = [WASM, SCRIPT, ANY];

/// Shows a source.
pub(in crate::native) fn source(own: dispatch::Source) -> Source {
    Source {
        id: own.id.to_string(),
        number: own.number.get(),
        name: own.name,
        kind: words::kind(own.kind),
        digest: own.digest.to_string(),
        size_bytes: own.size_bytes,
        revision: own.revision,
        description: own.description,
        private: own.visibility == dispatch::Visibility::Private,
        preloaded: own.preloaded,
        labels: show_labels(own.labels),
        created_by: own.created_by.to_string(),
        modified_by: own.modified_by.map(|id| id.to_string()),
        created_at: time_text(own.created_at),
        modified_at: time_text(own.modified_at),
    }
}

/// Shows a source in the response to its upload.
pub(super) fn uploaded(stored: Stored) -> UploadedSource {
    UploadedSource {
        source: source(stored.source),
        warnings: warnings(stored.diagnostics),
    }
}

/// Shows what is wrong with a script that was accepted.
pub(in crate::native) fn warnings(diagnostics: Vec<Diagnostic>) -> Vec<Warning> {
    let warning = |own: Diagnostic| Warning {
        line: own.line,
        column: own.column,
        message: own.message,
    };
    diagnostics.into_iter().map(warning).collect()
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
