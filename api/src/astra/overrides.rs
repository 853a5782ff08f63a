//! Execution hook overrides: one of the operator's hooks, on or off for one application.
//! Deprecated by Astra, and still served.

mod shape;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{Method, StatusCode};
use tenterhook_dispatch::{
    AppId, Error, HookId, HookOverride, Key, NewOverride, Noun, OverrideChange, OverrideId, Role,
};

use self::shape::{LIST, MEDIA, MEMBERS, WORDS};
use super::ask::Ask;
use super::metadata::{labels_in, text_in};
use super::problem::{Problem, Rejection, Row};
use super::schema::Purpose;
use super::{entity_tag, identifier, reply};
use crate::auth::Access;
use crate::body::JSON_MAX_BYTES;
use crate::endpoint::Endpoint;
use tenterhook_query::astra::Filter;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let (read, write) = (Access::Role(Role::Viewer), Access::Role(Role::Member));
    let all = "/accounts/{account_id}/k8s/v1/apps/{app_id}/executionHookOverrides";
    let one = "/accounts/{account_id}/k8s/v1/apps/{app_id}/executionHookOverrides/{id}";
    let shapes = shape::shapes();
    vec![
        Endpoint::new(Method::GET, all, read, "list_overrides", list_overrides)
            .summary("Lists the overrides of an application, oldest first")
            .astra_list(&shapes)
            .deprecated(),
        Endpoint::new(Method::POST, all, write, "create_override", create_override)
            .summary("Turns one of the operator's hooks on or off for an application")
            .astra_create(&shapes)
            .deprecated(),
        Endpoint::new(Method::GET, one, read, "get_override", get_override)
            .summary("Shows an override")
            .astra_get(&shapes)
            .deprecated(),
        Endpoint::new(
            Method::PUT,
            one,
            write,
            "replace_override",
            replace_override,
        )
        .summary("Changes the given members of an override")
        .astra_replace(&shapes)
        .deprecated(),
        Endpoint::new(
            Method::DELETE,
            one,
            write,
            "delete_override",
            delete_override,
        )
        .summary("Removes an override: the hook's own switch applies again")
        .astra_delete()
        .deprecated(),
    ]
}

async fn list_overrides(ask: Ask) -> Result<Response, Rejection> {
    let media = MEDIA.of_list(&ask.headers)?;
    let query = ask.query(&WORDS)?;
    let found = ask
        .app
        .dispatcher()
        .overrides()
        .list(ask.account(), app_of(&ask)?)
        .await
        .map_err(map_error)?;
    let admitted =
        |filter: &Filter, own: &HookOverride| filter.admits(|name| shape::member(own, name));
    let rows: Vec<_> = found
        .iter()
        .filter(|own| admitted(&query.filter, own))
        .take(query.limit.unwrap_or(usize::MAX))
        .map(|own| Ok(Some(shape::row(own))))
        .collect();
    reply::list(media, LIST, query.include, stream::iter(rows)).await
}

async fn create_override(ask: Ask, body: Body) -> Result<Response, Rejection> {
    let media = MEDIA.of_one(&ask.headers)?;
    ask.no_query()?;
    let body = ask
        .object(body, &MEDIA, MEMBERS, Purpose::Create, JSON_MAX_BYTES)
        .await?;
    let hook = text_in(&body, "executionHookID").and_then(identifier::parse);
    let hook = HookId::from_uuid(hook.unwrap_or_default());
    let dispatcher = ask.app.dispatcher();
    match dispatcher.hooks().get(ask.account(), Key::Id(hook)).await {
        Ok(hook) if hook.managed => {}
        Ok(_) | Err(Error::NotFound { .. }) => {
            let reason = "must be the id of an execution hook with the hookType \"netapp\"";
            return Err(Problem::field("executionHookID", reason).into());
        }
        Err(error) => return Err(error.into()),
    }
    let app = app_of(&ask)?;
    dispatcher
        .apps()
        .get(ask.account(), Key::Id(app))
        .await
        .map_err(map_error)?;
    check_same(&body, "appID", &app.to_string())?;
    let new = NewOverride {
        app,
        hook,
        enabled: text_in(&body, "enabled") == Some("true"),
        labels: labels_in(&body).unwrap_or_default(),
        created_by: ask.principal(),
    };
    let made = dispatcher
        .overrides()
        .create(ask.account(), new)
        .await
        .map_err(map_error)?;
    let location = ask.location(made.id.as_uuid());
    Ok(reply::created(media, shape::row(&made), &location))
}

async fn get_override(ask: Ask) -> Result<Response, Rejection> {
    let media = MEDIA.of_one(&ask.headers)?;
    ask.no_query()?;
    Ok(reply::one(media, shape::row(&find(&ask).await?)))
}

async fn replace_override(ask: Ask, body: Body) -> Result<Response, Rejection> {
    ask.no_query()?;
    let body = ask
        .object(body, &MEDIA, MEMBERS, Purpose::Replace, JSON_MAX_BYTES)
        .await?;
    let id = ask.id()?;
    let _turn = entity_tag::turn(id).await;
    let old = find(&ask).await?;
    if entity_tag::has_conditions(&ask.headers) {
        let tags = [entity_tag::tag_of(
            &shape::row(&old).into_object().collect(),
        )];
        entity_tag::check_conditions(&ask.headers, &tags, old.modified_at)?;
    }
    check_same(&body, "id", &id.to_string())?;
    check_same(&body, "appID", &old.app.to_string())?;
    check_same(&body, "executionHookID", &old.hook.to_string())?;
    let change = OverrideChange {
        enabled: text_in(&body, "enabled").map(|text| text == "true"),
        labels: labels_in(&body),
        modified_by: Some(ask.principal()),
    };
    ask.app
        .dispatcher()
        .overrides()
        .change(ask.account(), old.id, change)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn delete_override(ask: Ask) -> Result<Response, Rejection> {
    ask.no_query()?;
    let _turn = entity_tag::turn(ask.id()?).await;
    let own = find(&ask).await?;
    ask.app
        .dispatcher()
        .overrides()
        .delete(ask.account(), own.id)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn app_of(ask: &Ask) -> Result<AppId, Problem> {
    ask.app_id()?.ok_or_else(|| Row::CollectionNotFound.into())
}

/// The override in the path, if it is one of the application in the path.
async fn find(ask: &Ask) -> Result<HookOverride, Rejection> {
    let app = app_of(ask)?;
    let dispatcher = ask.app.dispatcher();
    dispatcher
        .apps()
        .get(ask.account(), Key::Id(app))
        .await
        .map_err(map_error)?;
    let id = OverrideId::from_uuid(ask.id()?);
    let own = dispatcher.overrides().get(ask.account(), id).await?;
    if own.app == app {
        Ok(own)
    } else {
        Err(Row::ResourceNotFound.into())
    }
}

/// What cannot be changed may be sent as it is.
fn check_same(
    body: &serde_json::Map<String, serde_json::Value>,
    name: &str,
    own: &str,
) -> Result<(), Problem> {
    match text_in(body, name) {
        Some(sent) if sent != own => Err(Problem::conflict(name, format!("must be {own}"))),
        _ => Ok(()),
    }
}

fn map_error(error: Error) -> Rejection {
    match error {
        Error::NotFound {
            what: Noun::App, ..
        } => Row::CollectionNotFound.into(),
        Error::NameTaken { .. } => Problem::conflict(
            "executionHookID",
            "has an override for this application already",
        )
        .into(),
        error => error.into(),
    }
}
