//! The inventory of servers, as the native API offers it.

use axum::extract::State;
use http::{Method, StatusCode};
use tenterhook_dispatch::{Key, Role, ServerId};
use tenterhook_wire::{ChangedServer, List, NewServer, Server};

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::native::created::{Created, created};
use crate::native::page::PageQuery;
use crate::refusal::Refusal;
use crate::servers::{read, read_change, refusal, show};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Access::Role(Role::Viewer);
    let write = Access::Role(Role::Admin);
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/servers",
            write,
            "create_server",
            create_server,
        )
        .summary("Adds a server to the inventory")
        .reads::<NewServer>()
        .answers::<Server>(201),
        Endpoint::new(
            Method::GET,
            "/api/v1/servers",
            read,
            "list_servers",
            list_servers,
        )
        .summary("Lists the servers by number")
        .query("limit", "items in a page, 1 to 1000; 100 by default")
        .query("after", "the `next` of the previous page")
        .answers_items::<Server>(),
        Endpoint::new(
            Method::GET,
            "/api/v1/servers/{id}",
            read,
            "get_server",
            get_server,
        )
        .summary("Shows a server")
        .answers::<Server>(200),
        Endpoint::new(
            Method::PATCH,
            "/api/v1/servers/{id}",
            write,
            "change_server",
            change_server,
        )
        .summary("Changes the given members")
        .reads::<ChangedServer>()
        .answers::<Server>(200),
        Endpoint::new(
            Method::DELETE,
            "/api/v1/servers/{id}",
            write,
            "delete_server",
            delete_server,
        )
        .summary("Removes a server that no hook names")
        .answers_empty(204),
    ]
}

async fn create_server(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewServer>,
) -> Result<Created<Server>, Refusal> {
    let server = app
        .dispatcher()
        .servers()
        .create(caller.account(), read(new)?)
        .await
        .map_err(refusal)?;
    let id = server.number.to_string();
    Ok(created("/api/v1/servers", &id, show(server)))
}

async fn list_servers(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<List<Server>>, Refusal> {
    let servers = app.dispatcher().servers().list(caller.account()).await?;
    let servers = servers.into_iter().map(show).collect();
    page.cut(servers, |server: &Server| server.number).map(Json)
}

async fn get_server(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<ServerId>>,
) -> Result<Json<Server>, Refusal> {
    let server = app
        .dispatcher()
        .servers()
        .get(caller.account(), key)
        .await?;
    Ok(Json(show(server)))
}

async fn change_server(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<ServerId>>,
    Json(change): Json<ChangedServer>,
) -> Result<Json<Server>, Refusal> {
    let server = app
        .dispatcher()
        .servers()
        .change(caller.account(), key, read_change(change))
        .await?;
    Ok(Json(show(server)))
}

async fn delete_server(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<ServerId>>,
) -> Result<StatusCode, Refusal> {
    app.dispatcher()
        .servers()
        .delete(caller.account(), key)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
