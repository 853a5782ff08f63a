//! The applications that hooks belong to, read-only. They are managed over the native
//! API; Astra's toolkit asks for them before it lists hooks.

mod shape;

use axum::response::Response;
use futures_util::stream;
use http::Method;
use tenterhook_dispatch::{App, Error, Key, Noun, Role};

use self::shape::{LIST, MEDIA, WORDS};
use super::ask::Ask;
use super::problem::{Rejection, Row};
use super::reply;
use crate::auth::Access;
use crate::endpoint::Endpoint;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Access::Role(Role::Viewer);
    let all = "/accounts/{account_id}/k8s/v2/apps";
    let one = "/accounts/{account_id}/k8s/v2/apps/{app_id}";
    let shapes = shape::shapes();
    vec![
        Endpoint::new(Method::GET, all, read, "list_astra_apps", list_astra_apps)
            .summary("Lists the applications, oldest first")
            .astra_list(&shapes),
        Endpoint::new(Method::GET, one, read, "get_astra_app", get_astra_app)
            .summary("Shows an application")
            .astra_get(&shapes),
    ]
}

async fn list_astra_apps(ask: Ask) -> Result<Response, Rejection> {
    let media = MEDIA.of_list(&ask.headers)?;
    let query = ask.query(&WORDS)?;
    let found = ask.app.dispatcher().apps().list(ask.account()).await?;
    let admitted = |app: &&App| query.filter.admits(|name| shape::member(app, name));
    let rows: Vec<_> = found
        .iter()
        .filter(admitted)
        .take(query.limit.unwrap_or(usize::MAX))
        .map(|app| Ok(Some(shape::row(app))))
        .collect();
    reply::list(media, LIST, query.include, stream::iter(rows)).await
}

async fn get_astra_app(ask: Ask) -> Result<Response, Rejection> {
    let media = MEDIA.of_one(&ask.headers)?;
    ask.no_query()?;
    let id = ask.app_id()?.ok_or(Row::ResourceNotFound)?;
    let app = ask
        .app
        .dispatcher()
        .apps()
        .get(ask.account(), Key::Id(id))
        .await;
    match app {
        Ok(app) => Ok(reply::one(media, shape::row(&app))),
        Err(Error::NotFound {
            what: Noun::App, ..
        }) => Err(Row::ResourceNotFound.into()),
        Err(error) => Err(error.into()),
    }
}
