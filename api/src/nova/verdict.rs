//! The verdict on each event of a request, before any is submitted.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::{Map, Value, json};
use tenterhook_dispatch::{AccountId, Error, Key, Server, ServerId};
use tenterhook_sdk::Event;
use uuid::Uuid;

use super::event_name::Tag;
use super::schema::Asked;
use crate::app::App;
use crate::refusal::Refusal;

/// Where the events come from.
const SOURCE: &str = "/nova";

/// The verdict on an event.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is accepted for this server.
    Accepted(Server),
    /// The server does not exist.
    NoServer,
    /// An event of this name has to have a tag.
    NoTag,
    /// The server is on no host to which the event could go.
    NoHost,
}

impl Verdict {
    /// The code of the event in the reply.
    pub(super) fn code(&self) -> u16 {
        match self {
            Self::Accepted(_) => 200,
            Self::NoTag => 400,
            Self::NoServer => 404,
            Self::NoHost => 422,
        }
    }

    /// The status of the event in the reply.
    pub(super) fn status(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "completed",
            Self::NoTag | Self::NoServer | Self::NoHost => "failed",
        }
    }
}

/// The servers of an account that a request asks for, each of them read once.
pub(super) struct Servers<'a> {
    app: &'a App,
    account: AccountId,
    read: HashMap<Uuid, Option<Server>>,
}

impl<'a> Servers<'a> {
    pub(super) fn new(app: &'a App, account: AccountId) -> Self {
        let read = HashMap::new();
        Self { app, account, read }
    }

    /// Decides on an event, in Nova's order of checks.
    pub(super) async fn judge(&mut self, asked: &Asked) -> Result<Verdict, Refusal> {
        let Some(server) = self.server(asked.server).await? else {
            return Ok(Verdict::NoServer);
        };
        if asked.name.tag == Tag::Required && asked.tag.is_none() {
            return Ok(Verdict::NoTag);
        }
        if server.host.is_none() {
            return Ok(Verdict::NoHost);
        }
        Ok(Verdict::Accepted(server))
    }

    async fn server(&mut self, id: Uuid) -> Result<Option<Server>, Refusal> {
        let place = match self.read.entry(id) {
            Entry::Occupied(known) => return Ok(known.get().clone()),
            Entry::Vacant(place) => place,
        };
        let key = Key::Id(ServerId::from_uuid(id));
        let server = match self.app.dispatcher().servers().get(self.account, key).await {
            Ok(server) => Some(server),
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(place.insert(server).clone())
    }
}

/// The event that hooks get. Each is a new event, however often it is sent.
pub(super) fn event_for(asked: &Asked, server: &Server, request: &str) -> Event {
    let data = json!({
        "name": asked.name.name,
        "server_uuid": server.id,
        "status": asked.status(),
        "tag": asked.tag,
        "host": server.host,
        "request_id": request,
    });
    let id = tenterhook_dispatch::new_id().to_string();
    Event {
        subject: Some(server.id.to_string()),
        extensions: Map::from_iter([("serverid".to_owned(), Value::from(server.number.get()))]),
        ..Event::new(id, SOURCE, asked.name.name, Some(data))
    }
}
