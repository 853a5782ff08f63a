//! The native face's errors: RFC 9457 problem documents.
//!
//! Each type has a constructor, so that status and `type` cannot disagree, and
//! a page in `docs/problems`. A hook that failed is not a problem.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tenterhook_dispatch::Unavailable;

use crate::refusal::Refusal;
use crate::request_id::RequestId;

/// Every problem type that has a page, as the last part of its `type`.
#[cfg(test)]
pub(crate) const TYPES: [&str; 16] = [
    "unauthenticated",
    "forbidden",
    "unreadable-body",
    "invalid-request",
    "not-found",
    "name-taken",
    "read-only",
    "withheld",
    "hooks-disabled",
    "conflict",
    "changed-meanwhile",
    "invalid-program",
    "too-many-failures",
    "too-busy",
    "insufficient-storage",
    "internal",
];

/// One problem document.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    detail: String,
    instance: String,
    #[serde(flatten)]
    extensions: Map<String, Value>,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// Describes a refusal. `id` is what `instance` names.
    pub(crate) fn new(refusal: &Refusal, id: &RequestId) -> Self {
        let problem = match refusal {
            Refusal::Unauthenticated(_) | Refusal::InvalidToken => {
                Self::typed("unauthenticated", "The token is missing or not valid")
            }
            Refusal::Forbidden { needs } | Refusal::ForeignValues { needs, .. } => {
                Self::typed("forbidden", "The token's role is not enough")
                    .with("needs", json!(needs))
            }
            Refusal::NoRoute => Self::untyped("Not Found"),
            Refusal::WrongMethod => Self::untyped("Method Not Allowed"),
            Refusal::NotAcceptable { .. } => Self::untyped("Not Acceptable"),
            Refusal::TooSlow => Self::untyped("Request Timeout"),
            Refusal::TokensUnavailable => {
                Self::untyped(refusal.status().canonical_reason().unwrap_or("Not done"))
            }
            Refusal::Unreadable(_) => Self::typed("unreadable-body", "The body cannot be read"),
            Refusal::UnsupportedMedia(_) => Self::typed(
                "unreadable-body",
                "The body is in a form that is not read here",
            ),
            Refusal::TooLarge {
                limit_bytes,
                size_bytes,
            } => {
                let problem = Self::typed("unreadable-body", "The request is too large")
                    .with("limit_bytes", json!(limit_bytes));
                match size_bytes {
                    Some(size) => problem.with("size_bytes", json!(size)),
                    None => problem,
                }
            }
            Refusal::Invalid(faults) => Self::typed(
                "invalid-request",
                "The request asks for something that cannot be",
            )
            .with(
                "errors",
                faults
                    .iter()
                    .map(|fault| json!({"pointer": fault.pointer, "detail": fault.detail}))
                    .collect(),
            ),
            Refusal::NotFound { noun, id } => Self::typed("not-found", "Not found")
                .with("noun", json!(noun))
                .with("id", json!(id)),
            Refusal::NameTaken { name } => {
                Self::typed("name-taken", "The name is already used").with("name", json!(name))
            }
            Refusal::ReadOnly { noun, id } => Self::typed("read-only", "It cannot be changed")
                .with("noun", json!(noun))
                .with("id", json!(id)),
            Refusal::Withheld { noun, id } => Self::typed("withheld", "It is never shown")
                .with("noun", json!(noun))
                .with("id", json!(id)),
            Refusal::HooksDisabled => {
                Self::typed("hooks-disabled", "Execution hooks are switched off")
            }
            Refusal::Conflict(_) => Self::typed("conflict", "Conflict"),
            Refusal::ChangedMeanwhile { noun, id } => {
                Self::typed("changed-meanwhile", "Precondition failed")
                    .with("noun", json!(noun))
                    .with("id", json!(id))
            }
            Refusal::InvalidProgram { digest, reason } => {
                let problem = Self::typed("invalid-program", "The program was not accepted")
                    .with("reason", json!(reason));
                match digest {
                    Some(digest) => problem.with("digest", json!(digest)),
                    None => problem,
                }
            }
            Refusal::TooManyFailures { .. } => {
                Self::typed("too-many-failures", "Too many attempts have failed")
            }
            Refusal::TooBusy => Self::typed("too-busy", "Too much is waiting already"),
            Refusal::DiskFull(_) | Refusal::Unavailable(Unavailable::DiskFull) => Self::typed(
                "insufficient-storage",
                "There is not enough room on the disk",
            ),
            Refusal::Unavailable(_) => {
                Self::typed("too-busy", "The database cannot be used at the moment")
            }
            Refusal::Shortage(shortage) => {
                Self::typed("too-busy", "Not enough of a shared resource is left")
                    .with("resource", json!(shortage.resource.as_str()))
            }
            Refusal::InvalidHost(_) | Refusal::InvalidPosition => Self::untyped("Bad Request"),
            Refusal::Internal => Self::typed("internal", "The server failed"),
        };
        Self {
            status: refusal.status(),
            detail: refusal.detail(),
            instance: format!("urn:tenterhook:request:{id}"),
            ..problem
        }
    }

    fn typed(name: &str, title: &'static str) -> Self {
        Self {
            kind: format!("/problems/{name}"),
            title,
            status: StatusCode::INTERNAL_SERVER_ERROR,
            detail: String::new(),
            instance: String::new(),
            extensions: Map::new(),
        }
    }

    fn untyped(title: &'static str) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            ..Self::typed("", title)
        }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.extensions.insert(name.to_owned(), value);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("a problem holds nothing that JSON cannot say");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

#[cfg(test)]
mod tests;
