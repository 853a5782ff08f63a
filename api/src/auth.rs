//! Who is asking, and whether their role is enough for the call.
//!
//! Every endpoint says whom it admits; the guard in front of it is built from
//! that. Tokens are never logged and never told apart by how long a look takes.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, header};
use tenterhook_dispatch::{AccountId, Principal, Role};

use crate::app::App;
use crate::audit::Note;
use crate::refusal::Refusal;

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
    let principal = authenticate(&guard.app, request.headers()).await?;
    let account = principal.account;
    let enough = principal.role >= needed;
    let note = Note::take(guard.operation, &principal, &mut request).await?;
    request.extensions_mut().insert(Caller(principal));
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

async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Principal, Refusal> {
    let secret = bearer(headers).ok_or(Refusal::Unauthenticated(
        "this call needs a token; send it as `Authorization: Bearer <token>`",
    ))?;
    app.dispatcher()
        .authenticate(secret)
        .await?
        .ok_or(Refusal::Unauthenticated(
            "the token is unknown, was revoked or has expired; use another one",
        ))
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    credentials(headers, "bearer")
}

/// What follows the scheme in the `Authorization` header, if it is this scheme.
pub(crate) fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (own, rest) = value.split_once(' ')?;
    own.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// Whoever is asking. Only behind a guard that demands a role.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Principal);

impl Caller {
    /// The account that the token opens.
    pub(crate) fn account(&self) -> AccountId {
        self.0.account
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(Refusal::Unauthenticated("this call needs a token"))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_token_follows_the_scheme_in_any_case() {
        let token = |value: &'static str| {
            let headers =
                HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(token("Bearer th_x").as_deref(), Some("th_x"));
        assert_eq!(token("bearer  th_x ").as_deref(), Some("th_x"));
        assert_eq!(token("Basic th_x"), None);
        assert_eq!(token("th_x"), None);
    }
}
