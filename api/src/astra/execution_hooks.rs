//! Execution hooks: a hook source bound to an action of an application's life.
//!
//! All of them are under `core/v1`, those of one application also under
//! `k8s/v1/apps/{app_id}`: two ways to the same objects.

mod body;
mod shape;

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{Method, StatusCode};
use tenterhook_dispatch::{
    AppId, Error, FailurePolicy, Hook, HookChange, HookId, Key, NewHook, Noun, Role, SourceId,
    Targets,
};
use tenterhook_engine::AskedLimits;

use self::shape::{LIST, MEDIA, MEMBERS, View, WORDS};
use super::ask::Ask;
use super::metadata::text_in;
use super::problem::{Problem, Rejection, Row};
use super::schema::Purpose;
use super::{entity_tag, lookup, reply};
use crate::app::App;
use crate::auth::Access;
use crate::body::JSON_MAX_BYTES;
use crate::endpoint::Endpoint;

/// How long a hook may run: what Astra documents, or less if the operator configures
/// less.
const WALL: Duration = Duration::from_secs(25 * 60);

pub(super) fn endpoints() -> Vec<Endpoint> {
    let (read, write) = (Access::Role(Role::Viewer), Access::Role(Role::Member));
    let shapes = shape::shapes();
    let collection = |path: &'static str, one: &'static str, ids: [&'static str; 5]| {
        let [list, create, get, replace, delete] = ids;
        [
            Endpoint::new(Method::GET, path, read, list, list_execution_hooks)
                .summary("Lists the execution hooks, oldest first")
                .astra_list(&shapes),
            Endpoint::new(Method::POST, path, write, create, create_execution_hook)
                .summary("Binds a hook source to an action of an application")
                .astra_create(&shapes),
            Endpoint::new(Method::GET, one, read, get, get_execution_hook)
                .summary("Shows an execution hook and the containers that it matches")
                .astra_get(&shapes),
            Endpoint::new(Method::PUT, one, write, replace, replace_execution_hook)
                .summary("Changes the given members of an execution hook")
                .astra_replace(&shapes),
            Endpoint::new(Method::DELETE, one, write, delete, delete_execution_hook)
                .summary("Removes an execution hook")
                .astra_delete(),
        ]
    };
    let core = collection(
        "/accounts/{account_id}/core/v1/executionHooks",
        "/accounts/{account_id}/core/v1/executionHooks/{id}",
        [
            "list_execution_hooks",
            "create_execution_hook",
            "get_execution_hook",
            "replace_execution_hook",
            "delete_execution_hook",
        ],
    );
    let of_app = collection(
        "/accounts/{account_id}/k8s/v1/apps/{app_id}/executionHooks",
        "/accounts/{account_id}/k8s/v1/apps/{app_id}/executionHooks/{id}",
        [
            "list_app_execution_hooks",
            "create_app_execution_hook",
            "get_app_execution_hook",
            "replace_app_execution_hook",
            "delete_app_execution_hook",
        ],
    );
    core.into_iter().chain(of_app).collect()
}

async fn list_execution_hooks(ask: Ask) -> Result<Response, Rejection> {
    let media = MEDIA.of_list(&ask.headers)?;
    let query = ask.query(&WORDS)?;
    let (filter, reader) = (&query.filter, ask.role());
    let found = ask
        .app
        .dispatcher()
        .hooks()
        .find(
            ask.account(),
            ask.app_id()?,
            &lookup::of(filter),
            query.limit,
            |hook| {
                View::of(hook, reader).is_some_and(|view| filter.admits(|name| view.member(name)))
            },
        )
        .await
        .map_err(map_error)?;
    let rows = found
        .into_iter()
        .map(|hook| Ok(View::of(&hook, reader).map(|view| view.row(None))));
    let rows: Vec<_> = rows.collect();
    reply::list(media, LIST, query.include, stream::iter(rows)).await
}

async fn create_execution_hook(ask: Ask, body: Body) -> Result<Response, Rejection> {
    let media = MEDIA.of_one(&ask.headers)?;
    ask.no_query()?;
    let body = ask
        .object(body, &MEDIA, MEMBERS, Purpose::Create, JSON_MAX_BYTES)
        .await?;
    let stage = body::event(&body, None)?;
    let hook_source = body::hook_source(&ask, &body).await?;
    let app = body::app(&body);
    let in_path = ask.app_id()?;
    if let Some(id) = in_path {
        ask.app
            .dispatcher()
            .apps()
            .get(ask.account(), Key::Id(id))
            .await
            .map_err(map_error)?;
    }
    if text_in(&body, "hookType") == Some("netapp") {
        return Err(Row::ManagedHook.into());
    }
    check_app(in_path, app)?;
    let event = stage.unwrap_or_default();
    let targets = Targets::Containers {
        app,
        criteria: body::criteria(&body).unwrap_or_default(),
    };
    let new = NewHook {
        name: text_in(&body, "name").map(str::to_owned),
        description: text_in(&body, "description").unwrap_or_default().to_owned(),
        targets: Some(targets),
        args: body::arguments(&body).unwrap_or_default(),
        limits: limits(&ask.app),
        enabled: body::enabled(&body),
        failure_policy: Some(FailurePolicy::Open),
        labels: super::metadata::labels_in(&body).unwrap_or_default(),
        created_by: ask.principal(),
        ..NewHook::new(
            hook_source.unwrap_or(SourceId::from_uuid(uuid::Uuid::nil())),
            event,
        )
    };
    let hook = ask
        .app
        .dispatcher()
        .hooks()
        .create(ask.account(), new)
        .await
        .map_err(body::refers_to_missing)?;
    let location = ask.location(hook.id.as_uuid());
    let view = View::of(&hook, ask.role()).ok_or(Row::ResourceNotFound)?;
    Ok(reply::created(media, view.row(None), &location))
}

async fn get_execution_hook(ask: Ask) -> Result<Response, Rejection> {
    let media = MEDIA.of_one(&ask.headers)?;
    ask.no_query()?;
    let hook = find(&ask).await?;
    let row = with_containers(&ask, &hook).await?;
    Ok(reply::one(media, row))
}

async fn replace_execution_hook(ask: Ask, body: Body) -> Result<Response, Rejection> {
    ask.no_query()?;
    let body = ask
        .object(body, &MEDIA, MEMBERS, Purpose::Replace, JSON_MAX_BYTES)
        .await?;
    body::event(&body, None)?;
    let source = body::hook_source(&ask, &body).await?;
    let id = ask.id()?;
    let _turn = entity_tag::turn(id).await;
    let old = find(&ask).await?;
    let view = View::of(&old, ask.role()).ok_or(Row::ResourceNotFound)?;
    let event = body::event(&body, Some(&view))?;
    if old.managed {
        return Err(Row::ManagedHook.into());
    }
    check_conditions(&ask, &old, &view).await?;
    if text_in(&body, "id").is_some_and(|own| own != id.to_string()) {
        return Err(Problem::conflict("id", "must be the one in the path").into());
    }
    if text_in(&body, "hookType").is_some_and(|kind| kind != "custom") {
        return Err(Problem::conflict("hookType", "cannot be changed; it is \"custom\"").into());
    }
    let app = body::app(&body);
    check_app(ask.app_id()?, app.or(view.app))?;
    let criteria = body::criteria(&body);
    let targets = (app.is_some() || criteria.is_some()).then(|| Targets::Containers {
        app: app.or(view.app),
        criteria: criteria.unwrap_or_else(|| view.criteria.to_vec()),
    });
    let change = HookChange {
        name: text_in(&body, "name").map(str::to_owned),
        description: text_in(&body, "description").map(str::to_owned),
        source: source.map(Key::Id),
        event,
        targets,
        args: body::arguments(&body),
        enabled: body::enabled(&body),
        labels: super::metadata::labels_in(&body),
        modified_by: Some(ask.principal()),
        modified_as: ask.role(),
        ..HookChange::default()
    };
    ask.app
        .dispatcher()
        .hooks()
        .change(ask.account(), Key::Id(old.id), change)
        .await
        .map_err(body::refers_to_missing)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn delete_execution_hook(ask: Ask) -> Result<Response, Rejection> {
    ask.no_query()?;
    let _turn = entity_tag::turn(ask.id()?).await;
    let hook = find(&ask).await?;
    if hook.managed {
        return Err(Row::ManagedHook.into());
    }
    ask.app
        .dispatcher()
        .hooks()
        .delete(ask.account(), Key::Id(hook.id))
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The hook in the path, if it is one of this API, and of the application in the
/// path if there is one.
async fn find(ask: &Ask) -> Result<Hook, Rejection> {
    let dispatcher = ask.app.dispatcher();
    let in_path = ask.app_id()?;
    if let Some(app) = in_path {
        dispatcher
            .apps()
            .get(ask.account(), Key::Id(app))
            .await
            .map_err(map_error)?;
    }
    let id = HookId::from_uuid(ask.id()?);
    let hook = dispatcher.hooks().get(ask.account(), Key::Id(id)).await?;
    let fits =
        View::of(&hook, ask.role()).is_some_and(|view| in_path.is_none() || view.app == in_path);
    if fits {
        Ok(hook)
    } else {
        Err(Row::ResourceNotFound.into())
    }
}

async fn with_containers(ask: &Ask, hook: &Hook) -> Result<super::row::Row, Rejection> {
    let containers = ask
        .app
        .dispatcher()
        .apps()
        .matching_containers(ask.account(), hook.id)
        .await?;
    let view = View::of(hook, ask.role()).ok_or(Row::ResourceNotFound)?;
    Ok(view.row(Some(&containers)))
}

async fn check_conditions(ask: &Ask, hook: &Hook, view: &View<'_>) -> Result<(), Rejection> {
    if !entity_tag::has_conditions(&ask.headers) {
        return Ok(());
    }
    // The tag may come from the reply of a GET or from that of the POST.
    let shown = with_containers(ask, hook).await?;
    let tags = [shown, view.row(None)].map(|row| entity_tag::tag_of(&row.into_object().collect()));
    entity_tag::check_conditions(&ask.headers, &tags, hook.modified_at)?;
    Ok(())
}

fn check_app(in_path: Option<AppId>, in_body: Option<AppId>) -> Result<(), Problem> {
    if in_path.is_some() && in_path != in_body {
        return Err(Problem::conflict("appID", "must be the one in the path"));
    }
    Ok(())
}

fn limits(app: &App) -> AskedLimits {
    let wall = WALL.min(app.dispatcher().settings().ceiling.wall);
    AskedLimits {
        wall_ms: u64::try_from(wall.as_millis()).ok(),
        ..AskedLimits::default()
    }
}

/// An unknown application in the path is an unknown collection.
fn map_error(error: Error) -> Rejection {
    match error {
        Error::NotFound {
            what: Noun::App, ..
        } => Row::CollectionNotFound.into(),
        error => error.into(),
    }
}
