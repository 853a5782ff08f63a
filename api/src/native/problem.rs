//! The native API's errors: RFC 9457 problem documents.
//!
//! Each type has a constructor, so that status and `type` cannot disagree, and
//! a page in `docs/problems`. A hook that failed is not a problem.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use tenterhook_dispatch::Unavailable;
use tenterhook_wire::Problem;

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

/// Describes a refusal of the request with this id.
pub(super) fn of_request(refusal: &Refusal, id: &RequestId) -> Problem {
    Problem {
        instance: Some(format!("urn:tenterhook:request:{id}")),
        ..describe(refusal)
    }
}

/// Describes a refusal without the request that it would name.
pub(super) fn describe(refusal: &Refusal) -> Problem {
    let problem = match refusal {
        Refusal::Unauthenticated(_) | Refusal::InvalidToken => {
            typed("unauthenticated", "The token is missing or not valid")
        }
        Refusal::Forbidden { needs } | Refusal::ForeignValues { needs, .. } => {
            typed("forbidden", "The token's role is not enough").with("needs", json!(needs))
        }
        Refusal::NoRoute => untyped("Not Found"),
        Refusal::WrongMethod => untyped("Method Not Allowed"),
        Refusal::NotAcceptable { .. } => untyped("Not Acceptable"),
        Refusal::TooSlow => untyped("Request Timeout"),
        Refusal::TokensUnavailable => {
            untyped(refusal.status().canonical_reason().unwrap_or("Not done"))
        }
        Refusal::Unreadable(_) => typed("unreadable-body", "The body cannot be read"),
        Refusal::UnsupportedMedia(_) => {
            typed("unreadable-body", "The body's format is not supported")
        }
        Refusal::TooLarge {
            limit_bytes,
            size_bytes,
        } => {
            let problem = typed("unreadable-body", "The request is too large")
                .with("limit_bytes", json!(limit_bytes));
            match size_bytes {
                Some(size) => problem.with("size_bytes", json!(size)),
                None => problem,
            }
        }
        Refusal::Invalid(faults) => typed("invalid-request", "The request is invalid").with(
            "errors",
            faults
                .iter()
                .map(|fault| json!({"pointer": fault.pointer, "detail": fault.detail}))
                .collect(),
        ),
        Refusal::NotFound { noun, id } => typed("not-found", "Not found")
            .with("noun", json!(noun))
            .with("id", json!(id)),
        Refusal::NameTaken { name } => {
            typed("name-taken", "The name is already in use").with("name", json!(name))
        }
        Refusal::ReadOnly { noun, id } => typed("read-only", "The resource is read-only")
            .with("noun", json!(noun))
            .with("id", json!(id)),
        Refusal::Withheld { noun, id } => typed("withheld", "The content is withheld")
            .with("noun", json!(noun))
            .with("id", json!(id)),
        Refusal::HooksDisabled => typed("hooks-disabled", "Execution hooks are switched off"),
        Refusal::Conflict(_) => typed("conflict", "Conflict"),
        Refusal::ChangedMeanwhile { noun, id } => typed("changed-meanwhile", "Precondition failed")
            .with("noun", json!(noun))
            .with("id", json!(id)),
        Refusal::InvalidProgram { digest, reason } => {
            let problem = typed("invalid-program", "The program was not accepted")
                .with("reason", json!(reason));
            match digest {
                Some(digest) => problem.with("digest", json!(digest)),
                None => problem,
            }
        }
        Refusal::TooManyFailures { .. } => {
            typed("too-many-failures", "Too many attempts have failed")
        }
        Refusal::TooBusy => typed("too-busy", "The server is too busy"),
        Refusal::DiskFull(_) | Refusal::Unavailable(Unavailable::DiskFull) => {
            typed("insufficient-storage", "Not enough disk space")
        }
        Refusal::Unavailable(_) => typed("too-busy", "The database cannot be used at the moment"),
        Refusal::Shortage(shortage) => typed("too-busy", "Not enough of a shared resource is left")
            .with("resource", json!(shortage.resource.as_str())),
        Refusal::InvalidHost(_) | Refusal::InvalidPosition => untyped("Bad Request"),
        Refusal::Internal => typed("internal", "The server failed"),
    };
    Problem {
        status: refusal.status().as_u16(),
        detail: refusal.detail(),
        ..problem
    }
}

fn typed(name: &str, title: &str) -> Problem {
    Problem {
        kind: format!("/problems/{name}"),
        title: title.to_owned(),
        ..Problem::default()
    }
}

fn untyped(title: &str) -> Problem {
    Problem {
        kind: "about:blank".to_owned(),
        title: title.to_owned(),
        ..Problem::default()
    }
}

/// Responds with a problem.
pub(super) fn respond(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(problem).expect("a problem holds nothing that JSON cannot say");
    let kind = HeaderValue::from_static("application/problem+json");
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

#[cfg(test)]
mod tests;
