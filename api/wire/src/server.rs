//! The inventory of servers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::present::present;

/// One entry of the inventory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Server {
    /// The number by which hooks refer to it.
    pub id: i32,
    /// The same, under the name that other items have for it.
    pub number: i32,
    /// Its identifier, a UUID.
    pub uuid: String,
    /// Unique within the account.
    pub name: String,
    /// The name of the host that an instance is on.
    pub host: Option<String>,
    /// The project that it belongs to.
    pub project: Option<String>,
    /// The group that it belongs to.
    pub group: Option<String>,
    /// Free-form labels.
    pub labels: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: String,
    /// When it was last changed.
    pub modified_at: String,
}

/// A server to create.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewServer {
    /// Unique within the account.
    pub name: String,
    /// A UUID; chosen by the server unless it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// The name of the host that an instance is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The project that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The group that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Free-form labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
}

/// What to change of a server. What is left out stays; null removes `host`, `project` and
/// `group`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedServer {
    /// Its new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name of the host that an instance is on.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub host: Option<Option<String>>,
    /// The project that it belongs to.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub project: Option<Option<String>>,
    /// The group that it belongs to.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub group: Option<Option<String>>,
    /// Replaces all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
}
