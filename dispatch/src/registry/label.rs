//! A free pair of name and value, as Astra's metadata and pods carry them.

use serde::{Deserialize, Serialize};

/// A free pair of name and value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}
