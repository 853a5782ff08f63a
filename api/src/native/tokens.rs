//! Tokens: issued with a secret that is shown once, listed without it, revoked.

use axum::extract::State;
use http::{Method, StatusCode};
use serde::Deserialize;
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{AccountId, PrincipalId, Role, TokenId};
use tenterhook_wire::{IssuedToken, List, NewToken, Token};

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::native::accounts::{OfAccount, acting_for};
use crate::native::created::{Created, created};
use crate::native::page::{PageQuery, Place};
use crate::native::words;
use crate::refusal::Refusal;
use crate::time_text::{read_expiry, time_text};

const ACCOUNT: &str = "another account than the caller's, for owners of the operator's account";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let owner = Access::Role(Role::Owner);
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/tokens",
            owner,
            "create_token",
            create_token,
        )
        .summary("Issues a token; its secret is shown only this once")
        .reads::<NewToken>()
        .answers::<IssuedToken>(201),
        Endpoint::new(
            Method::GET,
            "/api/v1/tokens",
            owner,
            "list_tokens",
            list_tokens,
        )
        .summary("Lists the tokens and logins of the account, oldest first")
        .query("account", ACCOUNT)
        .query("principal", "only those of this principal, by id or name")
        .query("limit", "items in a page, 1 to 1000; 100 by default")
        .query("after", "the `next` of the previous page")
        .answers_items::<Token>(),
        Endpoint::new(
            Method::DELETE,
            "/api/v1/tokens/{id}",
            owner,
            "delete_token",
            delete_token,
        )
        .summary("Revokes a token with the logins that it has opened; what they are reading ends")
        .query("account", ACCOUNT)
        .answers_empty(204),
    ]
}

/// Shows a token.
fn show(own: dispatch::Token) -> Token {
    Token {
        id: own.id.to_string(),
        account: own.account.to_string(),
        principal: own.principal.to_string(),
        name: own.name,
        role: words::role(own.role),
        kind: words::token_kind(own.kind),
        parent: own.parent.map(|id| id.to_string()),
        created_at: time_text(own.created_at),
        expires_at: own.expires_at.map(time_text),
        used_at: own.used_at.map(time_text),
    }
}

async fn create_token(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<NewToken>,
) -> Result<Created<IssuedToken>, Refusal> {
    let account = acting_for(&app, &caller, "/account", body.account).await?;
    let principal = match body.principal {
        Some(named) => Some(find_principal(&app, account, "/principal", &named).await?),
        None => None,
    };
    let role = body
        .role
        .map(words::read_role)
        .or(principal.as_ref().map(|principal| principal.role))
        .ok_or_else(|| Refusal::invalid("/role", "is required unless `principal` is given"))?;
    let new = dispatch::NewToken {
        name: body.name,
        principal: principal.map(|principal| principal.id),
        role,
        expires_at: body
            .expires_at
            .map(|text| read_expiry("/expires_at", &text))
            .transpose()?,
    };
    let (token, secret) = app.dispatcher().tokens().issue(account, new).await?;
    let issued = IssuedToken {
        about: show(token),
        token: secret.reveal().to_owned(),
    };
    Ok(created("/api/v1/tokens", &issued.about.id.clone(), issued))
}

/// The principal that has this id or this name.
async fn find_principal(
    app: &App,
    account: AccountId,
    pointer: &str,
    named: &str,
) -> Result<dispatch::Principal, Refusal> {
    let (id, name) = match (named.strip_prefix("id:"), named.strip_prefix("name:")) {
        (Some(id), _) => (Some(id), None),
        (None, Some(name)) => (None, Some(name)),
        (None, None) => (Some(named), Some(named)),
    };
    let id = id.and_then(|id| id.parse::<PrincipalId>().ok());
    let principals = app.dispatcher().principals().list(account).await?;
    let mut found = principals
        .into_iter()
        .filter(|principal| Some(principal.id) == id || Some(principal.name.as_str()) == name);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Refusal::invalid(
            pointer,
            "is neither the id nor the name of a principal",
        )),
        // A token for the wrong one would have that one's rights.
        (Some(_), Some(_)) => Err(Refusal::invalid(
            pointer,
            format!(
                "is ambiguous: it is the id of one principal and the name of another; say `id:{named}` or \
                 `name:{named}`"
            ),
        )),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenQuery {
    account: Option<String>,
    principal: Option<String>,
    limit: Option<u32>,
    after: Option<String>,
}

async fn list_tokens(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<TokenQuery>,
) -> Result<Json<List<Token>>, Refusal> {
    let account = acting_for(&app, &caller, "?account", query.account).await?;
    let mut tokens = app.dispatcher().tokens().list(account).await?;
    if let Some(named) = query.principal {
        let principal = find_principal(&app, account, "?principal", &named).await?;
        tokens.retain(|token| token.principal == principal.id);
    }
    let page = PageQuery::new(query.limit, query.after);
    let List { items, next } = page.cut(tokens, |token| {
        Place::new(token.created_at, token.id.as_uuid())
    })?;
    let items = items.into_iter().map(show).collect();
    Ok(Json(List { items, next }))
}

async fn delete_token(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TokenId>,
    Query(of): Query<OfAccount>,
) -> Result<StatusCode, Refusal> {
    let account = of.account(&app, &caller).await?;
    app.dispatcher().tokens().revoke(account, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
