//! What is wrong with a script that was accepted.

use serde::Serialize;
use tenterhook_engine::Diagnostic;
use utoipa::ToSchema;

use crate::native::sources::shape::Source;
use crate::uploads::stored::Stored;

/// A source in the reply to its upload.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UploadedSource {
    #[serde(flatten)]
    source: Source,
    /// What is wrong with a script: where it cannot be parsed, and which of its commands
    /// do not exist. Left out if there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Warning>,
}

/// One thing that is wrong with a script.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Warning {
    /// The line, from 1.
    line: u32,
    /// The character in that line, from 1.
    column: u32,
    /// What is wrong; for a script that cannot be parsed it begins with `syntax error`.
    message: String,
}

impl UploadedSource {
    pub(super) fn new(stored: Stored) -> Self {
        Self {
            source: Source::new(stored.source),
            warnings: Warning::of(stored.diagnostics),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.source.id
    }
}

impl Warning {
    pub(in crate::native) fn of(diagnostics: Vec<Diagnostic>) -> Vec<Self> {
        let warning = |own: Diagnostic| Self {
            line: own.line,
            column: own.column,
            message: own.message,
        };
        diagnostics.into_iter().map(warning).collect()
    }
}
