//! What is due for an event: the account's hooks for it, and the application that
//! it is about.

use std::sync::Arc;

use tenterhook_sdk::Event;

use super::room::Room;
use crate::dispatcher::spawn_blocking;
use crate::error::Error;
use crate::registry::app::App;
use crate::registry::directory::{Directory, Entry};
use crate::registry::hook_point::HookPointName;
use crate::runs::environment::name_app;
use crate::runs::plan::{self, TooMany};
use crate::runs::work::NewExecution;

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
    spawn_blocking(move || {
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
        Some(subject) if name.is_astra() && directory.account().app_hooks.is_on() => {
            directory.subject(subject).cloned().map(Some)
        }
        _ => Ok(None),
    }
}

/// The executions that an event causes, if there is room for them. One of Astra's learns which
/// application it is about.
pub(super) fn due_executions(
    directory: &Directory,
    name: &HookPointName,
    event: &mut Event,
    room: &Room,
) -> Result<Vec<NewExecution>, Error> {
    let named = plan::named(directory.servers(), event.server())?;
    let app = if name.is_astra() {
        let app = about(directory, name, event)?;
        name_app(event, app.as_deref());
        if !directory.account().app_hooks.is_on() {
            return Ok(Vec::new());
        }
        app
    } else {
        None
    };
    let mut due = plan::plan(
        name,
        &directory.waiting_for(name),
        directory.servers(),
        named.as_ref(),
        room.most(),
        &mut rand::rng(),
    )
    .map_err(|many| room.refuse(many))?;
    if let Some(app) = app {
        let lanes = due.last().map_or(0, |last| last.lane + 1);
        let hooks = directory.waiting_in(name, app.id);
        let planned = plan::plan_containers(&hooks, &app, lanes, room.most() - due.len());
        due.extend(planned.map_err(|many| room.refuse(many))?);
    }
    let lanes = due.last().map_or(0, |last| last.lane + 1);
    due.extend(directory.due_by_damaged(name, lanes));
    if due.len() > room.most() {
        return Err(room.refuse(TooMany));
    }
    Ok(due)
}
