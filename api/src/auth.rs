//! Who is asking, and whether their role is enough for the call.
//!
//! Every endpoint says whom it admits; the guard in front of it is built from
//! that. Tokens are never logged and never told apart by how long a look takes: they
//! are looked up by their SHA-256, which nobody can choose a prefix of.

use std::time::Instant;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use tenterhook_dispatch::{AccountId, Identity, PrincipalId, Role};

use crate::app::App;
use crate::audit::Note;
use crate::credentials;
use crate::failures::{Attempt, Client};
use crate::refusal::Refusal;

const MISSING_TOKEN: Refusal =
    Refusal::Unauthenticated("this call needs a token; send it as `Authorization: Bearer <token>`");

/// Whom a call admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody, without a token.
    Everyone,
    /// Whoever has a token with this role or a higher one.
    Role(Role),
}

/// What stands in front of one endpoint.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) app: App,
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
    let Access::Role(needed) = guard.access else {
        return Ok(next.run(request).await);
    };
    let identity = authenticate(&guard.app, &request).await?;
    let account = identity.account;
    let enough = identity.role >= needed;
    let note = Note::take(guard.operation, &identity, &mut request).await?;
    request.extensions_mut().insert(Caller(identity));
    let response = if enough {
        next.run(request).await
    } else {
        axum::response::IntoResponse::into_response(Refusal::Forbidden {
            needs: needed.as_str(),
        })
    };
    if let Some(note) = note {
        note.record(&guard.app, account, response.status()).await;
    }
    Ok(response)
}

async fn authenticate(app: &App, request: &Request) -> Result<Identity, Refusal> {
    let secret =
        credentials::token(request.uri().path(), request.headers()).ok_or(MISSING_TOKEN)?;
    let attempt = Attempt {
        from: Client::of(request.extensions()),
        name: None,
        secret,
    };
    app.failures().admit(attempt, Instant::now())?;
    let Some(identity) = app.dispatcher().authenticate(secret).await? else {
        app.failures().failed(attempt, Instant::now());
        return Err(Refusal::Unauthenticated(
            "the token is unknown, was revoked or has expired; use another one",
        ));
    };
    app.failures().succeeded(secret);
    Ok(identity)
}

/// Whoever is asking. Only behind a guard that demands a role.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Identity);

impl Caller {
    /// The account that the token opens.
    pub(crate) fn account(&self) -> AccountId {
        self.0.account
    }

    /// Whose token it is: who makes and changes things with it.
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
