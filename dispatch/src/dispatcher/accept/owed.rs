//! What an event owes by now: the account's hooks for it, and the application that
//! it is about.

use std::sync::Arc;

use tenterhook_sdk::Event;

use super::super::aside;
use super::room::Room;
use crate::app::App;
use crate::directory::{Directory, Entry};
use crate::environment::name_app;
use crate::error::Error;
use crate::hook_point::HookPointName;
use crate::plan::{self, TooMany};
use crate::work::NewExecution;

/// Holds the hooks that an event may owe against the containers of its application,
/// where no other account's event has to wait for it.
pub(super) async fn match_containers(entry: &Entry, event: &Event) -> Result<(), Error> {
    let unmatched: Vec<_> = {
        let directory = entry.directory.read();
        let name = HookPointName::parse(&event.kind).ok();
        let about = name.and_then(|name| Some((about(&directory, &name, event).ok()??, name)));
        let Some((app, name)) = about else {
            return Ok(());
        };
        directory
            .waiting_in(&name, app.id)
            .into_iter()
            .filter(|bound| bound.known_places_in(&app).is_none())
            .map(|bound| (bound, Arc::clone(&app)))
            .collect()
    };
    if unmatched.is_empty() {
        return Ok(());
    }
    aside(move || {
        for (bound, app) in unmatched {
            bound.places_in(&app);
        }
    })
    .await
}

/// The application that an event of Astra's is about, if it names one.
fn about(
    directory: &Directory,
    name: &HookPointName,
    event: &Event,
) -> Result<Option<Arc<App>>, Error> {
    match &event.subject {
        Some(subject) if name.is_astra() && directory.account().hooks_enabled => {
            directory.subject(subject).cloned().map(Some)
        }
        _ => Ok(None),
    }
}

/// What an event owes, if there is room for it. One of Astra's is told which
/// application it is about.
pub(super) fn owed(
    directory: &Directory,
    name: &HookPointName,
    event: &mut Event,
    room: &Room,
) -> Result<Vec<NewExecution>, Error> {
    let named = plan::named(directory.servers(), event.server())?;
    let app = if name.is_astra() {
        let app = about(directory, name, event)?;
        name_app(event, app.as_deref());
        if !directory.account().hooks_enabled {
            return Ok(Vec::new());
        }
        app
    } else {
        None
    };
    let mut owed = plan::plan(
        name,
        directory.waiting_for(name),
        directory.servers(),
        named.as_ref(),
        room.most(),
        &mut rand::rng(),
    )
    .map_err(|many| room.refuse(many))?;
    if let Some(app) = app {
        let lanes = owed.last().map_or(0, |last| last.lane + 1);
        let hooks = directory.waiting_in(name, app.id);
        let planned = plan::plan_containers(&hooks, &app, lanes, room.most() - owed.len());
        owed.extend(planned.map_err(|many| room.refuse(many))?);
    }
    let lanes = owed.last().map_or(0, |last| last.lane + 1);
    owed.extend(directory.owed_by_damaged(name, lanes));
    if owed.len() > room.most() {
        return Err(room.refuse(TooMany));
    }
    Ok(owed)
}
