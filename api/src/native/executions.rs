//! Executions: one hook on one target, with outcome, usage, output and answer.

mod follow;
mod large;
mod position;
mod replay;
mod shape;
mod text;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use serde::Deserialize;
use tenterhook_dispatch::{
    ExecutionFilter, ExecutionId, ExecutionPage, HookId, Key, Noun, OutputSizes, Outputs, Role,
    State as Standing, TaskId,
};
use tenterhook_wire::{Attempt, Execution, List, Replay};

pub(super) use self::shape::execution;
use self::shape::{attempt, attempt_without_output, execution_without_output, with_attempts};
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::charge::Charge;
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, PathMembers, Query};
use crate::native::page::{PageQuery, rows};
use crate::native::sources;
use crate::refusal::Refusal;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Access::Role(Role::Viewer);
    let write = Access::Role(Role::Member);
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/executions",
            read,
            "list_executions",
            list_executions,
        )
        .summary("Lists executions, newest first, without their output")
        .query("task", "only those of this task, by id or number")
        .query("hook", "only those of this hook, by id or number")
        .query(
            "state",
            "only those in this state; `WAITING` includes those that are running, `RUNNING` are only those",
        )
        .query("dead", "`true` for those that failed and are not retried")
        .query("limit", "items in a page, 1 to 1000; 100 by default")
        .query("after", "the `next` of the previous page")
        .answers_items::<Execution>(),
        Endpoint::new(
            Method::GET,
            "/api/v1/executions/{id}",
            read,
            "get_execution",
            get_execution,
        )
        .summary("Shows an execution with its output, and lists its attempts")
        .answers::<Execution>(200),
        Endpoint::new(
            Method::GET,
            "/api/v1/executions/{id}/attempts/{attempt}",
            read,
            "get_attempt",
            get_attempt,
        )
        .summary("Shows one attempt of an execution with its output")
        .answers::<Attempt>(200),
        Endpoint::new(
            Method::GET,
            "/api/v1/executions/{id}/output",
            read,
            "follow_execution",
            follow::follow_execution,
        )
        .summary("Streams the execution's output from the start as server-sent events")
        .query(
            "after",
            "the `id` of the last event that was received: the events after it follow",
        )
        .request_header(
            "Last-Event-ID",
            "the same, as an `EventSource` sends it; it goes before `after`",
        )
        .answers_raw(200, &["text/event-stream"])
        // All was sent, and there will be no other attempt.
        .answers_empty(204),
        Endpoint::new(
            Method::POST,
            "/api/v1/executions/{id}/cancel",
            write,
            "cancel_execution",
            cancel_execution,
        )
        .summary("Cancels an execution; a finished one is unchanged")
        .answers::<Execution>(202),
        Endpoint::new(
            Method::POST,
            "/api/v1/executions/{id}/redrive",
            write,
            "redrive_execution",
            redrive_execution,
        )
        .summary("Runs a failed or cancelled execution again")
        .answers::<Execution>(202),
        Endpoint::new(
            Method::POST,
            "/api/v1/executions/{id}/replay",
            Access::Role(replay::NEEDS),
            "replay_execution",
            replay::replay_execution,
        )
        .summary("Runs an attempt again from what was recorded of it, without any effect, and compares")
        .query(
            "attempt",
            "which attempt; the latest that has ended by default",
        )
        .may_read_raw(&sources::PROGRAM_MEDIA)
        .answers::<Replay>(200),
        Endpoint::new(
            Method::GET,
            "/api/v1/executions/{id}/case",
            Access::Role(Role::READS_SECRETS),
            "get_case",
            replay::get_case,
        )
        .summary("Returns an attempt as one file, which `tenterhook run` repeats anywhere")
        .query(
            "attempt",
            "which attempt; the latest that has ended by default",
        )
        .answers_raw(200, &[replay::CASE]),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExecutionQuery {
    task: Option<String>,
    hook: Option<String>,
    state: Option<String>,
    #[serde(default)]
    dead: bool,
    limit: Option<u32>,
    after: Option<String>,
}

async fn list_executions(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ExecutionQuery>,
) -> Result<Json<List<Execution>>, Refusal> {
    let wanted = PageQuery::new(query.limit, query.after);
    let limit = wanted.limit()?;
    let filter = ExecutionFilter {
        task: task_id(&app, &caller, query.task).await?,
        hook: hook_id(&app, &caller, query.hook).await?,
        state: read_state(query.state)?,
        dead: query.dead,
    };
    let page = ExecutionPage {
        after: wanted.after()?,
        limit,
    };
    let executions = app
        .dispatcher()
        .executions()
        .list(caller.account(), &filter, page, Outputs::Omit)
        .await?;
    let List { items, next } = rows(executions, limit, |execution| execution.id);
    let items = items.into_iter().map(execution_without_output).collect();
    // Those of one task are listed whole, in the order in which they run.
    let next = next.filter(|_| filter.task.is_none());
    Ok(Json(List { items, next }))
}

async fn task_id(
    app: &App,
    caller: &Caller,
    given: Option<String>,
) -> Result<Option<TaskId>, Refusal> {
    match read_key(given, "?task")? {
        None => Ok(None),
        Some(Key::Id(id)) => Ok(Some(id)),
        Some(key) => Ok(Some(
            app.dispatcher()
                .tasks()
                .get_without_executions(caller.account(), key)
                .await?
                .id,
        )),
    }
}

async fn hook_id(
    app: &App,
    caller: &Caller,
    given: Option<String>,
) -> Result<Option<HookId>, Refusal> {
    match read_key(given, "?hook")? {
        None => Ok(None),
        // A deleted hook still has executions.
        Some(Key::Id(id)) => Ok(Some(id)),
        Some(key) => Ok(Some(
            app.dispatcher()
                .hooks()
                .get(caller.account(), key)
                .await?
                .id,
        )),
    }
}

fn read_key<I: std::str::FromStr>(
    given: Option<String>,
    field: &str,
) -> Result<Option<Key<I>>, Refusal> {
    let read = |text: String| {
        text.parse()
            .map_err(|_| Refusal::invalid(field, "must be an id or a number"))
    };
    given.map(read).transpose()
}

fn read_state(given: Option<String>) -> Result<Option<Standing>, Refusal> {
    let read = |text: String| {
        text.parse().map_err(|_| {
            Refusal::invalid(
                "?state",
                "must be `WAITING`, `RUNNING`, `FINISHED`, `FAILED` or `CANCELED`",
            )
        })
    };
    given.map(read).transpose()
}

async fn get_execution(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    Path(id): Path<ExecutionId>,
) -> Result<Response, Refusal> {
    show(&app, &caller, &charge, id).await
}

async fn show(
    app: &App,
    caller: &Caller,
    charge: &Charge,
    id: ExecutionId,
) -> Result<Response, Refusal> {
    let executions = app.dispatcher().executions();
    let found = executions
        .get_within(caller.account(), id, large::INLINE_BYTES)
        .await?;
    match found {
        (own, None) => {
            let attempts = executions.attempts(caller.account(), &own).await?;
            let printed = OutputSizes::of(&own.latest.output).total();
            let _held = charge.hold_text(printed)?;
            Ok(Json(with_attempts(execution(own), attempts)).into_response())
        }
        (own, Some(output)) => {
            let attempts = executions.attempts(caller.account(), &own).await?;
            let dropped = own.latest.output.dropped_bytes;
            let shown = with_attempts(execution_without_output(own), attempts);
            large::reply(&shown, output, dropped, charge).await
        }
    }
}

async fn get_attempt(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    Path(id): Path<ExecutionId>,
    members: PathMembers,
) -> Result<Response, Refusal> {
    let text = members.get("attempt").unwrap_or_default();
    // As one is printed: `+1` and `01` are none.
    let number = text.parse::<u32>().ok();
    let number = number.filter(|number| number.to_string() == text);
    let number = number.ok_or_else(|| Refusal::NotFound {
        noun: Noun::Attempt.to_string(),
        id: text.chars().filter(|c| !c.is_control()).take(64).collect(),
    })?;
    let found = app
        .dispatcher()
        .executions()
        .attempt(caller.account(), id, number, large::INLINE_BYTES)
        .await?;
    match found {
        (own, None) => {
            let printed = OutputSizes::of(&own.output).total();
            let _held = charge.hold_text(printed)?;
            Ok(Json(attempt(own)).into_response())
        }
        (own, Some(output)) => {
            let dropped = own.output.dropped_bytes;
            let shown = attempt_without_output(own);
            large::reply(&shown, output, dropped, &charge).await
        }
    }
}

async fn cancel_execution(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    Path(id): Path<ExecutionId>,
) -> Result<Response, Refusal> {
    app.dispatcher()
        .executions()
        .cancel(caller.account(), id)
        .await?;
    let shown = show(&app, &caller, &charge, id).await?;
    Ok((StatusCode::ACCEPTED, shown).into_response())
}

async fn redrive_execution(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    Path(id): Path<ExecutionId>,
) -> Result<Response, Refusal> {
    app.dispatcher()
        .executions()
        .redrive(caller.account(), id)
        .await?;
    let shown = show(&app, &caller, &charge, id).await?;
    Ok((StatusCode::ACCEPTED, shown).into_response())
}
