//! Accounts: the tenants. Owners of the operator's own account may create more, and act
//! for each of them.

use axum::extract::State;
use http::Method;
use serde::Deserialize;
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{AccountId, Key, Noun, Role};
use tenterhook_wire::{Account, ChangedAccount, List, NewAccount};

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::native::created::{Created, created};
use crate::native::page::PageQuery;
use crate::refusal::Refusal;
use crate::time_text::time_text;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let viewer = Access::Role(Role::Viewer);
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/accounts",
            Access::Role(Role::Owner),
            "create_account",
            create_account,
        )
        .summary("Creates an account; for owners of the operator's account")
        .reads::<NewAccount>()
        .answers::<Account>(201),
        Endpoint::new(
            Method::GET,
            "/api/v1/accounts",
            viewer,
            "list_accounts",
            list_accounts,
        )
        .summary("Lists the caller's account; all of them for owners of the operator's")
        .query("limit", "items in a page, 1 to 1000; 100 by default")
        .query("after", "the `next` of the previous page")
        .answers_items::<Account>(),
        Endpoint::new(
            Method::GET,
            "/api/v1/accounts/{id}",
            viewer,
            "get_account",
            get_account,
        )
        .summary("Shows the caller's account; any for owners of the operator's")
        .answers::<Account>(200),
        Endpoint::new(
            Method::PATCH,
            "/api/v1/accounts/{id}",
            Access::Role(Role::Admin),
            "change_account",
            change_account,
        )
        .summary("Changes the given members; only owners change the name")
        .reads::<ChangedAccount>()
        .answers::<Account>(200),
    ]
}

/// Shows an account.
fn show(own: dispatch::Account) -> Account {
    Account {
        id: own.id.to_string(),
        number: own.number.get(),
        name: own.name,
        hooks_enabled: own.app_hooks.is_on(),
        created_at: time_text(own.created_at),
    }
}

/// The query of calls about an account's resources.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfAccount {
    account: Option<String>,
}

impl OfAccount {
    /// The account to act for, if the caller may.
    pub(super) async fn account(self, app: &App, caller: &Caller) -> Result<AccountId, Refusal> {
        acting_for(app, caller, "?account", self.account).await
    }
}

/// Whether the caller is an owner of the operator's own account.
async fn is_operator(app: &App, caller: &Caller) -> Result<bool, Refusal> {
    if caller.0.role < Role::Owner {
        return Ok(false);
    }
    let own = app.dispatcher().accounts().get(caller.account()).await?;
    Ok(own.is_operator())
}

/// The account with this id or number, if the caller may see it.
async fn visible(
    app: &App,
    caller: &Caller,
    key: Key<AccountId>,
) -> Result<Option<dispatch::Account>, Refusal> {
    let known = app.dispatcher().accounts().list().await?;
    let account = known.into_iter().find(|account| match key {
        Key::Id(id) => account.id == id,
        Key::Number(number) => account.number == number,
    });
    match account {
        Some(account) if account.id == caller.account() => Ok(Some(account)),
        Some(account) if is_operator(app, caller).await? => Ok(Some(account)),
        // No other caller may learn whether it exists.
        _ => Ok(None),
    }
}

/// The account that `given`, at `pointer`, names, if the caller may act for it.
pub(super) async fn acting_for(
    app: &App,
    caller: &Caller,
    pointer: &str,
    given: Option<String>,
) -> Result<AccountId, Refusal> {
    let Some(given) = given else {
        return Ok(caller.account());
    };
    let account = match given.parse() {
        Ok(key) => visible(app, caller, key).await?,
        Err(_) => None,
    };
    account
        .map(|account| account.id)
        .ok_or_else(|| Refusal::invalid(pointer, "is not an account that you may act for"))
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
    let account = show(app.dispatcher().accounts().create(&new.name).await?);
    Ok(created("/api/v1/accounts", &account.id.clone(), account))
}

async fn list_accounts(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<List<Account>>, Refusal> {
    let all = is_operator(&app, &caller).await?;
    let mut accounts = app.dispatcher().accounts().list().await?;
    accounts.retain(|account| all || account.id == caller.account());
    let accounts = accounts.into_iter().map(show).collect();
    page.cut(accounts, |account: &Account| account.number)
        .map(Json)
}

async fn find(
    app: &App,
    caller: &Caller,
    key: Key<AccountId>,
) -> Result<dispatch::Account, Refusal> {
    visible(app, caller, key)
        .await?
        .ok_or_else(|| dispatch::Error::not_found(Noun::Account, key).into())
}

async fn get_account(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<AccountId>>,
) -> Result<Json<Account>, Refusal> {
    Ok(Json(show(find(&app, &caller, key).await?)))
}

async fn change_account(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<AccountId>>,
    Json(body): Json<ChangedAccount>,
) -> Result<Json<Account>, Refusal> {
    let current = find(&app, &caller, key).await?;
    if body.name.is_some() && caller.0.role < Role::Owner {
        return Err(Refusal::Forbidden { needs: "owner" });
    }
    let dispatcher = app.dispatcher();
    // The switch comes first: it is the one that can be put back if the other fails.
    if let Some(enabled) = body.hooks_enabled {
        dispatcher
            .accounts()
            .switch_app_hooks(current.id, enabled.into())
            .await?;
    }
    if let Some(name) = body.name
        && let Err(error) = dispatcher.accounts().rename(current.id, &name).await
    {
        if body.hooks_enabled.is_some() {
            dispatcher
                .accounts()
                .switch_app_hooks(current.id, current.app_hooks)
                .await?;
        }
        return Err(error.into());
    }
    let account = dispatcher.accounts().get(current.id).await?;
    Ok(Json(show(account)))
}
