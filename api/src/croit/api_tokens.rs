//! `/api-tokens`: tokens for programs, as croit names them.
//!
//! Our tokens do not change once they are issued; a change is refused with the
//! remedy. The role `securefolder` has no counterpart here.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use tenterhook_dispatch::{NewToken, Role, TokenId, TokenKind};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::croit::login::print_role;
use crate::croit::negotiation::Form;
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path};
use crate::refusal::Refusal;
use crate::time_text::{read_expiry, time_text};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let owner = Access::Role(Role::Owner);
    vec![
        Endpoint::new(
            Method::GET,
            "/api/api-tokens",
            owner,
            "list_api_tokens",
            list_api_tokens,
        )
        .summary("Lists the issued tokens")
        .answers_list::<ApiToken>(),
        Endpoint::new(
            Method::POST,
            "/api/api-tokens",
            owner,
            "create_api_token",
            create_api_token,
        )
        .summary("Issues a token; returns its secret, only this once")
        .reads::<ApiTokenRequest>()
        .answers_raw(200, &["text/plain", "application/json"]),
        Endpoint::new(
            Method::PATCH,
            "/api/api-tokens/{id}",
            owner,
            "change_api_token",
            change_api_token,
        )
        .summary("Is rejected: issue another token and delete this one")
        .answers_empty(409),
        Endpoint::new(
            Method::DELETE,
            "/api/api-tokens/{id}",
            owner,
            "delete_api_token",
            delete_api_token,
        )
        .summary("Revokes a token")
        .answers_empty(204),
    ]
}

/// An issued token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
struct ApiToken {
    id: String,
    name: String,
    roles: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<String>,
}

/// A token to issue.
#[derive(Debug, Deserialize, ToSchema)]
struct ApiTokenRequest {
    name: String,
    /// `admin` or `viewer`; the higher one counts.
    roles: Vec<String>,
    /// RFC 3339; never by default.
    expiry: Option<String>,
}

impl ApiTokenRequest {
    /// A token of the caller's own, that allows no more than the caller may.
    fn read(self, caller: &Caller) -> Result<NewToken, Refusal> {
        let mut role = None;
        for name in &self.roles {
            let named = match name.as_str() {
                "admin" => Role::Admin,
                "viewer" => Role::Viewer,
                _ => return Err(Refusal::invalid("/roles", "may hold `admin` and `viewer`")),
            };
            role = role.max(Some(named));
        }
        let role =
            role.ok_or_else(|| Refusal::invalid("/roles", "must hold `admin` or `viewer`"))?;
        if role > caller.0.role {
            return Err(Refusal::invalid("/roles", "cannot be more than your own"));
        }
        Ok(NewToken {
            name: self.name,
            principal: Some(caller.principal()),
            role,
            expires_at: self
                .expiry
                .map(|text| read_expiry("/expiry", &text))
                .transpose()?,
        })
    }
}

async fn list_api_tokens(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Vec<ApiToken>>, Refusal> {
    let tokens = app.dispatcher().tokens().list(caller.account()).await?;
    let rows = tokens
        .into_iter()
        .filter(|token| token.kind == TokenKind::Issued)
        .map(|token| ApiToken {
            id: token.id.to_string(),
            name: token.name,
            roles: [print_role(token.role)],
            expiry: token.expires_at.map(time_text),
        })
        .collect();
    Ok(Json(rows))
}

async fn create_api_token(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(body): Json<ApiTokenRequest>,
) -> Result<Response, Refusal> {
    let form = Form::wanted(&headers)?;
    let (_, secret) = app
        .dispatcher()
        .tokens()
        .issue(caller.account(), body.read(&caller)?)
        .await?;
    Ok(form.give(secret.reveal().to_owned()))
}

async fn change_api_token(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TokenId>,
) -> Result<(), Refusal> {
    let tokens = app.dispatcher().tokens().list(caller.account()).await?;
    if tokens.iter().any(|token| token.id == id) {
        return Err(Refusal::Conflict(
            "an issued token does not change; issue another one and delete this one".to_owned(),
        ));
    }
    Err(tenterhook_dispatch::Error::not_found(tenterhook_dispatch::Noun::Token, id).into())
}

async fn delete_api_token(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, Refusal> {
    app.dispatcher()
        .tokens()
        .revoke(caller.account(), id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
