//! How one item refers to another.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Both names of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reference {
    /// Its identifier, a UUID.
    pub id: String,
    /// Its number, unique within the account.
    pub number: i32,
}

/// The id of an item, or its number as a number or as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "must be an id or a number")]
pub enum IdOrNumber {
    /// Its number.
    Number(i32),
    /// Its id, or its number in digits.
    Text(String),
}
