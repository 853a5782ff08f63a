//! `/tasks`: the list in both generations of croit's interface.
//!
//! The newer one is asked with `pagination`, the older one with `before`,
//! `after`, `limit`, `offset` and `order`. Rows carry no output.

use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenterhook_dispatch::{
    AccountId, ExecutionFilter, ExecutionPage, Outputs, Task, TaskDetail, TaskFilter, TaskPage,
};
use tenterhook_query::croit::Page;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::app::App;
use crate::croit::tasks::shape::TaskResponse;
use crate::croit::{Paged, cut};
use crate::extract::Json;
use crate::refusal::Refusal;

/// Newest tasks that a list looks at; older ones are found at `/api/v1/tasks`.
const WINDOW: usize = 10_000;

/// The same where the answer depends on every execution of every task.
const DEEP_WINDOW: usize = 1_000;

/// Most rows of one answer.
const ROWS: usize = 1_000;

/// The query of either generation.
#[derive(Debug, Deserialize)]
pub(super) struct Said {
    pagination: Option<String>,
    before: Option<i64>,
    after: Option<i64>,
    limit: Option<usize>,
    offset: Option<usize>,
    order: Option<Direction>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum Direction {
    Asc,
    Desc,
}

/// The older generation's page.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskList {
    #[schema(value_type = Vec<TaskResponse>)]
    data: Vec<Value>,
    total_elements: usize,
    all_ids: Vec<i32>,
}

/// Answers in the generation that was asked for.
pub(super) async fn answer(app: &App, account: AccountId, said: Said) -> Result<Response, Refusal> {
    if said.pagination.is_some() {
        newer(app, account, said.pagination).await
    } else {
        older(app, account, &said).await
    }
}

async fn newer(
    app: &App,
    account: AccountId,
    pagination: Option<String>,
) -> Result<Response, Refusal> {
    // What these say depends on the executions, which a task alone does not tell.
    let deep = pagination.as_deref().is_some_and(|text| {
        ["statusCode", "result", "_search"]
            .iter()
            .any(|word| text.contains(word))
    });
    let paged = Paged { pagination };
    let pagination = paged.read()?.unwrap_or_default();
    let window = if deep { DEEP_WINDOW } else { WINDOW };
    let tasks = newest(app, account, &TaskFilter::default(), window).await?;
    let mut rows = Vec::with_capacity(tasks.len());
    let depth = if deep { Depth::Executions } else { Depth::Task };
    for task in &tasks {
        rows.push(row(app, account, task, depth).await?);
    }
    let Page {
        mut data,
        total,
        after,
        limit,
    } = cut(pagination, rows).await?;
    data.truncate(ROWS);
    if !deep {
        for shown in &mut data {
            let id = shown["id"].as_i64();
            if let Some(task) = tasks
                .iter()
                .find(|task| Some(i64::from(task.number.get())) == id)
            {
                *shown = row(app, account, task, Depth::Executions).await?;
            }
        }
    }
    let page = Page {
        data,
        total,
        after,
        limit,
    };
    Ok(Json(page).into_response())
}

async fn older(app: &App, account: AccountId, said: &Said) -> Result<Response, Refusal> {
    let filter = TaskFilter {
        since: said
            .after
            .map(|millis| read_millis("?after", millis))
            .transpose()?,
        until: said
            .before
            .map(|millis| read_millis("?before", millis))
            .transpose()?,
        ..TaskFilter::default()
    };
    let mut tasks = newest(app, account, &filter, WINDOW).await?;
    if said.order == Some(Direction::Asc) {
        tasks.reverse();
    }
    let mut list = TaskList {
        data: Vec::new(),
        total_elements: tasks.len(),
        all_ids: tasks.iter().map(|task| task.number.get()).collect(),
    };
    let limit = said.limit.unwrap_or(ROWS).min(ROWS);
    for task in tasks.iter().skip(said.offset.unwrap_or(0)).take(limit) {
        list.data
            .push(row(app, account, task, Depth::Executions).await?);
    }
    Ok(Json(list).into_response())
}

fn read_millis(field: &str, millis: i64) -> Result<OffsetDateTime, Refusal> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .map_err(|_| Refusal::invalid(field, "must be milliseconds since 1970"))
}

/// The newest tasks, newest first.
pub(super) async fn newest(
    app: &App,
    account: AccountId,
    filter: &TaskFilter,
    most: usize,
) -> Result<Vec<Task>, Refusal> {
    let mut tasks: Vec<Task> = Vec::new();
    let limit = tenterhook_dispatch::PAGE_MAX.min(u32::try_from(most).unwrap_or(u32::MAX));
    loop {
        let page = TaskPage {
            after: tasks.last().map(|task| task.id),
            limit,
        };
        let more = app.dispatcher().tasks(account, filter, page).await?;
        let last = more.len() < limit as usize;
        tasks.extend(more);
        if last || tasks.len() >= most {
            tasks.truncate(most);
            return Ok(tasks);
        }
    }
}

/// How much of a task a row looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Task,
    Executions,
}

/// One row of a list.
pub(super) async fn row(
    app: &App,
    account: AccountId,
    task: &Task,
    depth: Depth,
) -> Result<Value, Refusal> {
    let executions = match depth {
        Depth::Task => Vec::new(),
        Depth::Executions => {
            let filter = ExecutionFilter {
                task: Some(task.id),
                ..ExecutionFilter::default()
            };
            let page = ExecutionPage::first(tenterhook_dispatch::PAGE_MAX);
            app.dispatcher()
                .executions(account, &filter, page, Outputs::Omit)
                .await?
        }
    };
    let detail = TaskDetail {
        task: task.clone(),
        executions,
    };
    let row = TaskResponse::without_output(&detail, app.croit_times());
    serde_json::to_value(row).map_err(|error| Refusal::internal(&error))
}
