//! Uploads that take longer than their request waits: polled until they have finished.
//!
//! An upload is not a source yet. It becomes one, or changes one, when its program is
//! compiled; hooks can be bound then.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenterhook_dispatch::Role;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::charge::Charge;
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, PathId, Query};
use crate::native::problem::Problem;
use crate::native::sources::shape::Source;
use crate::native::sources::warnings::Warning;
use crate::refusal::Refusal;
use crate::request_id::RequestId;
use crate::time_text::time_text;
use crate::uploads::pending::{self, Outcome};

/// How long an upload waits for its program unless its client says otherwise. Most
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
        .summary("Shows the outcome of an upload that was answered with 202")
        .query("wait", "seconds to wait for it to be over, 0 to 120")
        .answers::<Upload>(200),
    ]
}

/// An upload whose program is compiled after its request was answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Upload {
    id: String,
    /// `compiling`, then `ready` or `refused`.
    state: UploadState,
    /// The SHA-256 of the program that was sent.
    digest: String,
    size_bytes: u64,
    /// The resulting source, once it is `ready`.
    source: Option<Source>,
    /// What is wrong with the source's script; left out if there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Warning>,
    /// Why it was `refused`: the problem that the upload would have been answered with.
    #[schema(value_type = Option<Object>)]
    problem: Option<Value>,
    created_at: String,
}

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UploadState {
    /// Its program waits to be compiled, or is being compiled.
    Compiling,
    /// Its source has the program.
    Ready,
    /// It changed nothing.
    Refused,
}

impl Upload {
    fn new(upload: &pending::Upload, outcome: Option<Outcome>) -> Self {
        let mut warnings = Vec::new();
        let (state, source, problem) = match outcome {
            None => (UploadState::Compiling, None, None),
            Some(Outcome::Ready(stored)) => {
                warnings = Warning::of(stored.diagnostics);
                (UploadState::Ready, Some(Source::new(stored.source)), None)
            }
            Some(Outcome::Refused(refusal)) => {
                (UploadState::Refused, None, Some(describe(&refusal)))
            }
        };
        Self {
            id: upload.id.to_string(),
            state,
            digest: upload.digest.to_string(),
            size_bytes: upload.size_bytes,
            source,
            warnings,
            problem,
            created_at: time_text(upload.created_at),
        }
    }
}

/// Describes a refusal as a problem, without the request that it would name.
fn describe(refusal: &Refusal) -> Value {
    let id = RequestId::of(&http::HeaderMap::new());
    let problem = serde_json::to_value(Problem::new(refusal, &id));
    let mut problem = problem.expect("a problem holds nothing that JSON cannot say");
    if let Some(members) = problem.as_object_mut() {
        members.remove("instance");
    }
    problem
}

/// `202 Accepted`: the upload continues; with where to poll it.
pub(super) fn accepted(upload: &pending::Upload) -> Response {
    let path = format!("/api/v1/uploads/{}", upload.id);
    let path = HeaderValue::from_str(&path).expect("an id is plain text");
    let headers = [(header::LOCATION, path), (header::RETRY_AFTER, ASK_AGAIN)];
    let upload = Upload::new(upload, None);
    (StatusCode::ACCEPTED, headers, Json(upload)).into_response()
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
    Ok(Json(Upload::new(&upload, outcome)))
}
