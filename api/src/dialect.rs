//! How one API differs from the others in what all of them do: who is admitted, how a
//! refusal is printed, which headers a reply has.
//!
//! The shared code knows an API only by this; [`router`](mod@crate::router) passes the APIs in. What
//! an API serves is in its list of endpoints.

use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};
use http::{Extensions, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tenterhook_dispatch::{Dispatcher, Error, Identity, Role};

use crate::audit::redaction::SourceMember;
use crate::credentials::{self, TokenPlace};
use crate::face::Face;
use crate::refusal::Refusal;
use crate::request_id::RequestId;

/// What one API does in its own way. The defaults are those of most APIs.
pub(crate) trait Dialect: Send + Sync {
    /// The media type of the API's errors.
    fn error_media_type(&self) -> &'static str {
        "application/json"
    }

    /// Prints a refusal as the API's error.
    fn print(&self, refusal: &Refusal, id: &RequestId) -> Response;

    /// Prints the API's own problem, if the reply carries one.
    fn print_own(&self, _carried: &mut Extensions, _id: &RequestId) -> Option<Response> {
        None
    }

    /// The refusal of a request whose token cannot be looked up.
    fn token_not_looked_up(&self, error: Error) -> Refusal {
        error.into()
    }

    /// The reply to a caller who may not make a call that needs this role; `None` if they
    /// may.
    fn turn_away<'a>(
        &'a self,
        _dispatcher: &'a Dispatcher,
        caller: &'a Identity,
        needed: Role,
        _path: &'a str,
    ) -> BoxFuture<'a, Option<Response>> {
        let reply = (caller.role < needed).then(|| {
            Refusal::Forbidden {
                needs: needed.as_str(),
            }
            .into_response()
        });
        future::ready(reply).boxed()
    }

    /// Where the API's clients put their token.
    fn token_places(&self) -> &'static [TokenPlace] {
        credentials::BEARER
    }

    /// How a client that sent these headers is to authenticate.
    fn challenge(&self, _headers: &HeaderMap) -> HeaderValue {
        HeaderValue::from_static("Bearer realm=\"tenterhook\"")
    }

    /// The headers of every reply to a request with these headers.
    fn reply_headers(&self, _headers: &HeaderMap, _id: &RequestId) -> HeaderMap {
        HeaderMap::new()
    }

    /// The area of the API that an audit entry of a call at this path names: `events` of
    /// `/api/events/hooks`, and `hooks` of `/api/v1/hooks`.
    fn audit_category<'a>(&self, path: &'a str) -> &'a str {
        let path = path.strip_prefix("/api").unwrap_or(path);
        let path = path.strip_prefix("/v1").unwrap_or(path);
        path.split('/').nth(1).unwrap_or_default()
    }

    /// Whether the API's calls read and audit their bodies themselves.
    fn audits_bodies(&self) -> bool {
        false
    }

    /// What the API has in a member named `source`.
    fn source_member(&self) -> SourceMember {
        SourceMember::Reference
    }

    /// The schema of the parameters in the API's paths.
    fn path_parameter_schema(&self) -> Value {
        json!({"type": "string"})
    }
}

/// The dialects of all APIs.
#[derive(Clone, Copy)]
pub(crate) struct Dialects {
    pub(crate) croit: &'static dyn Dialect,
    pub(crate) native: &'static dyn Dialect,
    pub(crate) astra: &'static dyn Dialect,
    pub(crate) nova: &'static dyn Dialect,
    pub(crate) fenix: &'static dyn Dialect,
}

impl Dialects {
    /// The dialect of one API.
    pub(crate) fn of(&self, face: Face) -> &'static dyn Dialect {
        match face {
            Face::Croit => self.croit,
            Face::Native => self.native,
            Face::Astra => self.astra,
            Face::Nova => self.nova,
            Face::Fenix => self.fenix,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::DIALECTS;

    #[test]
    fn the_category_is_the_first_part_of_the_path() {
        for (path, category) in [
            ("/api/events/hooks/3", "events"),
            ("/api/v1/hooks", "hooks"),
            ("/", ""),
            (
                "/accounts/x/k8s/v1/apps/y/executionHooks/z",
                "executionHooks",
            ),
        ] {
            let dialect = DIALECTS.of(Face::of(path));
            assert_eq!(dialect.audit_category(path), category, "{path}");
        }
    }
}
