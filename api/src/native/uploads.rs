//! Uploads that take longer than their request waits: polled until they have finished.
//!
//! An upload is not a source yet. It becomes one, or changes one, when its program is
//! compiled; hooks can be bound then.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use tenterhook_dispatch::Role;
use tenterhook_wire::{Upload, UploadState};
use uuid::Uuid;

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::charge::Charge;
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, PathId, Query};
use crate::native::problem::describe;
use crate::native::sources::shape::{source, warnings};
use crate::refusal::Refusal;
use crate::time_text::time_text;
use crate::uploads::pending::{self, Outcome};

/// How long an upload waits for its program by default. Most
/// programs are compiled in less, and no usual client gives up before.
const USUAL_WAIT: Duration = Duration::from_secs(10);

/// When to ask again, in seconds, for a client that does not wait.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("1");

/// What `?wait=` means wherever a program is sent.
pub(super) const WAIT: &str =
    "seconds to wait for the program to be compiled, 0 to 120; 10 by default";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/uploads/{id}",
            Access::Role(Role::Member),
            "get_upload",
            get_upload,
        )
        .summary("Shows the outcome of an upload whose response was 202")
        .query("wait", "seconds to wait for it to finish, 0 to 120")
        .answers::<Upload>(200),
    ]
}

/// Shows an upload.
fn show(upload: &pending::Upload, outcome: Option<Outcome>) -> Upload {
    let mut shown = Upload {
        id: upload.id.to_string(),
        state: UploadState::Compiling,
        digest: upload.digest.to_string(),
        size_bytes: upload.size_bytes,
        source: None,
        warnings: Vec::new(),
        problem: None,
        created_at: time_text(upload.created_at),
    };
    match outcome {
        None => {}
        Some(Outcome::Ready(stored)) => {
            shown.state = UploadState::Ready;
            shown.warnings = warnings(stored.diagnostics);
            shown.source = Some(source(stored.source));
        }
        Some(Outcome::Refused(refusal)) => {
            shown.state = UploadState::Refused;
            shown.problem = Some(describe(&refusal));
        }
    }
    shown
}

/// `202 Accepted`: the upload continues; with where to poll it.
pub(super) fn accepted(upload: &pending::Upload) -> Response {
    let path = format!("/api/v1/uploads/{}", upload.id);
    let path = HeaderValue::from_str(&path).expect("an id is plain text");
    let headers = [(header::LOCATION, path), (header::RETRY_AFTER, ASK_AGAIN)];
    (StatusCode::ACCEPTED, headers, Json(show(upload, None))).into_response()
}

/// How long to wait for an upload.
pub(super) fn read_wait(app: &App, given: Option<f64>) -> Result<Duration, Refusal> {
    let longest = app.longest_wait();
    let Some(seconds) = given else {
        return Ok(USUAL_WAIT.min(longest));
    };
    match Duration::try_from_secs_f64(seconds) {
        Ok(wait) if wait <= longest => Ok(wait),
        _ => Err(Refusal::invalid(
            "?wait",
            format!(
                "must be from 0 to {} seconds; ask for the upload again after that",
                longest.as_secs()
            ),
        )),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    wait: Option<f64>,
}

/// The identifier of an upload in a path.
struct UploadId(Uuid);

impl PathId for UploadId {
    fn noun() -> String {
        "upload".to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

async fn get_upload(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    Path(UploadId(id)): Path<UploadId>,
    Query(waiting): Query<Waiting>,
) -> Result<Json<Upload>, Refusal> {
    let wait = match waiting.wait {
        None => Duration::ZERO,
        given => read_wait(&app, given)?,
    };
    let upload = app
        .pending_uploads()
        .find(caller.account(), id)
        .ok_or_else(|| Refusal::NotFound {
            noun: UploadId::noun(),
            id: id.to_string(),
        })?;
    let outcome = match upload.outcome() {
        None if !wait.is_zero() => {
            charge.become_stream()?;
            upload.outcome_within(wait).await
        }
        outcome => outcome,
    };
    Ok(Json(show(&upload, outcome)))
}
