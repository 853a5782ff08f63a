//! Replays: an attempt run again from what was recorded of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::execution::Attempt;

/// What a replay shows.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Replay {
    /// Whether nothing differs.
    pub same: bool,
    /// What differs, what tells most first; each once, with the first place.
    pub differences: Vec<Difference>,
    /// What limits the comparison, in sentences.
    pub notes: Vec<String>,
    /// The SHA-256 of the program that was run now.
    pub digest: String,
    /// The attempt as it was recorded, without its output.
    pub recorded: Attempt,
    /// The same, as the replay shows it; its output is left out if it is longer than 512 KiB.
    pub replayed: Attempt,
}

/// One difference between what was recorded and what the replay shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// `outcome`, `verdict`, `stdout`, `stderr`, `files`, `fuel` or `usage`.
    pub aspect: String,
    /// In an output, the first byte that differs, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte: Option<u64>,
    /// In an output, the line of that byte, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What was recorded, there.
    pub recorded: String,
    /// What the replay shows, there.
    pub replayed: String,
}
