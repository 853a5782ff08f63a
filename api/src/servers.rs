//! The inventory of servers, the same on the croit and the native face.
//!
//! `serverIds` of hooks and `servers` of `execute` refer to the `id` here.
//! Nothing is sent to a server.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{NewServer as New, ServerChange, ServerId};
use utoipa::ToSchema;

use crate::refusal::Refusal;
use crate::time_text::time_text;

/// One entry of the inventory.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Server {
    /// The number by which hooks refer to it.
    id: i32,
    /// The same, under the name that other nouns have for it.
    number: i32,
    uuid: String,
    name: String,
    /// The name of the host that an instance lives on.
    host: Option<String>,
    project: Option<String>,
    group: Option<String>,
    labels: BTreeMap<String, String>,
    created_at: String,
    modified_at: String,
}

impl Server {
    /// Shows a server.
    pub(crate) fn new(own: dispatch::Server) -> Self {
        Self {
            id: own.number.get(),
            number: own.number.get(),
            uuid: own.id.to_string(),
            name: own.name,
            host: own.host,
            project: own.project,
            group: own.group,
            labels: own.labels,
            created_at: time_text(own.created_at),
            modified_at: time_text(own.modified_at),
        }
    }

    /// The number by which lists are sorted.
    pub(crate) fn number(&self) -> i32 {
        self.number
    }
}

/// A server to enter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewServer {
    name: String,
    /// Chosen by the server, unless it is given.
    #[serde(default)]
    uuid: Option<String>,
    #[serde(default)]
    host: Option<String>,
    #[serde(default)]
    project: Option<String>,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

impl NewServer {
    /// Reads the id.
    pub(crate) fn read(self) -> Result<New, Refusal> {
        let read = |text: String| {
            text.parse::<ServerId>().map_err(|_| {
                Refusal::invalid("/uuid", "must be a UUID; leave it out to be given one")
            })
        };
        Ok(New {
            name: self.name,
            id: self.uuid.map(read).transpose()?,
            host: self.host,
            project: self.project,
            group: self.group,
            labels: self.labels.unwrap_or_default(),
        })
    }
}

/// What to change of a server; what is left out stays; null forgets `host`, `project` and `group`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedServer {
    #[serde(default)]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    host: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    project: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    group: Option<Option<String>>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

/// Distinguishes a member that is null from one that is left out.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl From<ChangedServer> for ServerChange {
    fn from(change: ChangedServer) -> Self {
        Self {
            name: change.name,
            host: change.host,
            project: change.project,
            group: change.group,
            labels: change.labels,
        }
    }
}
