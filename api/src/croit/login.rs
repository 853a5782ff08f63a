//! `/auth`: login, user information, logout.
//!
//! The user's name is a principal's name and the password is the secret of one of
//! its tokens; there are no other passwords. A login lasts a day, and ends before with
//! the token that opened it, or when newer ones of the same user take its place.

use std::time::Instant;

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenterhook_dispatch::{Role, TokenKind};
use utoipa::ToSchema;

use crate::app::{App, CroitTimes};
use crate::auth::{Access, Caller};
use crate::credentials;
use crate::croit::form::Form;
use crate::endpoint::Endpoint;
use crate::extract::Json;
use crate::failures::{Attempt, Client};
use crate::refusal::Refusal;
use crate::time_text::time_text;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let form: &[&str] = &["application/x-www-form-urlencoded"];
    let viewer = Access::Role(Role::Viewer);
    vec![
        Endpoint::new(
            Method::POST,
            "/api/auth/login",
            Access::Everyone,
            "login",
            login,
        )
        .summary("Logs in with HTTP Basic and the form `grant_type=client_credentials`")
        .reads_raw(form)
        .answers::<Token>(200),
        Endpoint::new(
            Method::POST,
            "/api/auth/login-form",
            Access::Everyone,
            "login_form",
            login_form,
        )
        .summary("Logs in with the form `grant_type=password`, `username`, `password`")
        .reads_raw(form)
        .answers::<Token>(200),
        Endpoint::new(
            Method::GET,
            "/api/auth/token-info",
            viewer,
            "get_token_info",
            get_token_info,
        )
        .summary("Returns the user that the token belongs to")
        .answers::<TokenInfo>(200),
        Endpoint::new(Method::POST, "/api/auth/logout", viewer, "logout", logout)
            .summary("Ends the login; issued tokens remain valid")
            .answers_empty(201),
    ]
}

/// A login.
#[derive(Debug, Serialize, ToSchema)]
struct Token {
    /// Opaque.
    access_token: String,
    token_type: &'static str,
    /// Seconds, or an ISO 8601 duration where times are given as text.
    #[schema(value_type = Value)]
    expires_in: Value,
    roles: [&'static str; 1],
    /// The principal's id.
    #[serde(rename = "userId")]
    user_id: String,
    #[serde(rename = "passwordWasNeverChanged")]
    password_was_never_changed: bool,
}

/// Whose token it is.
#[derive(Debug, Serialize, ToSchema)]
struct TokenInfo {
    /// The principal's name.
    username: String,
    roles: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<String>,
}

/// croit knows two of our roles; a member has no more than a viewer there.
pub(super) fn print_role(role: Role) -> &'static str {
    if role >= Role::Admin {
        "admin"
    } else {
        "viewer"
    }
}

#[derive(Debug, Deserialize)]
struct Grant {
    grant_type: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

impl Grant {
    fn check(&self, expected: &str) -> Result<(), Refusal> {
        if self.grant_type.as_deref() == Some(expected) {
            return Ok(());
        }
        Err(Refusal::invalid(
            "/grant_type",
            format!("must be `{expected}`"),
        ))
    }
}

async fn login(
    State(app): State<App>,
    from: Client,
    headers: HeaderMap,
    Form(grant): Form<Grant>,
) -> Result<Json<Token>, Refusal> {
    grant.check("client_credentials")?;
    let (name, secret) = basic(&headers).ok_or(Refusal::Unauthenticated(
        "this call needs a name and a password as `Authorization: Basic`",
    ))?;
    begin(&app, from, &name, &secret).await
}

async fn login_form(
    State(app): State<App>,
    from: Client,
    Form(grant): Form<Grant>,
) -> Result<Json<Token>, Refusal> {
    grant.check("password")?;
    let required = |field: &str| Refusal::invalid(format!("/{field}"), "is required");
    let name = grant.username.ok_or_else(|| required("username"))?;
    let secret = grant.password.ok_or_else(|| required("password"))?;
    begin(&app, from, &name, &secret).await
}

async fn begin(app: &App, from: Client, name: &str, secret: &str) -> Result<Json<Token>, Refusal> {
    let attempt = Attempt {
        from,
        name: Some(name),
        secret,
    };
    const WRONG: Refusal = Refusal::Unauthenticated("the name or the password is wrong");
    let failures = app.failures();
    let Some(lookup) = failures.look_up(attempt, Instant::now()).await else {
        return Err(failures.failed(attempt, WRONG, Instant::now()));
    };
    let lasting = app.session();
    let logged_in = app
        .dispatcher()
        .identities()
        .log_in(name, secret, lasting)
        .await?;
    drop(lookup);
    let Some((identity, access)) = logged_in else {
        return Err(failures.failed(attempt, WRONG, Instant::now()));
    };
    failures.succeeded(secret);
    failures.succeeded(access.reveal());
    let seconds = lasting.as_secs();
    Ok(Json(Token {
        access_token: access.reveal().to_owned(),
        token_type: "bearer",
        expires_in: match app.croit_times() {
            CroitTimes::EpochMillis => seconds.into(),
            CroitTimes::Iso8601 => format!("PT{seconds}S").into(),
        },
        roles: [print_role(identity.role)],
        user_id: identity.principal.to_string(),
        password_was_never_changed: false,
    }))
}

/// Name and password of an `Authorization: Basic` header.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let coded = credentials::scheme(headers, "basic")?;
    let text = String::from_utf8(STANDARD.decode(coded).ok()?).ok()?;
    let (name, secret) = text.split_once(':')?;
    Some((name.to_owned(), secret.to_owned()))
}

async fn get_token_info(caller: Caller) -> Json<TokenInfo> {
    let identity = caller.0;
    Json(TokenInfo {
        username: identity.name,
        roles: [print_role(identity.role)],
        expiry: identity.expires_at.map(time_text),
    })
}

async fn logout(State(app): State<App>, caller: Caller) -> Result<StatusCode, Refusal> {
    let identity = caller.0;
    if identity.kind == TokenKind::Session {
        app.dispatcher()
            .tokens()
            .revoke(identity.account, identity.token)
            .await?;
    }
    Ok(StatusCode::CREATED)
}
