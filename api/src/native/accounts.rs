//! Accounts: the tenants. Owners of the operator's own account may make more.

use axum::extract::State;
use http::Method;
use serde::{Deserialize, Serialize};
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{AccountId, Role};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::endpoint::Endpoint;
use crate::extract::{Json, Query};
use crate::native::page::{List, Wanted};
use crate::native::{Created, created, time_text};
use crate::refusal::Refusal;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/accounts",
            Access::Role(Role::Owner),
            "create_account",
            create_account,
        )
        .summary("Makes an account; for owners of the operator's account")
        .reads::<NewAccount>()
        .answers::<Account>(201),
        Endpoint::new(
            Method::GET,
            "/api/v1/accounts",
            Access::Role(Role::Viewer),
            "list_accounts",
            list_accounts,
        )
        .summary("Lists the caller's account; all of them for owners of the operator's")
        .query("limit", "items in a page, 1 to 1000; 100 by default")
        .query("after", "the `next` of the page before")
        .answers::<List<Account>>(200),
    ]
}

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Account {
    id: String,
    number: i32,
    name: String,
    created_at: String,
}

impl Account {
    fn new(own: dispatch::Account) -> Self {
        Self {
            id: own.id.to_string(),
            number: own.number.get(),
            name: own.name,
            created_at: time_text(own.created_at),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    name: String,
}

/// Whether the caller is an owner of the operator's own account.
pub(super) async fn is_operator(app: &App, caller: &Caller) -> Result<bool, Refusal> {
    if caller.0.role < Role::Owner {
        return Ok(false);
    }
    let accounts = app.dispatcher().accounts().await?;
    Ok(accounts
        .iter()
        .any(|account| account.id == caller.account() && account.is_operator()))
}

/// The account that a body names, if the caller may act for it.
pub(super) async fn acting_for(
    app: &App,
    caller: &Caller,
    said: Option<String>,
) -> Result<AccountId, Refusal> {
    let Some(said) = said else {
        return Ok(caller.account());
    };
    let known = app.dispatcher().accounts().await?;
    let own = known.into_iter().find(|account| {
        account.id.to_string() == said.to_ascii_lowercase() || account.number.to_string() == said
    });
    match own {
        Some(account) if account.id == caller.account() => Ok(account.id),
        Some(account) if is_operator(app, caller).await? => Ok(account.id),
        // Whether it exists is nobody else's business.
        _ => Err(Refusal::invalid(
            "/account",
            "is not an account that you may act for",
        )),
    }
}

async fn create_account(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewAccount>,
) -> Result<Created<Account>, Refusal> {
    if !is_operator(&app, &caller).await? {
        return Err(Refusal::Forbidden {
            needs: "owner of the operator's account",
        });
    }
    let account = Account::new(app.dispatcher().create_account(&new.name).await?);
    Ok(created("/api/v1/accounts", &account.id.clone(), account))
}

async fn list_accounts(
    State(app): State<App>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<List<Account>>, Refusal> {
    let all = is_operator(&app, &caller).await?;
    let mut accounts = app.dispatcher().accounts().await?;
    accounts.retain(|account| all || account.id == caller.account());
    let accounts = accounts.into_iter().map(Account::new).collect();
    wanted
        .cut(accounts, |account: &Account| account.number)
        .map(Json)
}
