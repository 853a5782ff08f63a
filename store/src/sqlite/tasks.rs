//! Tasks and their events. How they are inserted is in [`insert`](super::insert).

use async_trait::async_trait;
use bytes::Bytes;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite as Db};
use tenterhook_dispatch::{
    AccountId, Error, EventKey, Inserted, Key, NewTask, PAGE_MAX, Progress, State, Task,
    TaskFilter, TaskId, TaskPage, TaskStore,
};
use tenterhook_engine::Digest;

use super::convert::{Read as _, cannot, micros};
use super::{Sqlite, seen};

const DOING: &str = "read the tasks";

/// All columns of a task. Those that an open task does not keep are counted
/// from its executions. One that was set aside has finished, even if its row could
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

#[async_trait]
impl TaskStore for Sqlite {
    async fn insert_tasks(&self, tasks: Vec<NewTask>) -> Result<Vec<Inserted>, Error> {
        let mut rows = Vec::with_capacity(tasks.len());
        for task in tasks {
            rows.push((self.number_of(task.account).await?, task));
        }
        let Some(account) = rows.first().map(|(account, _)| *account) else {
            return Ok(Vec::new());
        };
        self.writer.insert(account, rows).await
    }

    async fn known_events(
        &self,
        account: AccountId,
        events: Vec<(EventKey, Option<Digest>)>,
    ) -> Result<Vec<Option<Inserted>>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        seen::all(&mut reader, &self.damaged, account, &events).await
    }

    async fn task(&self, account: AccountId, key: Key<TaskId>) -> Result<Option<Task>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let mut query = QueryBuilder::<Db>::new(SELECT);
        query.push_bind(account);
        match key {
            Key::Id(id) => query.push(" AND id = ").push_bind(id.as_uuid()),
            Key::Number(number) => query.push(" AND number = ").push_bind(number.get()),
        };
        let row = query.build().fetch_optional(&mut *reader).await;
        let row = row.map_err(cannot(DOING))?;
        row.as_ref().map(read).transpose()
    }

    async fn tasks(
        &self,
        account: AccountId,
        filter: &TaskFilter,
        page: TaskPage,
    ) -> Result<Vec<Task>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let mut query = list(account, filter, page);
        let rows = query.build().fetch_all(&mut *reader).await;
        self.damaged
            .sift("tasks", &rows.map_err(cannot(DOING))?, read)
    }

    async fn event(&self, account: AccountId, task: TaskId) -> Result<Option<Bytes>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let row = sqlx::query("SELECT event FROM tasks WHERE account = ? AND id = ?")
            .bind(account)
            .bind(task.as_uuid())
            .fetch_optional(&mut *reader)
            .await
            .map_err(cannot("read the event"))?;
        let json: Option<Vec<u8>> = row.map(|row| row.read("event")).transpose()?.flatten();
        Ok(json.map(Bytes::from))
    }
}

/// The query for a page of an account's tasks.
fn list(account: i64, filter: &TaskFilter, page: TaskPage) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::<Db>::new(SELECT);
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
    query
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
