//! The inventory of servers, the same on the croit and the native API.
//!
//! `serverIds` of hooks and `servers` of `execute` refer to the `id` here.
//! Nothing is sent to a server.

use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{ServerChange, ServerId};
use tenterhook_wire::{ChangedServer, NewServer, Server};

use crate::refusal::Refusal;
use crate::time_text::time_text;

/// Shows a server.
pub(crate) fn show(own: dispatch::Server) -> Server {
    Server {
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

/// Reads a server to add.
pub(crate) fn read(given: NewServer) -> Result<dispatch::NewServer, Refusal> {
    let read = |text: String| {
        text.parse::<ServerId>()
            .map_err(|_| Refusal::invalid("/uuid", "must be a UUID; leave it out to be given one"))
    };
    Ok(dispatch::NewServer {
        name: given.name,
        id: given.uuid.map(read).transpose()?,
        host: given.host,
        project: given.project,
        group: given.group,
        labels: given.labels.unwrap_or_default(),
    })
}

/// The refusal of a server, by the names that members have here.
pub(crate) fn refusal(error: dispatch::Error) -> Refusal {
    match error {
        dispatch::Error::Invalid { field, reason } if field == "id" => {
            Refusal::invalid("/uuid", reason)
        }
        error => error.into(),
    }
}

/// Reads the changes to a server.
pub(crate) fn read_change(given: ChangedServer) -> ServerChange {
    ServerChange {
        name: given.name,
        host: given.host,
        project: given.project,
        group: given.group,
        labels: given.labels,
    }
}
