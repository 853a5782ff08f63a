//! Principals: the people and programs that act within an account.
//!
//! Tokens belong to them. Owners manage those of their account; an owner of the
//! operator's account may name another account.

use axum::extract::State;
use http::{Method, StatusCode};
use serde::Deserialize;
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{PrincipalId, Role};
use tenterhook_wire::{ChangedPrincipal, List, NewPrincipal, Principal};

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::native::accounts::{OfAccount, acting_for};
use crate::native::created::{Created, created};
use crate::native::page::{PageQuery, Place};
use crate::native::words;
use crate::refusal::Refusal;
use crate::time_text::time_text;

const ACCOUNT: &str = "another account than the caller's, for owners of the operator's account";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let owner = Access::Role(Role::Owner);
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/principals",
            owner,
            "create_principal",
            create_principal,
        )
        .summary("Creates a principal; its tokens are issued separately")
        .reads::<NewPrincipal>()
        .answers::<Principal>(201),
        Endpoint::new(
            Method::GET,
            "/api/v1/principals",
            owner,
            "list_principals",
            list_principals,
        )
        .summary("Lists the principals of the account, oldest first")
        .query("account", ACCOUNT)
        .query("limit", "items in a page, 1 to 1000; 100 by default")
        .query("after", "the `next` of the previous page")
        .answers_items::<Principal>(),
        Endpoint::new(
            Method::GET,
            "/api/v1/principals/{id}",
            owner,
            "get_principal",
            get_principal,
        )
        .summary("Shows a principal")
        .query("account", ACCOUNT)
        .answers::<Principal>(200),
        Endpoint::new(
            Method::PATCH,
            "/api/v1/principals/{id}",
            owner,
            "change_principal",
            change_principal,
        )
        .summary("Changes the given members; a lower role applies to its tokens at once")
        .query("account", ACCOUNT)
        .reads::<ChangedPrincipal>()
        .answers::<Principal>(200),
        Endpoint::new(
            Method::DELETE,
            "/api/v1/principals/{id}",
            owner,
            "delete_principal",
            delete_principal,
        )
        .summary("Removes a principal with all its tokens; the account's last owner stays")
        .query("account", ACCOUNT)
        .answers_empty(204),
    ]
}

/// Shows a principal.
fn show(own: dispatch::Principal) -> Principal {
    Principal {
        id: own.id.to_string(),
        account: own.account.to_string(),
        name: own.name,
        role: words::role(own.role),
        created_at: time_text(own.created_at),
        modified_at: time_text(own.modified_at),
    }
}

async fn create_principal(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<NewPrincipal>,
) -> Result<Created<Principal>, Refusal> {
    let account = acting_for(&app, &caller, "/account", body.account).await?;
    let new = dispatch::NewPrincipal {
        name: body.name,
        role: words::read_role(body.role),
    };
    let principal = show(app.dispatcher().principals().create(account, new).await?);
    let id = if account == caller.account() {
        principal.id.clone()
    } else {
        format!("{}?account={account}", principal.id)
    };
    Ok(created("/api/v1/principals", &id, principal))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PrincipalQuery {
    account: Option<String>,
    limit: Option<u32>,
    after: Option<String>,
}

async fn list_principals(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<PrincipalQuery>,
) -> Result<Json<List<Principal>>, Refusal> {
    let account = acting_for(&app, &caller, "?account", query.account).await?;
    let principals = app.dispatcher().principals().list(account).await?;
    let page = PageQuery::new(query.limit, query.after);
    let List { items, next } = page.cut(principals, |principal| {
        Place::new(principal.created_at, principal.id.as_uuid())
    })?;
    let items = items.into_iter().map(show).collect();
    Ok(Json(List { items, next }))
}

async fn get_principal(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PrincipalId>,
    Query(of): Query<OfAccount>,
) -> Result<Json<Principal>, Refusal> {
    let account = of.account(&app, &caller).await?;
    let principal = app.dispatcher().principals().get(account, id).await?;
    Ok(Json(show(principal)))
}

async fn change_principal(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PrincipalId>,
    Query(of): Query<OfAccount>,
    Json(body): Json<ChangedPrincipal>,
) -> Result<Json<Principal>, Refusal> {
    let account = of.account(&app, &caller).await?;
    let change = dispatch::PrincipalChange {
        name: body.name,
        role: body.role.map(words::read_role),
    };
    let principal = app
        .dispatcher()
        .principals()
        .change(account, id, change)
        .await?;
    Ok(Json(show(principal)))
}

async fn delete_principal(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PrincipalId>,
    Query(of): Query<OfAccount>,
) -> Result<StatusCode, Refusal> {
    let account = of.account(&app, &caller).await?;
    app.dispatcher().principals().delete(account, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
