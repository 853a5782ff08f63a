//! `/servers`: the inventory that `serverIds` and `servers` refer to.

use axum::extract::State;
use axum::response::Response;
use http::{Method, StatusCode};
use tenterhook_dispatch::{Key, Role, ServerId};
use tenterhook_wire::{ChangedServer, NewServer, Server};

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::croit::list::Paged;
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::refusal::Refusal;
use crate::servers::{read, read_change, refusal, show};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Access::Role(Role::Viewer);
    let write = Access::Role(Role::Admin);
    vec![
        Endpoint::new(
            Method::GET,
            "/api/servers",
            read,
            "list_servers",
            list_servers,
        )
        .summary("Lists the servers")
        .answers_list_or_page::<Server>(),
        Endpoint::new(
            Method::POST,
            "/api/servers",
            write,
            "create_server",
            create_server,
        )
        .summary("Adds a server to the inventory")
        .reads::<NewServer>()
        .answers::<Server>(201),
        Endpoint::new(
            Method::GET,
            "/api/servers/{id}",
            read,
            "get_server",
            get_server,
        )
        .summary("Shows a server")
        .answers::<Server>(200),
        Endpoint::new(
            Method::PATCH,
            "/api/servers/{id}",
            write,
            "change_server",
            change_server,
        )
        .summary("Changes the given members of a server")
        .reads::<ChangedServer>()
        .answers::<Server>(200),
        Endpoint::new(
            Method::DELETE,
            "/api/servers/{id}",
            write,
            "delete_server",
            delete_server,
        )
        .summary("Removes a server that no hook names")
        .answers_empty(204),
    ]
}

async fn list_servers(
    State(app): State<App>,
    caller: Caller,
    Query(paged): Query<Paged>,
) -> Result<Response, Refusal> {
    let servers = app.dispatcher().servers().list(caller.account()).await?;
    paged.list(servers.into_iter().map(show).collect()).await
}

async fn create_server(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewServer>,
) -> Result<(StatusCode, Json<Server>), Refusal> {
    let server = app
        .dispatcher()
        .servers()
        .create(caller.account(), read(new)?)
        .await
        .map_err(refusal)?;
    Ok((StatusCode::CREATED, Json(show(server))))
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
