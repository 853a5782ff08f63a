//! `/tasks`: the list in both generations of croit's interface.
//!
//! The newer one is asked with `pagination`, the older one with `before`,
//! `after`, `limit`, `offset` and `order`. Rows carry no output.

use std::collections::HashMap;

use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenterhook_dispatch::{
    AccountId, Endings, Task, TaskFilter, TaskId, TaskPage, result_of_verdicts,
};
use tenterhook_engine::{Verdict, json};
use tenterhook_query::croit::Page;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::app::App;
use crate::charge::{Charge, HeldMemory};
use crate::croit::list::{Paged, cut};
use crate::croit::tasks::shape::TaskResponse;
use crate::extract::Json;
use crate::refusal::Refusal;

/// Newest tasks that a list looks at; older ones are found at `/api/v1/tasks`.
const WINDOW: usize = 10_000;

/// The same where the answer depends on every execution of every task.
const DEEP_WINDOW: usize = 1_000;

/// Most rows of one answer.
const ROWS: usize = 1_000;

/// What a task and its row take while a list is made.
const ROW_BYTES: u64 = 2_048;

/// Rows built before other work has its turn on the thread; some 500 µs.
const ROWS_AT_ONCE: usize = 128;

/// The query of either generation.
#[derive(Debug, Deserialize)]
pub(super) struct TaskQuery {
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
    data: Vec<TaskResponse>,
    total_elements: usize,
    all_ids: Vec<i32>,
}

/// A [`Page`] whose rows show what the hooks answered as they wrote it.
#[derive(Debug, Serialize)]
struct TaskRows {
    data: Vec<TaskResponse>,
    total: usize,
    after: usize,
    limit: Option<usize>,
}

/// Replies in the generation that was asked for.
pub(super) async fn answer(
    app: &App,
    account: AccountId,
    charge: &Charge,
    query: TaskQuery,
) -> Result<Response, Refusal> {
    if query.pagination.is_some() {
        newer(app, account, charge, query.pagination).await
    } else {
        older(app, account, charge, &query).await
    }
}

async fn newer(
    app: &App,
    account: AccountId,
    charge: &Charge,
    pagination: Option<String>,
) -> Result<Response, Refusal> {
    // These depend on the executions, which a task alone does not have.
    let deep = pagination.as_deref().is_some_and(|text| {
        ["statusCode", "result", "_search"]
            .iter()
            .any(|word| text.contains(word))
    });
    let paged = Paged { pagination };
    let pagination = paged.read()?.unwrap_or_default();
    let window = if deep { DEEP_WINDOW } else { WINDOW };
    let tasks = newest(app, account, &TaskFilter::default(), window).await?;
    // Each is a task and its row.
    let _held = charge.hold(tasks.len() as u64 * ROW_BYTES)?;
    let answers = match deep {
        true => Answers::of(app, account, charge, &tasks).await?,
        false => Answers::default(),
    };
    let mut rows = Vec::with_capacity(tasks.len());
    for some in tasks.chunks(ROWS_AT_ONCE) {
        for task in some {
            rows.push(answers.row(app, task)?);
        }
        // Other work that waits for this thread comes first.
        tokio::task::yield_now().await;
    }
    let Page {
        mut data,
        total,
        after,
        limit,
    } = cut(pagination, rows).await?;
    data.truncate(ROWS);
    let by_number: HashMap<_, _> = tasks
        .iter()
        .map(|task| (i64::from(task.number.get()), task))
        .collect();
    let shown: Vec<_> = data
        .iter()
        .filter_map(|row| by_number.get(&row["id"].as_i64()?).copied().cloned())
        .collect();
    let answers = match deep {
        true => answers,
        false => Answers::of(app, account, charge, &shown).await?,
    };
    let page = TaskRows {
        data: shown
            .iter()
            .map(|task| answers.response(app, task))
            .collect(),
        total,
        after,
        limit,
    };
    Ok(Json(page).into_response())
}

async fn older(
    app: &App,
    account: AccountId,
    charge: &Charge,
    query: &TaskQuery,
) -> Result<Response, Refusal> {
    let filter = TaskFilter {
        since: query
            .after
            .map(|millis| read_millis("?after", millis))
            .transpose()?,
        until: query
            .before
            .map(|millis| read_millis("?before", millis))
            .transpose()?,
        ..TaskFilter::default()
    };
    let mut tasks = newest(app, account, &filter, WINDOW).await?;
    if query.order == Some(Direction::Asc) {
        tasks.reverse();
    }
    let mut list = TaskList {
        data: Vec::new(),
        total_elements: tasks.len(),
        all_ids: tasks.iter().map(|task| task.number.get()).collect(),
    };
    let limit = query.limit.unwrap_or(ROWS).min(ROWS);
    let _held = charge.hold(tasks.len() as u64 * ROW_BYTES)?;
    let shown = tasks.iter().skip(query.offset.unwrap_or(0)).take(limit);
    let shown: Vec<_> = shown.cloned().collect();
    let answers = Answers::of(app, account, charge, &shown).await?;
    for task in &shown {
        list.data.push(answers.response(app, task));
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
        let more = app.dispatcher().tasks().list(account, filter, page).await?;
        let last = more.len() < limit as usize;
        tasks.extend(more);
        if last || tasks.len() >= most {
            tasks.truncate(most);
            return Ok(tasks);
        }
    }
}

/// What the executions of a page's tasks have answered.
#[derive(Default)]
pub(super) struct Answers<'a> {
    endings: HashMap<TaskId, Endings>,
    verdicts: HashMap<TaskId, Vec<Verdict>>,
    _held: Option<HeldMemory<'a>>,
}

impl<'a> Answers<'a> {
    /// Reads them for all tasks at once; its memory is charged as long as this lives.
    async fn of(
        app: &App,
        account: AccountId,
        charge: &'a Charge,
        tasks: &[Task],
    ) -> Result<Self, Refusal> {
        let tasks: Vec<_> = tasks.iter().map(|task| task.id).collect();
        let dispatcher = app.dispatcher();
        let endings = dispatcher.tasks().endings(account, tasks.clone()).await?;
        let bytes: u64 = endings.values().map(|ending| ending.verdict_bytes).sum();
        // Their text, what it says, and that as JSON again.
        let held = charge.hold(bytes.saturating_mul(3))?;
        let verdicts = match bytes {
            0 => HashMap::new(),
            _ => dispatcher.tasks().verdicts(account, tasks).await?,
        };
        Ok(Self {
            endings,
            verdicts,
            _held: Some(held),
        })
    }

    /// One row of a list.
    fn response(&self, app: &App, task: &Task) -> TaskResponse {
        let ending = self.endings.get(&task.id);
        let status = ending.and_then(|ending| ending.failed_status);
        let result = self.verdicts.get(&task.id).and_then(result_of_verdicts);
        TaskResponse::row(task, status, result, app.croit_times())
    }

    /// A row as filters and orders see it: numbers in its result are compared exactly.
    pub(super) fn row(&self, app: &App, task: &Task) -> Result<Value, Refusal> {
        let (response, result) = self.response(app, task).take_result();
        let mut row = serde_json::to_value(response).map_err(|error| Refusal::internal(&error))?;
        if let Some(result) = result {
            row["result"] = json::exact(&result);
        }
        Ok(row)
    }
}
