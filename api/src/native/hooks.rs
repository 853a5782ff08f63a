//! Hooks: sources bound to events, with targets, limits and policies. Those that the
//! operator manages are for admins to create and change.

mod bounds;
mod reference;
mod shape;
mod values;

use axum::extract::State;
use http::{Method, StatusCode};
use serde::Deserialize;
use tenterhook_dispatch::{AppId, HookId, Key, Role};
use tenterhook_wire::{ChangedHook, Hook, IdOrNumber, List, NewHook};

use self::reference::read_key;
use self::shape::{read, read_change, refers_to_missing, show};
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::native::created::{Created, created};
use crate::native::page::PageQuery;
use crate::refusal::Refusal;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Access::Role(Role::Viewer);
    let write = Access::Role(Role::Member);
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/hooks",
            write,
            "create_hook",
            create_hook,
        )
        .summary("Binds a source to an event")
        .reads::<NewHook>()
        .answers::<Hook>(201),
        Endpoint::new(Method::GET, "/api/v1/hooks", read, "list_hooks", list_hooks)
            .summary("Lists the hooks by number")
            .query("event", "only hooks on this event")
            .query("limit", "items in a page, 1 to 1000; 100 by default")
            .query("after", "the `next` of the previous page")
            .answers_items::<Hook>(),
        Endpoint::new(
            Method::GET,
            "/api/v1/hooks/{id}",
            read,
            "get_hook",
            get_hook,
        )
        .summary("Shows a hook")
        .answers::<Hook>(200),
        Endpoint::new(
            Method::PATCH,
            "/api/v1/hooks/{id}",
            write,
            "change_hook",
            change_hook,
        )
        .summary("Changes the given members")
        .reads::<ChangedHook>()
        .answers::<Hook>(200),
        Endpoint::new(
            Method::DELETE,
            "/api/v1/hooks/{id}",
            write,
            "delete_hook",
            delete_hook,
        )
        .summary("Removes a hook; its executions stay")
        .answers_empty(204),
    ]
}

async fn create_hook(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewHook>,
) -> Result<Created<Hook>, Refusal> {
    if new.managed {
        admin(&caller)?;
    }
    let of = match new.app.clone() {
        Some(named) => Some(app_id(&app, &caller, named).await?),
        None => None,
    };
    let new = read(new, of, caller.principal())?;
    let hook = app
        .dispatcher()
        .hooks()
        .create(caller.account(), new)
        .await
        .map_err(refers_to_missing)?;
    let id = hook.id.to_string();
    Ok(created("/api/v1/hooks", &id, show(hook, caller.0.role)))
}

/// What the operator manages is for admins to create and change.
fn admin(caller: &Caller) -> Result<(), Refusal> {
    if caller.0.role < Role::Admin {
        return Err(Refusal::Forbidden { needs: "admin" });
    }
    Ok(())
}

async fn app_id(app: &App, caller: &Caller, named: IdOrNumber) -> Result<AppId, Refusal> {
    let key = read_key("/app", named)?;
    let found = app.dispatcher().apps().get(caller.account(), key).await;
    Ok(found.map_err(refers_to_missing)?.id)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HookQuery {
    event: Option<String>,
    limit: Option<u32>,
    after: Option<String>,
}

async fn list_hooks(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<HookQuery>,
) -> Result<Json<List<Hook>>, Refusal> {
    let page = PageQuery::new(query.limit, query.after);
    let mut hooks = app.dispatcher().hooks().list(caller.account()).await?;
    if let Some(event) = query.event {
        hooks.retain(|hook| hook.event.as_str() == event);
    }
    let List { items, next } = page.cut(hooks, |hook| hook.number.get())?;
    let items = items.into_iter().map(|hook| show(hook, caller.0.role));
    Ok(Json(List {
        items: items.collect(),
        next,
    }))
}

async fn get_hook(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<HookId>>,
) -> Result<Json<Hook>, Refusal> {
    let hook = app.dispatcher().hooks().get(caller.account(), key).await?;
    Ok(Json(show(hook, caller.0.role)))
}

async fn change_hook(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<HookId>>,
    Json(change): Json<ChangedHook>,
) -> Result<Json<Hook>, Refusal> {
    // First the hook in the path: an unknown one is 404, whatever the body says.
    let current = app.dispatcher().hooks().get(caller.account(), key).await?;
    if current.managed {
        admin(&caller)?;
    }
    let of = match change.app.clone() {
        Some(Some(named)) => Some(Some(app_id(&app, &caller, named).await?)),
        Some(None) => Some(None),
        None => None,
    };
    let change = read_change(change, &current.targets, of, &caller)?;
    let hook = app
        .dispatcher()
        .hooks()
        .change(caller.account(), key, change)
        .await
        .map_err(refers_to_missing)?;
    Ok(Json(show(hook, caller.0.role)))
}

async fn delete_hook(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<HookId>>,
) -> Result<StatusCode, Refusal> {
    let current = app.dispatcher().hooks().get(caller.account(), key).await?;
    if current.managed {
        admin(&caller)?;
    }
    app.dispatcher()
        .hooks()
        .delete(caller.account(), key)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
