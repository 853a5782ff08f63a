//! Replays of attempts, and cases: attempts as files.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, header};
use serde::Deserialize;
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{ExecutionId, OutputSizes, Role};
use tenterhook_wire::{Difference, Replay};

use super::large::INLINE_BYTES;
use super::shape::{attempt, attempt_without_output};
use crate::app::App;
use crate::auth::Caller;
use crate::body::Pieces;
use crate::charge::Charge;
use crate::extract::{Json, Path, Query};
use crate::native::sources;
use crate::refusal::Refusal;

/// The role that may replay an attempt with its own program.
pub(super) const NEEDS: Role = Role::Member;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    attempt: Option<u32>,
}

/// Replays an attempt, with the program in the body if the client announces one.
pub(super) async fn replay_execution(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    Path(id): Path<ExecutionId>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Replay>, Refusal> {
    let dispatcher = app.dispatcher();
    let executions = dispatcher.executions();
    // First the execution in the path: an unknown one is 404, whatever the body says.
    executions.get_without_output(caller.account(), id).await?;
    // A program is announced, even an empty one.
    let (needs, program) = match headers.contains_key(header::CONTENT_TYPE) {
        false => {
            let nothing = Pieces::new(app.door(), &headers, body, 0)?;
            nothing.collect().await?;
            (NEEDS, None)
        }
        true if caller.0.role < Role::READS_SECRETS => {
            return Err(Refusal::Forbidden {
                needs: Role::READS_SECRETS.as_str(),
            });
        }
        true => (
            Role::READS_SECRETS,
            Some(receive(&app, &caller, &headers, body).await?),
        ),
    };
    charge.become_stream()?;
    let authority = dispatcher
        .identities()
        .hold_authority(&caller.0, needs)
        .await?;
    let replay = tokio::select! {
        biased;
        // The replay ends with this.
        lapse = authority.ended() => return Err(lapse.into()),
        replay = executions.replay(caller.account(), id, wanted.attempt, program) => replay?,
    };
    let printed = OutputSizes::of(&replay.replayed.output).total();
    let is_inline = printed <= INLINE_BYTES;
    let _held = charge.hold_text(if is_inline { printed } else { 0 })?;
    Ok(Json(show(replay, is_inline)))
}

/// The media type of a case.
pub(super) const CASE: &str = "application/vnd.tenterhook.case";

/// Returns an attempt as one file, with all that its hook was given.
pub(super) async fn get_case(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ExecutionId>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let executions = app.dispatcher().executions();
    let (case, _memory) = executions
        .case(caller.account(), id, wanted.attempt, caller.0.role)
        .await?;
    let file = tokio::task::spawn_blocking(move || case.to_bytes()).await;
    let file = file.map_err(|error| Refusal::internal(&error))?;
    // From here on it counts as the reply.
    Ok(([(header::CONTENT_TYPE, CASE)], file).into_response())
}

async fn receive(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    body: Body,
) -> Result<Bytes, Refusal> {
    let _slot = app.upload_slot(caller.account()).await?;
    let promised = sources::promised_kind(headers)?;
    let (_, bytes) = sources::receive(app, headers, body, promised).await?;
    Ok(bytes)
}

fn show(own: dispatch::Replay, is_inline: bool) -> Replay {
    let mut notes = own.notes;
    if !is_inline {
        notes.push(format!(
            "the output of the replay is left out here: it has {} bytes",
            OutputSizes::of(&own.replayed.output).total()
        ));
    }
    Replay {
        same: own.differences.is_empty(),
        differences: own.differences.into_iter().map(difference).collect(),
        notes,
        digest: own.digest.to_string(),
        recorded: attempt_without_output(own.recorded),
        replayed: match is_inline {
            true => attempt(own.replayed),
            false => attempt_without_output(own.replayed),
        },
    }
}

fn difference(own: dispatch::Difference) -> Difference {
    Difference {
        aspect: own.aspect.to_string(),
        byte: own.place.map(|place| place.byte),
        line: own.place.map(|place| place.line),
        recorded: own.recorded,
        replayed: own.replayed,
    }
}
