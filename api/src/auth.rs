//! Authentication: who is asking, and whether their role is enough for the call.
//!
//! Every endpoint declares whom it admits; the guard in front of it is built from that.
//! Tokens are never logged, and timing does not distinguish them: they are looked up by
//! their SHA-256, of which no client can choose a prefix.

use std::time::Instant;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http::request::Parts;
use tenterhook_dispatch::{AccountId, Identity, PrincipalId, Role};

use crate::app::App;
use crate::audit::AuditEntry;
use crate::authority;
use crate::charge::Charge;
use crate::credentials;
use crate::dialect::Dialect;
use crate::door::Door;
use crate::failures::{Attempt, Client};
use crate::refusal::Refusal;

const MISSING_TOKEN: Refusal =
    Refusal::Unauthenticated("this call needs a token; send it as `Authorization: Bearer <token>`");

/// Whom a call admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everyone, without a token.
    Everyone,
    /// Everyone, whatever other clients hold: monitoring must always get a reply.
    Probe,
    /// Holders of a token with this role or a higher one.
    Role(Role),
}

/// The guard in front of one endpoint.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) app: App,
    /// That of the endpoint's API.
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) access: Access,
    /// The endpoint's id, for the audit.
    pub(crate) operation: &'static str,
}

/// Lets a request through to its endpoint, or refuses it.
pub(crate) async fn guard(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let charge = Charge::of(request.extensions());
    let needed = match guard.access {
        Access::Probe => {
            charge.exempt();
            return Ok(next.run(request).await);
        }
        Access::Everyone => {
            charge.admit()?;
            let door = Door::of(request.extensions()).for_strangers();
            request.extensions_mut().insert(door);
            return Ok(next.run(request).await);
        }
        Access::Role(needed) => needed,
    };
    let path = request.uri().path().to_owned();
    let from = Client::of(request.extensions());
    // Before a byte of the body is read: only holders of a valid token may send one.
    let identity = authenticate(&guard, from, request.headers()).await?;
    let account = identity.account;
    if let Err(refusal) = charge.charge_to(account.holder()) {
        let is_operator = identity.role == Role::Owner
            && guard
                .app
                .dispatcher()
                .accounts()
                .get(account)
                .await?
                .is_operator();
        if !is_operator {
            return Err(refusal);
        }
        charge.charge_to_reserve(account.holder())?;
    }
    let turned_away = guard
        .dialect
        .turn_away(guard.app.dispatcher(), &identity, needed, &path)
        .await;
    let audit_entry =
        AuditEntry::begin(guard.dialect, guard.operation, &identity, &mut request).await?;
    request.extensions_mut().insert(Caller(identity.clone()));
    let response = match turned_away {
        None => next.run(request).await,
        Some(response) => response,
    };
    if let Some(audit_entry) = audit_entry {
        let status = response.status();
        audit_entry.submit(&guard.app, account, status).await;
    }
    authority::bind(&guard.app, &identity, needed, response).await
}

async fn authenticate(
    guard: &Guard,
    from: Client,
    headers: &HeaderMap,
) -> Result<Identity, Refusal> {
    let places = guard.dialect.token_places();
    let secret = credentials::token(places, headers).ok_or(MISSING_TOKEN)?;
    let identity = identify(guard, from, secret).await?;
    if let Some(secret) = credentials::service_token(places, headers) {
        identify(guard, from, secret).await?;
    }
    Ok(identity)
}

/// Finds out whose secret it is. It is looked up whatever has failed before: only wrong
/// ones are ever refused for that.
async fn identify(guard: &Guard, from: Client, secret: &str) -> Result<Identity, Refusal> {
    let attempt = Attempt {
        from,
        name: None,
        secret,
    };
    let failures = guard.app.failures();
    let Some(lookup) = failures.look_up(attempt, Instant::now()).await else {
        return Err(failures.failed(attempt, Refusal::InvalidToken, Instant::now()));
    };
    let identities = guard.app.dispatcher().identities();
    let identity = identities.authenticate(secret).await;
    drop(lookup);
    let identity = identity.map_err(|error| guard.dialect.token_not_looked_up(error))?;
    let Some(identity) = identity else {
        failures.found_nothing(secret, Instant::now());
        return Err(failures.failed(attempt, Refusal::InvalidToken, Instant::now()));
    };
    failures.succeeded(secret);
    Ok(identity)
}

/// The caller. Only behind a guard that demands a role.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Identity);

impl Caller {
    /// The account that the token opens.
    pub(crate) fn account(&self) -> AccountId {
        self.0.account
    }

    /// Whose token it is: who creates and changes things with it.
    pub(crate) fn principal(&self) -> PrincipalId {
        self.0.principal
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or(MISSING_TOKEN)
    }
}
