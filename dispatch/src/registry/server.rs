//! What a hook runs for: an entry of the tenant's inventory.
//!
//! Nothing is sent to a server; hooks run in the sandbox and get its name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::id::{Number, ServerId};

/// One entry of an account's inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Server {
    /// Its identifier; a caller may choose it.
    pub id: ServerId,
    /// By which croit's `serverIds` and `servers` refer to it.
    pub number: Number,
    /// Unique within the account.
    pub name: String,
    /// The name of the host that it lives on, if it is known; a host itself has none.
    pub host: Option<String>,
    /// The project that an instance belongs to.
    pub project: Option<String>,
    /// The id of the group that an instance belongs to.
    pub group: Option<String>,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
    /// When it was entered.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub modified_at: OffsetDateTime,
}

/// A server to enter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct NewServer {
    /// See [`Server::name`]; 1 to 255 bytes without control characters.
    pub name: String,
    /// See [`Server::id`]. Default: a new one.
    #[serde(default, rename = "uuid")]
    pub id: Option<ServerId>,
    /// See [`Server::host`]; 1 to 255 bytes without control characters.
    #[serde(default)]
    pub host: Option<String>,
    /// See [`Server::project`]; 1 to 255 bytes without control characters.
    #[serde(default)]
    pub project: Option<String>,
    /// See [`Server::group`]; 1 to 255 bytes without control characters.
    #[serde(default)]
    pub group: Option<String>,
    /// See [`Server::labels`]; at most 64, keys and values up to 255 bytes.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// What to change of a server; `None` keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerChange {
    /// See [`NewServer::name`].
    pub name: Option<String>,
    /// See [`NewServer::host`]; `Some(None)` forgets it.
    pub host: Option<Option<String>>,
    /// See [`NewServer::project`]; `Some(None)` forgets it.
    pub project: Option<Option<String>>,
    /// See [`NewServer::group`]; `Some(None)` forgets it.
    pub group: Option<Option<String>>,
    /// See [`NewServer::labels`]; replaces all.
    pub labels: Option<BTreeMap<String, String>>,
}
