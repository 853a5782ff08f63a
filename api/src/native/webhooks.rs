//! Webhooks: addresses that are told of events, and what they were sent.
//!
//! The secret that signs is shown once, when the webhook is made.

mod shape;

use axum::extract::State;
use http::{Method, StatusCode};
use tenterhook_delivery::{Delivery, SubscriptionId};
use tenterhook_dispatch::Role;
use uuid::Uuid;

use self::shape::{ChangedWebhook, MadeWebhook, NewWebhook, Sent, Webhook};
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, PathId, Query};
use crate::native::created::{Created, created};
use crate::native::page::{List, PageQuery};
use crate::refusal::Refusal;

/// What these are called in refusals.
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
        .summary("Subscribes an address to events; the secret that signs is shown this once")
        .reads::<NewWebhook>()
        .answers::<MadeWebhook>(201),
        Endpoint::new(
            Method::GET,
            "/api/v1/webhooks",
            read,
            "list_webhooks",
            list_webhooks,
        )
        .summary("Lists the webhooks, oldest first")
        .query("limit", "items in a page, 1 to 1000; 100 by default")
        .query("after", "the `next` of the page before")
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
        .summary("Turns a webhook on or off")
        .reads::<ChangedWebhook>()
        .answers::<Webhook>(200),
        Endpoint::new(
            Method::DELETE,
            "/api/v1/webhooks/{id}",
            write,
            "delete_webhook",
            delete_webhook,
        )
        .summary("Removes a webhook with what it is still owed")
        .answers_empty(204),
        Endpoint::new(
            Method::GET,
            "/api/v1/webhooks/{id}/deliveries",
            read,
            "list_deliveries",
            list_deliveries,
        )
        .summary("Lists what a webhook was sent or is owed, newest first")
        .query("limit", "items in a page, 1 to 1000; 100 by default")
        .query("after", "the `next` of the page before")
        .answers_items::<Sent>(),
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

/// What sends, and the caller's account as it knows it.
fn delivery<'a>(app: &'a App, caller: &Caller) -> (&'a Delivery, Uuid) {
    (app.maintenance().delivery(), caller.account().as_uuid())
}

async fn create_webhook(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewWebhook>,
) -> Result<Created<MadeWebhook>, Refusal> {
    let (delivery, account) = delivery(&app, &caller);
    let made = delivery.subscribe(account, new.into()).await?;
    let id = made.id.to_string();
    Ok(created("/api/v1/webhooks", &id, MadeWebhook::new(made)))
}

async fn list_webhooks(
    State(app): State<App>,
    caller: Caller,
    Query(wanted): Query<PageQuery>,
) -> Result<Json<List<Webhook>>, Refusal> {
    let (delivery, account) = delivery(&app, &caller);
    let all = delivery.subscriptions(account);
    let List { items, next } = wanted.cut_by_id(all, |own| own.id)?;
    let items = items.into_iter().map(Webhook::new).collect();
    Ok(Json(List { items, next }))
}

async fn get_webhook(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SubscriptionId>,
) -> Result<Json<Webhook>, Refusal> {
    let (delivery, account) = delivery(&app, &caller);
    Ok(Json(Webhook::new(delivery.subscription(account, id)?)))
}

async fn change_webhook(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SubscriptionId>,
    Json(change): Json<ChangedWebhook>,
) -> Result<Json<Webhook>, Refusal> {
    let (delivery, account) = delivery(&app, &caller);
    let own = match change.enabled {
        Some(enabled) => delivery.switch(account, id, enabled).await?,
        None => delivery.subscription(account, id)?,
    };
    Ok(Json(Webhook::new(own)))
}

async fn delete_webhook(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SubscriptionId>,
) -> Result<StatusCode, Refusal> {
    let (delivery, account) = delivery(&app, &caller);
    delivery.unsubscribe(account, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_deliveries(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SubscriptionId>,
    Query(wanted): Query<PageQuery>,
) -> Result<Json<List<Sent>>, Refusal> {
    let (delivery, account) = delivery(&app, &caller);
    let limit = wanted.limit()?;
    let letters = delivery
        .letters(account, id, wanted.after()?, limit)
        .await?;
    let List { items, next } = List::of_page(letters, limit, |letter| letter.id);
    let items = items.into_iter().map(Sent::new).collect();
    Ok(Json(List { items, next }))
}
