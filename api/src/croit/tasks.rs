//! `/tasks`: following what `execute` or an event has started.

mod listing;
mod log;
mod shape;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tenterhook_dispatch::{Error, Key, Noun, Number, Role, TaskFilter, TaskId};
use utoipa::ToSchema;

pub(super) use self::shape::ManagedTask;
use self::shape::TaskResponse;
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::charge::Charge;
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::refusal::Refusal;

/// Tasks that one `/tasks/status` may ask for.
const STATUS_MAX: usize = 100;

/// Tasks that `/tasks/active` lists, the newest.
const ACTIVE_MAX: usize = 1_000;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let viewer = Access::Role(Role::Viewer);
    let admin = Access::Role(Role::Admin);
    vec![
        Endpoint::new(Method::GET, "/api/tasks", viewer, "list_tasks", list_tasks)
            .summary(
                "Lists tasks; without `pagination` in the older form {data, totalElements, allIds}",
            )
            .query(
                "before",
                "older form: only those created before this time, milliseconds since 1970",
            )
            .query(
                "after",
                "older form: only those created at this time or later",
            )
            .query("limit", "older form: most rows")
            .query("offset", "older form: rows left out at the beginning")
            .query("order", "older form: ASC or DESC, newest first by default")
            .answers_page::<TaskResponse>(),
        Endpoint::new(
            Method::GET,
            "/api/tasks/status",
            viewer,
            "get_task_status",
            get_task_status,
        )
        .summary("Shows some tasks; unknown ones are left out")
        .query("id", "a task's id; repeated for more, up to 100")
        .answers_list::<TaskResponse>(),
        Endpoint::new(
            Method::GET,
            "/api/tasks/active",
            viewer,
            "list_active_tasks",
            list_active_tasks,
        )
        .summary("Lists the tasks that are waiting or running, without output")
        .answers_list::<TaskResponse>(),
        Endpoint::new(Method::GET, "/api/tasks/{id}", viewer, "get_task", get_task)
            .summary("Shows a task with its output so far")
            .answers::<TaskResponse>(200),
        Endpoint::new(
            Method::POST,
            "/api/tasks/{id}/cancel",
            admin,
            "cancel_task",
            cancel_task,
        )
        .summary("Cancels a task")
        .answers_empty(201),
        Endpoint::new(
            Method::POST,
            "/api/tasks/{id}/answer",
            admin,
            "answer_task",
            answer_task,
        )
        .summary("Is rejected: no task here asks questions")
        .reads::<Answer>()
        .answers_empty(409),
    ]
}

/// An answer to a task's question.
#[derive(Debug, Deserialize, ToSchema)]
struct Answer {
    #[serde(rename = "token")]
    _token: String,
    #[serde(rename = "response")]
    _response: String,
}

async fn list_tasks(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    Query(query): Query<listing::TaskQuery>,
) -> Result<Response, Refusal> {
    listing::answer(&app, caller.account(), &charge, query).await
}

async fn get_task_status(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<TaskResponse>>, Refusal> {
    let mut tasks = Vec::new();
    for number in read_ids(&query.unwrap_or_default())? {
        let key = Key::Number(number);
        let _held = charge.hold_outputs(&app, caller.account(), key).await?;
        match app.dispatcher().tasks().get(caller.account(), key).await {
            Ok(detail) => tasks.push(TaskResponse::new(&detail, app.croit_times())),
            Err(Error::NotFound {
                what: Noun::Task, ..
            }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Json(tasks))
}

fn read_ids(query: &str) -> Result<Vec<Number>, Refusal> {
    let ids = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "id")
        .map(|(_, value)| value.parse().map(Number::new))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Refusal::invalid("?id", "must be a task's id, a whole number"))?;
    match ids.len() {
        0 => Err(Refusal::invalid(
            "?id",
            "is required; repeat it for more tasks",
        )),
        1..=STATUS_MAX => Ok(ids),
        _ => Err(Refusal::invalid(
            "?id",
            format!("may stand at most {STATUS_MAX} times"),
        )),
    }
}

async fn list_active_tasks(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Vec<Value>>, Refusal> {
    let filter = TaskFilter {
        active: true,
        ..TaskFilter::default()
    };
    let tasks = listing::newest(&app, caller.account(), &filter, ACTIVE_MAX).await?;
    let answers = listing::Answers::default();
    let rows = tasks.iter().map(|task| answers.row(&app, task));
    Ok(Json(rows.collect::<Result<_, _>>()?))
}

async fn get_task(
    State(app): State<App>,
    caller: Caller,
    charge: Charge,
    Path(key): Path<Key<TaskId>>,
) -> Result<Json<TaskResponse>, Refusal> {
    let _held = charge.hold_outputs(&app, caller.account(), key).await?;
    let detail = app.dispatcher().tasks().get(caller.account(), key).await?;
    Ok(Json(TaskResponse::new(&detail, app.croit_times())))
}

async fn cancel_task(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<TaskId>>,
) -> Result<StatusCode, Refusal> {
    app.dispatcher()
        .tasks()
        .cancel(caller.account(), key)
        .await?;
    Ok(StatusCode::CREATED)
}

async fn answer_task(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<TaskId>>,
    Json(_): Json<Answer>,
) -> Result<StatusCode, Refusal> {
    app.dispatcher()
        .tasks()
        .get_without_executions(caller.account(), key)
        .await?;
    Err(Refusal::Conflict(
        "this task has not asked a question; no task here does".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_repeated_and_bounded() {
        assert_eq!(
            read_ids("id=4&id=9&x=1").unwrap(),
            [Number::new(4), Number::new(9)]
        );
        for query in ["", "id=", "id=x", "id=99999999999", &"id=1&".repeat(101)] {
            assert!(read_ids(query).is_err(), "{query}");
        }
    }
}
