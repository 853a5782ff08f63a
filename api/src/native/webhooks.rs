//! Webhooks: endpoints that receive events, and their deliveries.
//!
//! The signing secret is shown once, when the webhook is created.

mod shape;

use axum::extract::State;
use http::{Method, StatusCode};
use tenterhook_delivery::{SubscriptionId, Webhooks};
use tenterhook_dispatch::Role;
use tenterhook_wire::{ChangedWebhook, CreatedWebhook, Delivery, List, NewWebhook, Webhook};
use uuid::Uuid;

use self::shape::{created_webhook, delivery, read, webhook};
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, PathId, Query};
use crate::native::created::{Created, created};
use crate::native::page::{PageQuery, Place, rows};
use crate::refusal::Refusal;

/// The name of the resource in problems.
const NOUN: &str = "webhook";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Access::Role(Role::Viewer);
    let write = Access::Role(Role::Admin);
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/webhooks",
            write,
            "create_webhook",
            create_webhook,
        )
        .summary("Subscribes an endpoint to events; the signing secret is shown only this once")
        .reads::<NewWebhook>()
        .answers::<CreatedWebhook>(201),
        Endpoint::new(
            Method::GET,
            "/api/v1/webhooks",
            read,
            "list_webhooks",
            list_webhooks,
        )
        .summary("Lists the webhooks, oldest first")
        .query("limit", "items in a page, 1 to 1000; 100 by default")
        .query("after", "the `next` of the previous page")
        .answers_items::<Webhook>(),
        Endpoint::new(
            Method::GET,
            "/api/v1/webhooks/{id}",
            read,
            "get_webhook",
            get_webhook,
        )
        .summary("Shows a webhook")
        .answers::<Webhook>(200),
        Endpoint::new(
            Method::PATCH,
            "/api/v1/webhooks/{id}",
            write,
            "change_webhook",
            change_webhook,
        )
        .summary("Enables or disables a webhook")
        .reads::<ChangedWebhook>()
        .answers::<Webhook>(200),
        Endpoint::new(
            Method::DELETE,
            "/api/v1/webhooks/{id}",
            write,
            "delete_webhook",
            delete_webhook,
        )
        .summary("Deletes a webhook with its deliveries")
        .answers_empty(204),
        Endpoint::new(
            Method::GET,
            "/api/v1/webhooks/{id}/deliveries",
            read,
            "list_deliveries",
            list_deliveries,
        )
        .summary("Lists the deliveries of a webhook, newest first")
        .query("limit", "items in a page, 1 to 1000; 100 by default")
        .query("after", "the `next` of the previous page")
        .answers_items::<Delivery>(),
    ]
}

impl PathId for SubscriptionId {
    fn noun() -> String {
        NOUN.to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl From<tenterhook_delivery::Error> for Refusal {
    fn from(error: tenterhook_delivery::Error) -> Self {
        use tenterhook_delivery::Error;
        match error {
            Error::NotFound(id) => Self::NotFound {
                noun: NOUN.to_owned(),
                id,
            },
            Error::Invalid { field, reason } => Self::invalid(format!("/{field}"), reason),
            error @ Error::TooMany(_) => Self::Conflict(format!("{error}; remove one first")),
            error @ Error::NoRoom { .. } => Self::internal(&error),
            Error::Store { doing, source } => match source.downcast::<tenterhook_dispatch::Error>()
            {
                Ok(store) => (*store).into(),
                Err(source) => Self::internal(&Error::Store { doing, source }),
            },
        }
    }
}

/// Returns the webhooks, and the caller's account as they identify it.
fn webhooks<'a>(app: &'a App, caller: &Caller) -> (&'a Webhooks, Uuid) {
    (app.maintenance().delivery(), caller.account().as_uuid())
}

async fn create_webhook(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewWebhook>,
) -> Result<Created<CreatedWebhook>, Refusal> {
    let (webhooks, account) = webhooks(&app, &caller);
    let own = webhooks.subscribe(account, read(new)).await?;
    let id = own.id.to_string();
    Ok(created("/api/v1/webhooks", &id, created_webhook(own)))
}

async fn list_webhooks(
    State(app): State<App>,
    caller: Caller,
    Query(wanted): Query<PageQuery>,
) -> Result<Json<List<Webhook>>, Refusal> {
    let (webhooks, account) = webhooks(&app, &caller);
    let all = webhooks.subscriptions(account);
    let List { items, next } = wanted.cut(all, |own| own.id)?;
    let items = items.into_iter().map(webhook).collect();
    Ok(Json(List { items, next }))
}

async fn get_webhook(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SubscriptionId>,
) -> Result<Json<Webhook>, Refusal> {
    let (webhooks, account) = webhooks(&app, &caller);
    Ok(Json(webhook(webhooks.subscription(account, id)?)))
}

async fn change_webhook(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SubscriptionId>,
    Json(change): Json<ChangedWebhook>,
) -> Result<Json<Webhook>, Refusal> {
    let (webhooks, account) = webhooks(&app, &caller);
    let own = match change.enabled {
        Some(enabled) => webhooks.switch(account, id, enabled).await?,
        None => webhooks.subscription(account, id)?,
    };
    Ok(Json(webhook(own)))
}

async fn delete_webhook(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SubscriptionId>,
) -> Result<StatusCode, Refusal> {
    let (webhooks, account) = webhooks(&app, &caller);
    webhooks.unsubscribe(account, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_deliveries(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SubscriptionId>,
    Query(wanted): Query<PageQuery>,
) -> Result<Json<List<Delivery>>, Refusal> {
    let (webhooks, account) = webhooks(&app, &caller);
    let limit = wanted.limit()?;
    let after = wanted.after::<Place>()?;
    let deliveries = webhooks
        .deliveries(account, id, after.map(Place::parts), limit)
        .await?;
    let List { items, next } = rows(deliveries, limit, |delivery| {
        Place::new(delivery.created_at, delivery.id)
    });
    let items = items.into_iter().map(delivery).collect();
    Ok(Json(List { items, next }))
}
