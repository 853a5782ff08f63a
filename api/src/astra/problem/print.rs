//! Prints problems, and what all APIs refuse as the row that Astra has for it.
//!
//! A refusal without a row keeps its status, in a problem document without a number.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

use super::{Problem, Row, Wrong, document};
use crate::refusal::{InvalidField, Refusal};
use crate::rejection::OwnProblem as _;
use crate::request_id::RequestId;

/// Prints what is refused for a reason that all APIs share.
pub(in crate::astra) fn print(refusal: &Refusal, id: &RequestId) -> Response {
    match problem(refusal) {
        Some(problem) => problem.print(id),
        None => {
            let status = refusal.status();
            let title = status.canonical_reason().unwrap_or("Not done");
            let members = document("about:blank", status, title, &refusal.detail());
            reply(status, members, id)
        }
    }
}

impl Problem {
    /// Prints a problem document. `id` is what `correlationID` names.
    pub(in crate::astra) fn print(&self, id: &RequestId) -> Response {
        reply(self.status(), self.members(), id)
    }
}

fn reply(status: StatusCode, mut members: Map<String, Value>, id: &RequestId) -> Response {
    members.insert("correlationID".into(), id.as_uuid().to_string().into());
    let body = Value::Object(members).to_string();
    let kind = HeaderValue::from_static("application/problem+json");
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

/// The row for what shared code refuses.
fn problem(refusal: &Refusal) -> Option<Problem> {
    Some(match refusal {
        Refusal::Unauthenticated(_) => Row::MissingToken.into(),
        Refusal::InvalidToken => Row::InvalidToken.into(),
        Refusal::Forbidden { .. } => Row::NotPermitted.into(),
        Refusal::NoRoute => Row::CollectionNotFound.into(),
        Refusal::NotAcceptable { .. } => Row::NotAcceptable.into(),
        Refusal::Unreadable(_) => Row::InvalidJson.into(),
        Refusal::TooLarge { .. } => Row::TooLarge.into(),
        Refusal::UnsupportedMedia(reason) => Problem::header("Content-Encoding", reason),
        Refusal::Invalid(faults) => Problem::fields(faults.iter().map(field).collect()),
        Refusal::NotFound { .. } => Row::ResourceNotFound.into(),
        Refusal::NameTaken { .. } => Problem::conflict("name", refusal.detail()),
        Refusal::ReadOnly { .. } | Refusal::Withheld { .. } | Refusal::ForeignValues { .. } => {
            Row::NotPermitted.into()
        }
        Refusal::HooksDisabled => Row::HooksDisabled.into(),
        Refusal::Conflict(reason) => Problem::conflict("id", reason),
        Refusal::ChangedMeanwhile { .. } => Row::Precondition.into(),
        Refusal::InvalidProgram { reason, .. } => Problem::field("source", reason),
        Refusal::TooBusy => Row::NotReady.into(),
        Refusal::Internal => Row::Internal.into(),
        Refusal::WrongMethod
        | Refusal::TooSlow
        | Refusal::TooManyFailures { .. }
        | Refusal::TokensUnavailable
        | Refusal::DiskFull(_)
        | Refusal::Unavailable(_)
        | Refusal::Shortage(_)
        | Refusal::InvalidHost(_)
        | Refusal::InvalidPosition => return None,
    })
}

/// A fault by the name that Astra has for the member.
fn field(fault: &InvalidField) -> Wrong {
    let path = fault.pointer.trim_start_matches('/').replace('/', ".");
    let (first, rest) = path.split_once('.').unwrap_or((&path, ""));
    let name = match (first, rest) {
        ("args", _) => "arguments".to_owned(),
        ("labels", _) => "metadata.labels".to_owned(),
        ("app", _) => "appID".to_owned(),
        ("hook", _) => "executionHookID".to_owned(),
        ("criteria" | "targets", rest) => {
            let place = rest.split('.').find(|part| part.parse::<u8>().is_ok());
            match place {
                Some(place) => format!("matchingCriteria[{place}]"),
                None => "matchingCriteria".to_owned(),
            }
        }
        _ => path,
    };
    Wrong::new(name, fault.detail.clone())
}
