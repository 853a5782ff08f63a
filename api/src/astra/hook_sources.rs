//! Hook sources: scripts, and as our extension Wasm programs, in base64.

mod read;
mod shape;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};
use http::{Method, StatusCode};
use tenterhook_dispatch::{
    Error, Key, NewSource, Role, Source, SourceChange, SourceId, Visibility,
};
use tenterhook_engine::Kind;

use self::read::{body_max_bytes, check_kind, decode};
use self::shape::{LIST, MEDIA, MEMBERS, WORDS};
use super::ask::Ask;
use super::metadata::{labels_in, text_in};
use super::problem::{Problem, Rejection, Row};
use super::schema::Purpose;
use super::{entity_tag, lookup, reply};
use crate::auth::Access;
use crate::endpoint::Endpoint;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let (read, write) = (Access::Role(Role::Viewer), Access::Role(Role::Member));
    let all = "/accounts/{account_id}/core/v1/hookSources";
    let one = "/accounts/{account_id}/core/v1/hookSources/{id}";
    let shapes = shape::shapes();
    vec![
        Endpoint::new(
            Method::GET,
            all,
            read,
            "list_hook_sources",
            list_hook_sources,
        )
        .summary("Lists the hook sources, oldest first")
        .astra_list(&shapes),
        Endpoint::new(
            Method::POST,
            all,
            write,
            "create_hook_source",
            create_hook_source,
        )
        .summary("Creates a hook source")
        .astra_create(&shapes),
        Endpoint::new(Method::GET, one, read, "get_hook_source", get_hook_source)
            .summary("Shows a hook source")
            .astra_get(&shapes),
        Endpoint::new(
            Method::PUT,
            one,
            write,
            "replace_hook_source",
            replace_hook_source,
        )
        .summary("Changes the given members of a hook source")
        .astra_replace(&shapes),
        Endpoint::new(
            Method::DELETE,
            one,
            write,
            "delete_hook_source",
            delete_hook_source,
        )
        .summary("Removes a hook source that no hook uses")
        .astra_delete(),
    ]
}

async fn list_hook_sources(ask: Ask) -> Result<Response, Rejection> {
    let media = MEDIA.of_list(&ask.headers)?;
    let query = ask.query(&WORDS)?;
    let (dispatcher, account) = (ask.app.dispatcher().clone(), ask.account());
    let filter = &query.filter;
    let found = dispatcher
        .sources()
        .find(account, &lookup::of(filter), query.limit, |source| {
            filter.admits(|name| shape::member(source, name))
        })
        .await?;
    let (asked, role) = (query.include.as_ref(), ask.role());
    let with_bytes = asked.is_none_or(|names| names.contains(&"source"));
    let rows = stream::iter(found).then(move |source| {
        let dispatcher = dispatcher.clone();
        async move {
            if !with_bytes {
                return Ok(Some(shape::row(&source, None)));
            }
            let key = Key::Id(source.id);
            match dispatcher.sources().bytes(account, key, role).await {
                // The source is read again, so that its checksum is that of these bytes.
                Ok((source, bytes)) => Ok(Some(shape::row(&source, Some(bytes)))),
                Err(Error::Withheld { .. }) => Ok(Some(shape::row(&source, None))),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }
    });
    reply::list(media, LIST, query.include, rows).await
}

async fn create_hook_source(ask: Ask, body: Body) -> Result<Response, Rejection> {
    let media = MEDIA.of_one(&ask.headers)?;
    ask.no_query()?;
    let limit = body_max_bytes(&ask.app);
    let body = ask
        .object(body, &MEDIA, MEMBERS, Purpose::Create, limit)
        .await?;
    let kind = text_in(&body, "sourceType").unwrap_or_default();
    let text = text_in(&body, "source").unwrap_or_default();
    let bytes = decode(&ask.app, text, kind == "wasm")?;
    check_kind(&bytes, kind)?;
    let new = NewSource {
        name: text_in(&body, "name").unwrap_or_default().to_owned(),
        bytes,
        kind: None,
        description: text_in(&body, "description").unwrap_or_default().to_owned(),
        visibility: Visibility::Readable,
        labels: labels_in(&body).unwrap_or_default(),
        created_by: ask.principal(),
    };
    drop(body);
    let bytes = new.bytes.clone();
    let (source, _) = ask
        .app
        .dispatcher()
        .sources()
        .create(ask.account(), new, Vec::new())
        .await?;
    let location = ask.location(source.id.as_uuid());
    // As a GET shows it, so that the tag is the same.
    let readable = source.check_readable(ask.role()).is_ok();
    let row = shape::row(&source, readable.then_some(bytes));
    Ok(reply::created(media, row, &location))
}

async fn get_hook_source(ask: Ask) -> Result<Response, Rejection> {
    let media = MEDIA.of_one(&ask.headers)?;
    ask.no_query()?;
    let id = SourceId::from_uuid(ask.id()?);
    let source = ask
        .app
        .dispatcher()
        .sources()
        .get(ask.account(), Key::Id(id))
        .await?;
    Ok(reply::one(media, with_bytes(&ask, source).await?))
}

async fn replace_hook_source(ask: Ask, body: Body) -> Result<Response, Rejection> {
    ask.no_query()?;
    let limit = body_max_bytes(&ask.app);
    let body = ask
        .object(body, &MEDIA, MEMBERS, Purpose::Replace, limit)
        .await?;
    let kind = text_in(&body, "sourceType");
    // What is wrong with any resource is reported before this one is read.
    let bytes = match text_in(&body, "source") {
        Some(text) => Some(decode(&ask.app, text, kind != Some("script"))?),
        None => None,
    };
    if let (Some(bytes), Some(kind)) = (&bytes, kind) {
        check_kind(bytes, kind)?;
    }
    let id = ask.id()?;
    let _turn = entity_tag::turn(id).await;
    let key = Key::Id(SourceId::from_uuid(id));
    let old = ask
        .app
        .dispatcher()
        .sources()
        .get(ask.account(), key)
        .await?;
    let own_kind = shape::source_type(&old);
    match (&bytes, kind) {
        (Some(bytes), None) => {
            if let Some(text) = text_in(&body, "source").filter(|_| old.kind == Kind::Script) {
                decode(&ask.app, text, false)?;
            }
            check_kind(bytes, own_kind)?;
        }
        (None, Some(kind)) if kind != own_kind => {
            let reason = format!("is \"{own_kind}\"; to change it, send `source` too");
            return Err(Problem::field("sourceType", reason).into());
        }
        _ => {}
    }
    if old.preloaded {
        return Err(Row::PreloadedSource.into());
    }
    if entity_tag::has_conditions(&ask.headers) {
        let modified_at = old.modified_at;
        let now = with_bytes(&ask, old).await?.into_object().collect();
        let tags = [entity_tag::tag_of(&now)];
        entity_tag::check_conditions(&ask.headers, &tags, modified_at)?;
    }
    if text_in(&body, "id").is_some_and(|own| own != id.to_string()) {
        return Err(Problem::conflict("id", "must be the one in the path").into());
    }
    let change = SourceChange {
        name: text_in(&body, "name").map(str::to_owned),
        bytes,
        kind: None,
        description: text_in(&body, "description").map(str::to_owned),
        labels: labels_in(&body),
        modified_by: Some(ask.principal()),
        modified_as: ask.role(),
        expected: None,
    };
    drop(body);
    ask.app
        .dispatcher()
        .sources()
        .change(ask.account(), key, change, None)
        .await
        .map_err(map_error)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn delete_hook_source(ask: Ask) -> Result<Response, Rejection> {
    ask.no_query()?;
    let id = ask.id()?;
    let _turn = entity_tag::turn(id).await;
    let key = Key::Id(SourceId::from_uuid(id));
    let dispatcher = ask.app.dispatcher();
    if dispatcher
        .sources()
        .get(ask.account(), key)
        .await?
        .preloaded
    {
        return Err(Row::PreloadedSource.into());
    }
    dispatcher
        .sources()
        .delete(ask.account(), key)
        .await
        .map_err(map_error)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The resource as a GET returns it to the caller.
async fn with_bytes(ask: &Ask, source: Source) -> Result<super::row::Row, Rejection> {
    let read = ask
        .app
        .dispatcher()
        .sources()
        .bytes(ask.account(), Key::Id(source.id), ask.role())
        .await;
    match read {
        Ok((source, bytes)) => Ok(shape::row(&source, Some(bytes))),
        Err(Error::Withheld { .. }) => Ok(shape::row(&source, None)),
        Err(error) => Err(error.into()),
    }
}

fn map_error(error: Error) -> Rejection {
    match error {
        Error::ReadOnly { .. } => Row::PreloadedSource.into(),
        Error::InUse { .. } => Row::SourceInUse.into(),
        error => error.into(),
    }
}
