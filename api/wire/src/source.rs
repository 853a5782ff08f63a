//! Sources: named programs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::container::Label;

/// A named program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Source {
    /// Its identifier, a UUID.
    pub id: String,
    /// Its number, unique within the account.
    pub number: i32,
    /// Unique within the account.
    pub name: String,
    /// What kind of program it is.
    pub kind: Kind,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The size of the program.
    pub size_bytes: u64,
    /// Increases whenever the bytes change.
    pub revision: u32,
    /// What it is for; empty if not given.
    pub description: String,
    /// Whether its bytes are withheld from every role, on every interface.
    pub private: bool,
    /// Whether it is built-in and cannot be changed.
    pub preloaded: bool,
    /// Free-form labels.
    pub labels: Vec<Label>,
    /// The id of the principal who uploaded it.
    pub created_by: String,
    /// The id of the principal who changed it last.
    pub modified_by: Option<String>,
    /// When it was created.
    pub created_at: String,
    /// When it was last changed.
    pub modified_at: String,
}

/// The kind of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A script for `sh`, `dash` or `bash`.
    Script,
    /// A core WebAssembly module.
    Module,
    /// A WebAssembly component.
    Component,
}

impl Kind {
    /// Returns its name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::Module => "module",
            Self::Component => "component",
        }
    }
}

/// A source in the response to its upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UploadedSource {
    /// The source.
    #[serde(flatten)]
    pub source: Source,
    /// What is wrong with a script: where it cannot be parsed, and which of its commands
    /// do not exist. Left out if there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// One thing that is wrong with a script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// The line, from 1.
    pub line: u32,
    /// The character in that line, from 1.
    pub column: u32,
    /// What is wrong; for a script that cannot be parsed it begins with `syntax error`.
    pub message: String,
}
