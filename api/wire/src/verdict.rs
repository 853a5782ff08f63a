//! Verdicts: what hooks leave in `/verdict.json`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A hook's verdict, an object as the hook wrote it: its details may have numbers that no
/// value holds exactly.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct Verdict(pub Box<RawValue>);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Decision {
    allow: Option<bool>,
    reason: Option<String>,
}

impl Verdict {
    /// Returns whether the announced operation may proceed, if the hook decided.
    #[must_use]
    pub fn allow(&self) -> Option<bool> {
        self.decision().allow
    }

    /// Returns the hook's reason.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        self.decision().reason
    }

    /// The server sends no verdict whose members have other types.
    fn decision(&self) -> Decision {
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }
}
