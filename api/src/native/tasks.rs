//! Tasks: what one event or one `execute` call caused, as a whole.

mod shape;

use axum::extract::State;
use http::Method;
use serde::Deserialize;
use tenterhook_dispatch::{Key, Role, TaskFilter, TaskId, TaskPage};
use tenterhook_wire::{List, Task};
use time::OffsetDateTime;

pub(super) use self::shape::{task, task_with_executions};
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::charge::Charge;
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::native::page::{PageQuery, rows};
use crate::refusal::Refusal;
use crate::time_text::{expected_time, parse_time};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Access::Role(Role::Viewer);
    vec![
        Endpoint::new(Method::GET, "/api/v1/tasks", read, "list_tasks", list_tasks)
            .summary("Lists tasks, newest first, without their executions")
            .query("active", "`true` for unfinished ones")
            .query("event", "only those of this event type")
            .query(
                "since",
                "only those created at this time or later, RFC 3339",
            )
            .query("until", "only those created before this time, RFC 3339")
            .query("limit", "items in a page, 1 to 1000; 100 by default")
            .query("after", "the `next` of the previous page")
            .answers_items::<Task>(),
        Endpoint::new(
            Method::GET,
            "/api/v1/tasks/{id}",
            read,
            "get_task",
            get_task,
        )
        .summary("Shows a task with its executions")
        .answers::<Task>(200),
        Endpoint::new(
            Method::POST,
            "/api/v1/tasks/{id}/cancel",
            Access::Role(Role::Member),
            "cancel_task",
            cancel_task,
        )
        .summary("Cancels a task; a finished one is unchanged")
        .answers::<Task>(202),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskQuery {
    #[serde(default)]
    active: bool,
    event: Option<String>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<u32>,
    after: Option<String>,
}

async fn list_tasks(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<TaskQuery>,
) -> Result<Json<List<Task>>, Refusal> {
    let wanted = PageQuery::new(query.limit, query.after);
    let limit = wanted.limit()?;
    let filter = TaskFilter {
        active: query.active,
        event: query.event,
        since: read_time("?since", query.since)?,
        until: read_time("?until", query.until)?,
    };
    let page = TaskPage {
        after: wanted.after()?,
        limit,
    };
    let tasks = app
        .dispatcher()
        .tasks()
        .list(caller.account(), &filter, page)
        .await?;
    let List { items, next } = rows(tasks, limit, |task| task.id);
    let items = items.into_iter().map(task).collect();
    Ok(Json(List { items, next }))
}

fn read_time(field: &str, given: Option<String>) -> Result<Option<OffsetDateTime>, Refusal> {
    let read = |text: String| {
        parse_time(&text).ok_or_else(|| Refusal::invalid(field, expected_time(&text)))
    };
    given.map(read).transpose()
}

async fn get_task(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    Path(key): Path<Key<TaskId>>,
) -> Result<Json<Task>, Refusal> {
    let _held = charge.hold_outputs(&app, caller.account(), key).await?;
    let detail = app.dispatcher().tasks().get(caller.account(), key).await?;
    Ok(Json(task_with_executions(detail)))
}

async fn cancel_task(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<TaskId>>,
) -> Result<(http::StatusCode, Json<Task>), Refusal> {
    let cancelled = app
        .dispatcher()
        .tasks()
        .cancel(caller.account(), key)
        .await?;
    Ok((http::StatusCode::ACCEPTED, Json(task(cancelled))))
}
