//! Tokens: issued with a secret that is shown once, listed without it, revoked.

use axum::extract::State;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{NewToken as New, Role, TokenId};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path};
use crate::native::accounts::acting_for;
use crate::native::page::List;
use crate::native::{Created, created, time_text};
use crate::refusal::Refusal;

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
        .summary("Issues a token; its secret is shown this once")
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
        .answers::<List<Token>>(200),
        Endpoint::new(
            Method::DELETE,
            "/api/v1/tokens/{id}",
            owner,
            "delete_token",
            delete_token,
        )
        .summary("Revokes a token")
        .answers_empty(204),
    ]
}

/// What is known of a token; the secret is not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Token {
    id: String,
    account: String,
    name: String,
    /// `viewer`, `member`, `admin` or `owner`.
    role: &'static str,
    /// `issued`, or `session` for a login.
    #[schema(value_type = String)]
    kind: dispatch::TokenKind,
    created_at: String,
    expires_at: Option<String>,
    used_at: Option<String>,
}

impl Token {
    fn new(own: dispatch::Token) -> Self {
        Self {
            id: own.id.to_string(),
            account: own.account.to_string(),
            name: own.name,
            role: own.role.as_str(),
            kind: own.kind,
            created_at: time_text(own.created_at),
            expires_at: own.expires_at.map(time_text),
            used_at: own.used_at.map(time_text),
        }
    }
}

/// A token to issue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// The account's id or number; the caller's own by default.
    #[serde(default)]
    account: Option<String>,
    name: String,
    /// `viewer`, `member`, `admin` or `owner`.
    #[schema(value_type = String)]
    role: Role,
    /// RFC 3339; never by default.
    #[serde(default)]
    expires_at: Option<String>,
}

/// A new token with its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IssuedToken {
    #[serde(flatten)]
    about: Token,
    /// The secret. It cannot be shown again.
    token: String,
}

async fn create_token(
    State(app): State<App>,
    caller: Caller,
    Json(said): Json<NewToken>,
) -> Result<Created<IssuedToken>, Refusal> {
    let account = acting_for(&app, &caller, said.account).await?;
    let new = New {
        name: said.name,
        role: said.role,
        expires_at: said
            .expires_at
            .map(|text| read_expiry("/expires_at", &text))
            .transpose()?,
    };
    let (token, secret) = app.dispatcher().issue_token(account, new).await?;
    let issued = IssuedToken {
        about: Token::new(token),
        token: secret.reveal().to_owned(),
    };
    Ok(created("/api/v1/tokens", &issued.about.id.clone(), issued))
}

/// Reads when a token is to end; it must lie ahead.
pub(crate) fn read_expiry(pointer: &str, text: &str) -> Result<OffsetDateTime, Refusal> {
    match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(time) if time > OffsetDateTime::now_utc() => Ok(time),
        Ok(_) => Err(Refusal::invalid(pointer, "must lie in the future")),
        Err(_) => Err(Refusal::invalid(
            pointer,
            "must be a time such as `2027-05-04T03:02:01Z`",
        )),
    }
}

async fn list_tokens(State(app): State<App>, caller: Caller) -> Result<Json<List<Token>>, Refusal> {
    let tokens = app.dispatcher().tokens(caller.account()).await?;
    let items = tokens.into_iter().map(Token::new).collect();
    Ok(Json(List { items, next: None }))
}

async fn delete_token(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, Refusal> {
    app.dispatcher().revoke_token(caller.account(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
