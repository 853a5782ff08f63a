//! Problems: why a call was not carried out (RFC 9457).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A problem document. Any other response is read as an empty one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Problem {
    /// `/problems/` and the name of the type, or `about:blank`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The type in words.
    pub title: String,
    /// The status of the response.
    pub status: u16,
    /// What is wrong with this call, and what to do about it.
    pub detail: String,
    /// The request, by its id; absent in one that was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The members of its type.
    #[serde(flatten)]
    pub extensions: Map<String, Value>,
}

impl Problem {
    /// Adds a member of its type.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.extensions.insert(name.to_owned(), value);
        self
    }

    /// Returns the role that the call needs, if the token's is not enough.
    #[must_use]
    pub fn needs(&self) -> Option<&str> {
        self.extensions.get("needs")?.as_str()
    }
}
