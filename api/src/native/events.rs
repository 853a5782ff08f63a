//! Events: posting them, and waiting for the results of their hooks.
//!
//! The reply is sent once the event is stored. With `?wait=` it is sent when the task has
//! finished or the wait has timed out; the task continues either way.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::future::try_join_all;
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use tenterhook_dispatch::{Accepted, Error, Key, Noun, ReceivedEvent, Role, TaskDetail};
use tenterhook_wire::{List, PostedEvent, Task};

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::body::Pieces;
use crate::charge::Charge;
use crate::endpoint::Endpoint;
use crate::extract::{Json, Query};
use crate::native::cloudevents::{self, Mode};
use crate::native::tasks::{task, task_with_executions};
use crate::refusal::{InvalidField, Refusal};
use crate::steps::{STEP_BYTES, Steps};

/// The role that may post events and wait for their outcome.
const NEEDS: Role = Role::Member;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::POST,
            "/api/v1/events",
            Access::Role(NEEDS),
            "post_events",
            post_events,
        )
        .summary("Accepts CloudEvents in structured, batch or binary mode; a batch returns a list")
        .query(
            "wait",
            "seconds to wait for the task to end, 0 to 120; fractions are fine",
        )
        .reads_raw(&cloudevents::MEDIA)
        .answers::<PostedEvent>(200)
        .answers::<PostedEvent>(202),
    ]
}

/// The outcome of an event that was posted.
struct Outcome {
    task: Task,
    repeated: bool,
    removed: bool,
}

impl Outcome {
    fn new(accepted: Accepted) -> Self {
        Self {
            repeated: accepted.repeated,
            removed: accepted.removed,
            task: task(accepted.task),
        }
    }

    /// One whose task was waited for. If it is no longer kept, what its hooks have
    /// decided is unknown.
    fn waited(accepted: Accepted, detail: TaskDetail) -> Self {
        if accepted.removed {
            return Self::new(accepted);
        }
        Self {
            repeated: accepted.repeated,
            removed: false,
            task: task_with_executions(detail),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    wait: Option<f64>,
}

async fn post_events(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    Query(waiting): Query<Waiting>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let wait = read_wait(&app, waiting.wait)?;
    let mode = Mode::of(&headers)?;
    let body = Pieces::new(app.door(), &headers, body, mode.max_bytes())?
        .collect()
        .await?;
    let events = mode.read(&headers, &body).await?;
    let mut steps = Steps::default();
    let mut printed = Vec::with_capacity(events.len());
    for event in &events {
        let event = print(event);
        steps.take(event.get().len()).await;
        printed.push(event);
    }
    end_step(&body).await;
    let outcomes = match wait {
        None => accept(&app, &caller, events).await?,
        Some(wait) => {
            // Before the event is accepted: a refused call has had no effect.
            charge.become_stream()?;
            let dispatcher = app.dispatcher();
            let authority = dispatcher
                .identities()
                .hold_authority(&caller.0, NEEDS)
                .await?;
            tokio::select! {
                biased;
                // The event stays accepted; a caller without authority does not get the
                // outcome.
                lapse = authority.ended() => return Err(lapse.into()),
                outcomes = accept_and_wait(&app, &caller, events, wait) => outcomes?,
            }
        }
    };
    end_step(&body).await;
    let all_over = wait.is_some() && outcomes.iter().all(|outcome| outcome.task.state.is_over());
    let status = if all_over {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let mut posted: Vec<PostedEvent> = printed
        .into_iter()
        .zip(outcomes)
        .map(|(event, outcome)| PostedEvent {
            event,
            task: outcome.task,
            repeated: outcome.repeated,
            removed: outcome.removed,
        })
        .collect();
    Ok(match (mode, posted.pop()) {
        (Mode::Structured | Mode::Binary, Some(posted)) => (status, Json(posted)).into_response(),
        (_, last) => {
            posted.extend(last);
            let list = List {
                items: posted,
                next: None,
            };
            (status, Json(list)).into_response()
        }
    })
}

/// Yields to other work before a large body is processed.
async fn end_step(body: &[u8]) {
    if body.len() > STEP_BYTES {
        tokio::task::yield_now().await;
    }
}

fn read_wait(app: &App, given: Option<f64>) -> Result<Option<Duration>, Refusal> {
    let longest = app.longest_wait();
    let read = |seconds: f64| match Duration::try_from_secs_f64(seconds) {
        Ok(wait) if wait <= longest => Ok(wait),
        _ => Err(Refusal::invalid(
            "?wait",
            format!(
                "must be from 0 to {} seconds; ask for the task again after that",
                longest.as_secs()
            ),
        )),
    };
    given.map(read).transpose()
}

fn print(event: &ReceivedEvent) -> Box<RawValue> {
    RawValue::from_string(event.to_json()).expect("an event is printed as JSON")
}

async fn accept(
    app: &App,
    caller: &Caller,
    events: Vec<ReceivedEvent>,
) -> Result<Vec<Outcome>, Refusal> {
    let accepted = app
        .dispatcher()
        .events()
        .accept(caller.account(), &caller.0.name, events)
        .await
        .map_err(unknown_event)?;
    Ok(accepted.into_iter().map(Outcome::new).collect())
}

async fn accept_and_wait(
    app: &App,
    caller: &Caller,
    mut events: Vec<ReceivedEvent>,
    wait: Duration,
) -> Result<Vec<Outcome>, Refusal> {
    let (dispatcher, account, name) = (app.dispatcher(), caller.account(), &caller.0.name);
    if events.len() == 1 {
        let event = events.swap_remove(0);
        let (accepted, detail) = dispatcher
            .events()
            .accept_and_wait(account, name, event, wait)
            .await
            .map_err(unknown_event)?;
        return Ok(vec![Outcome::waited(accepted, detail)]);
    }
    let accepted = dispatcher
        .events()
        .accept(account, name, events)
        .await
        .map_err(unknown_event)?;
    let waits = accepted.into_iter().map(|accepted| async move {
        if accepted.removed {
            return Ok(Outcome::new(accepted));
        }
        let detail = dispatcher
            .tasks()
            .wait(account, Key::Id(accepted.task.id), wait)
            .await?;
        Ok::<_, Refusal>(Outcome::waited(accepted, detail))
    });
    try_join_all(waits).await
}

/// An event that references what does not exist is an invalid body, not an unknown path.
fn unknown_event(error: Error) -> Refusal {
    match error {
        Error::NotFound {
            what: Noun::Server,
            id,
        } => Refusal::invalid(
            "/serverid",
            format!("names the server `{id}`, which does not exist"),
        ),
        error => match error.into() {
            Refusal::Invalid(faults) => Refusal::Invalid(faults.into_iter().map(in_body).collect()),
            refusal => refusal,
        },
    }
}

/// The dispatcher counts `events`; the body is the list itself.
fn in_body(fault: InvalidField) -> InvalidField {
    let pointer = fault
        .pointer
        .strip_prefix("/events")
        .unwrap_or(&fault.pointer);
    InvalidField {
        pointer: pointer.to_owned(),
        detail: fault.detail,
    }
}
