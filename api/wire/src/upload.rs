//! Uploads whose programs are compiled after their requests were answered.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::source::{Source, Warning};

/// An upload whose program is compiled after its request was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Upload {
    /// Its identifier, a UUID.
    pub id: String,
    /// How far it is.
    pub state: UploadState,
    /// The SHA-256 of the program that was sent.
    pub digest: String,
    /// The size of the program that was sent.
    pub size_bytes: u64,
    /// The resulting source, once it is `ready`.
    pub source: Option<Source>,
    /// What is wrong with the source's script; left out if there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Why it was `refused`: the problem that the upload would have been answered with.
    pub problem: Option<Problem>,
    /// When it was received.
    pub created_at: String,
}

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum UploadState {
    /// Its program waits to be compiled, or is being compiled.
    Compiling,
    /// Its source has the program.
    Ready,
    /// It changed nothing.
    Refused,
}
