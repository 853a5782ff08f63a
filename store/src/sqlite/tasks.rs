//! Reading tasks.

use bytes::Bytes;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Sqlite};
use tenterhook_dispatch::{
    Error, EventKey, Key, PAGE_MAX, Progress, State, Task, TaskFilter, TaskId, TaskPage,
};

use super::convert::{Read as _, cannot, micros};
use super::damaged::Damaged;

const DOING: &str = "read the tasks";

/// All columns of a task. Those that an open task does not keep are counted
/// from its executions. One that was set aside is over, though it may be that its row could
/// not be changed to say so.
const SELECT: &str = "SELECT id, number, name, started_by, object, event_source, event_id, event_type, total, \
    cancelled, created_at, \
    CASE WHEN state IS NULL AND seq IN (SELECT task FROM set_aside) THEN 'FAILED' ELSE state END AS state, \
    coalesce(ended_at, (SELECT CASE WHEN typeof(at) = 'integer' AND at >= 0 THEN at ELSE 0 END FROM set_aside \
    WHERE task = tasks.seq)) AS ended_at, \
    CASE WHEN tasks.ended_at IS NULL THEN (SELECT count(*) FROM executions WHERE task = tasks.seq AND executions.ended_at IS NOT NULL) \
    ELSE total END AS complete, \
    CASE WHEN tasks.ended_at IS NULL THEN (SELECT min(started_at) FROM executions WHERE task = tasks.seq) \
    ELSE started_at END AS started_at FROM tasks WHERE account = ";

pub(super) async fn get(
    conn: &mut SqliteConnection,
    account: i64,
    key: Key<TaskId>,
) -> Result<Option<Task>, Error> {
    let mut query = QueryBuilder::<Sqlite>::new(SELECT);
    query.push_bind(account);
    match key {
        Key::Id(id) => query.push(" AND id = ").push_bind(id.as_uuid()),
        Key::Number(number) => query.push(" AND number = ").push_bind(number.get()),
    };
    query
        .build()
        .fetch_optional(&mut *conn)
        .await
        .map_err(cannot(DOING))?
        .as_ref()
        .map(read)
        .transpose()
}

pub(super) async fn list(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    account: i64,
    filter: &TaskFilter,
    page: TaskPage,
) -> Result<Vec<Task>, Error> {
    let mut query = QueryBuilder::<Sqlite>::new(SELECT);
    query.push_bind(account);
    if filter.active {
        query.push(" AND tasks.ended_at IS NULL AND seq NOT IN (SELECT task FROM set_aside)");
    }
    if let Some(event) = &filter.event {
        query.push(" AND event_type = ").push_bind(event.as_str());
    }
    if let Some(since) = filter.since {
        query.push(" AND created_at >= ").push_bind(micros(since));
    }
    if let Some(until) = filter.until {
        query.push(" AND created_at < ").push_bind(micros(until));
    }
    // Identifiers sort by the time at which they were made. The sign keeps the
    // database from walking all tasks in that order where few are wanted.
    let id = if filter.active { "+id" } else { "id" };
    if let Some(after) = page.after {
        query
            .push(" AND ")
            .push(id)
            .push(" < ")
            .push_bind(after.as_uuid());
    }
    query
        .push(" ORDER BY ")
        .push(id)
        .push(" DESC LIMIT ")
        .push_bind(i64::from(page.limit.clamp(1, PAGE_MAX)));
    let rows = query
        .build()
        .fetch_all(&mut *conn)
        .await
        .map_err(cannot(DOING))?;
    damaged.sift("tasks", &rows, read)
}

pub(super) async fn event(
    conn: &mut SqliteConnection,
    account: i64,
    task: TaskId,
) -> Result<Option<Bytes>, Error> {
    let row = sqlx::query("SELECT event FROM tasks WHERE account = ? AND id = ?")
        .bind(account)
        .bind(task.as_uuid())
        .fetch_optional(&mut *conn)
        .await
        .map_err(cannot("read the event"))?;
    let json: Option<Vec<u8>> = row.map(|row| row.read("event")).transpose()?.flatten();
    Ok(json.map(Bytes::from))
}

pub(super) fn read(row: &SqliteRow) -> Result<Task, Error> {
    let progress = Progress {
        total: row.int("total")?,
        complete: row.int("complete")?,
    };
    let state = match row.read::<Option<&str>>("state")? {
        Some(_) => row.parsed("state")?,
        None if progress.complete > 0 => State::Running,
        None => State::Waiting,
    };
    let event = match row.read::<Option<String>>("event_id")? {
        Some(id) => Some(EventKey {
            source: row.read("event_source")?,
            id,
            kind: row.read("event_type")?,
        }),
        None => None,
    };
    Ok(Task {
        id: row.id("id", TaskId::from_uuid)?,
        number: row.number("number")?,
        name: row.read("name")?,
        started_by: row.read("started_by")?,
        object: row.read("object")?,
        event,
        state,
        progress,
        cancelled: row.bool("cancelled")?,
        created_at: row.time("created_at")?,
        started_at: row.time_opt("started_at")?,
        ended_at: row.time_opt("ended_at")?,
    })
}
