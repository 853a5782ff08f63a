//! Apps: the applications whose containers Astra's execution hooks run for.
//!
//! Nothing is looked up on a cluster: the operator of the platform keeps the list here.

use axum::extract::State;
use http::{Method, StatusCode};
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{AppId, Key, Role};
use tenterhook_wire::{App, ChangedApp, Container, List, NewApp};

use crate::app;
use crate::auth::{Access, Caller};
use crate::containers;
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::native::created::{Created, created};
use crate::native::page::PageQuery;
use crate::refusal::Refusal;
use crate::time_text::time_text;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Access::Role(Role::Viewer);
    let write = Access::Role(Role::Admin);
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/apps",
            write,
            "create_app",
            create_app,
        )
        .summary("Adds an application with its containers")
        .reads::<NewApp>()
        .answers::<App>(201),
        Endpoint::new(Method::GET, "/api/v1/apps", read, "list_apps", list_apps)
            .summary("Lists the applications by number")
            .query("limit", "items in a page, 1 to 1000; 100 by default")
            .query("after", "the `next` of the previous page")
            .answers_items::<App>(),
        Endpoint::new(Method::GET, "/api/v1/apps/{id}", read, "get_app", get_app)
            .summary("Shows an application")
            .answers::<App>(200),
        Endpoint::new(
            Method::PATCH,
            "/api/v1/apps/{id}",
            write,
            "change_app",
            change_app,
        )
        .summary("Changes the given members; `containers` replaces all")
        .reads::<ChangedApp>()
        .answers::<App>(200),
        Endpoint::new(
            Method::DELETE,
            "/api/v1/apps/{id}",
            write,
            "delete_app",
            delete_app,
        )
        .summary("Removes an application that no hook is bound to")
        .answers_empty(204),
    ]
}

/// Shows an application.
fn show(own: dispatch::App) -> App {
    App {
        id: own.id.to_string(),
        number: own.number.get(),
        name: own.name,
        replicated: own.replicated,
        containers: own.containers.into_iter().map(containers::show).collect(),
        created_at: time_text(own.created_at),
        modified_at: time_text(own.modified_at),
    }
}

fn read_containers(given: Vec<Container>) -> Vec<dispatch::Container> {
    given.into_iter().map(containers::read).collect()
}

async fn create_app(
    State(app): State<app::App>,
    caller: Caller,
    Json(body): Json<NewApp>,
) -> Result<Created<App>, Refusal> {
    let read = |text: String| {
        text.parse::<AppId>()
            .map_err(|_| Refusal::invalid("/id", "must be a UUID; leave it out to be given one"))
    };
    let new = dispatch::NewApp {
        id: body.id.map(read).transpose()?,
        name: body.name,
        replicated: body.replicated,
        containers: read_containers(body.containers),
    };
    let own = app
        .dispatcher()
        .apps()
        .create(caller.account(), new)
        .await
        .map_err(containers::refusal)?;
    let own = show(own);
    Ok(created("/api/v1/apps", &own.id.clone(), own))
}

async fn list_apps(
    State(app): State<app::App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<List<App>>, Refusal> {
    let apps = app.dispatcher().apps().list(caller.account()).await?;
    let List { items, next } = page.cut(apps, |app| app.number.get())?;
    let items = items.into_iter().map(show).collect();
    Ok(Json(List { items, next }))
}

async fn get_app(
    State(app): State<app::App>,
    caller: Caller,
    Path(key): Path<Key<AppId>>,
) -> Result<Json<App>, Refusal> {
    let own = app.dispatcher().apps().get(caller.account(), key).await?;
    Ok(Json(show(own)))
}

async fn change_app(
    State(app): State<app::App>,
    caller: Caller,
    Path(key): Path<Key<AppId>>,
    Json(body): Json<ChangedApp>,
) -> Result<Json<App>, Refusal> {
    let change = dispatch::AppChange {
        name: body.name,
        replicated: body.replicated,
        containers: body.containers.map(read_containers),
    };
    let own = app
        .dispatcher()
        .apps()
        .change(caller.account(), key, change)
        .await
        .map_err(containers::refusal)?;
    Ok(Json(show(own)))
}

async fn delete_app(
    State(app): State<app::App>,
    caller: Caller,
    Path(key): Path<Key<AppId>>,
) -> Result<StatusCode, Refusal> {
    app.dispatcher()
        .apps()
        .delete(caller.account(), key)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
