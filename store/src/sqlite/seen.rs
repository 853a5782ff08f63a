//! Events that are known though their tasks are not kept any more.
//!
//! A task that is removed leaves a row here until its event's horizon has passed. It is
//! not asked for events whose tasks are kept: those are known by their tasks.

use std::collections::HashMap;
use std::sync::LazyLock;

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{Error, EventKey, Inserted, Number, Progress, State, Task, TaskId};
use tenterhook_engine::Digest;
use time::OffsetDateTime;
use uuid::Uuid;

use super::convert::{Read as _, breaks_the_schema, cannot};
use super::damaged::Damaged;
use super::rows::Rows;

const DOING: &str = "look the event up";

/// The columns that a task and what is remembered of it have in common.
macro_rules! of_task {
    () => {
        "number, started_by, object, total, cancelled, state, created_at, started_at, ended_at"
    };
}

static LOOK_UP: LazyLock<Rows> = LazyLock::new(|| {
    Rows::new(
        "WITH asked (account, source, id) AS (VALUES ",
        3,
        concat!(
            ") SELECT seen.account AS account, seen.source AS source, seen.id AS id, type, task, content, ",
            of_task!(),
            " FROM asked CROSS JOIN seen \
             ON seen.account = asked.account AND seen.source = asked.source AND seen.id = asked.id",
        ),
    )
});

/// What is remembered, by account, source and id of the event: its task and its content.
pub(super) type Known = HashMap<(i64, String, String), (Task, Option<Digest>)>;

/// Fails unless an event that comes again, the one at `index`, has the content that it had
/// first. Where either is not known, it has.
pub(super) fn compare(
    now: Option<Digest>,
    first: Option<Digest>,
    index: usize,
) -> Result<(), Error> {
    match now.zip(first) {
        Some((now, first)) if now != first => Err(Error::EventConflict { index: Some(index) }),
        _ => Ok(()),
    }
}

/// The content of an event; not known if it cannot be read.
fn content(row: &SqliteRow, column: &'static str) -> Option<Digest> {
    row.digest(column).ok()
}

/// Checks that the content of an event can be read, if there is one.
pub(super) fn check_content(row: &SqliteRow, column: &'static str) -> Result<(), Error> {
    match row.read::<Option<&[u8]>>(column)? {
        Some(_) => row.digest(column).map(drop),
        None => Ok(()),
    }
}

/// Finds those of the events that were accepted before and whose first tasks are not kept
/// any more. Of one that is damaged it is known that it was accepted, whatever else cannot be
/// read; where not even that can be looked up, it is accepted again.
pub(super) async fn of(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    keys: &[(i64, &EventKey)],
) -> Result<Known, Error> {
    let mut known = Known::new();
    for (text, piece) in LOOK_UP.cut(keys) {
        let mut query = sqlx::query(text);
        for (account, key) in piece {
            query = query.bind(account).bind(&key.source).bind(&key.id);
        }
        let rows = query.fetch_all(&mut *conn).await.map_err(cannot(DOING));
        for row in damaged.spare("seen", rows)? {
            let task = match damaged.readable("seen", &row, task(&row))? {
                Some(task) => task,
                None => remains(&row)?,
            };
            let account = row.read("account")?;
            let key = (account, row.read("source")?, row.read("id")?);
            known.insert(key, (task, content(&row, "content")));
        }
    }
    Ok(known)
}

/// What can be read of a task that cannot be read whole. Where its end is not known, it is
/// one that must not be relied on.
fn remains(row: &SqliteRow) -> Result<Task, Error> {
    let start = OffsetDateTime::UNIX_EPOCH;
    let kind: String = row.read("type").unwrap_or_default();
    let total = row.int("total").unwrap_or_default();
    let created_at = row.time("created_at").unwrap_or(start);
    Ok(Task {
        id: row
            .id("task", TaskId::from_uuid)
            .unwrap_or_else(|_| TaskId::from_uuid(Uuid::nil())),
        number: row.number("number").unwrap_or(Number::UNASSIGNED),
        name: kind.clone(),
        started_by: row.read("started_by").unwrap_or_default(),
        object: row.read("object").unwrap_or_default(),
        event: Some(EventKey {
            source: row.read("source")?,
            id: row.read("id")?,
            kind,
        }),
        state: row.parsed("state").unwrap_or(State::Failed),
        progress: Progress {
            total,
            complete: total,
        },
        cancelled: row.bool("cancelled").unwrap_or_default(),
        created_at,
        started_at: row.time_opt("started_at").unwrap_or_default(),
        ended_at: Some(row.time("ended_at").unwrap_or(created_at)),
    })
}

/// What is known of events of an account, whether or not their first tasks are kept.
pub(super) async fn all(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    account: i64,
    events: &[(EventKey, Option<Digest>)],
) -> Result<Vec<Option<Inserted>>, Error> {
    let asked: Vec<_> = events.iter().map(|(key, _)| (account, key)).collect();
    let removed = of(conn, damaged, &asked).await?;
    let mut known = Vec::with_capacity(events.len());
    for (index, (key, now)) in events.iter().enumerate() {
        let seen = (account, key.source.clone(), key.id.clone());
        let found = match removed.get(&seen) {
            Some((task, first)) => Some((Inserted::Remembered(Box::new(task.clone())), *first)),
            None => kept(conn, account, key)
                .await?
                .map(|(id, first)| (Inserted::Repeated(id), first)),
        };
        if let Some((_, first)) = &found {
            compare(*now, *first, index)?;
        }
        known.push(found.map(|(first, _)| first));
    }
    Ok(known)
}

/// The task that an event has caused, if that is kept, and the event's content then.
pub(super) async fn kept(
    conn: &mut SqliteConnection,
    account: i64,
    key: &EventKey,
) -> Result<Option<(TaskId, Option<Digest>)>, Error> {
    sqlx::query("SELECT id, event_content FROM tasks WHERE account = ? AND event_source = ? AND event_id = ?")
        .bind(account)
        .bind(&key.source)
        .bind(&key.id)
        .fetch_optional(conn)
        .await
        .map_err(cannot(DOING))?
        .map(|row| Ok((row.id("id", TaskId::from_uuid)?, content(&row, "event_content"))))
        .transpose()
}

/// Remembers the event of a task that is about to be removed, unless its horizon has
/// passed already.
pub(super) async fn remember(
    conn: &mut SqliteConnection,
    task: i64,
    horizon: i64,
) -> Result<(), Error> {
    sqlx::query(concat!(
        "INSERT INTO seen (account, source, id, type, task, content, ",
        of_task!(),
        ") SELECT account, event_source, event_id, event_type, id, event_content, ",
        of_task!(),
        " FROM tasks WHERE seq = ? \
         AND event_id IS NOT NULL AND created_at >= ? ON CONFLICT (account, source, id) DO NOTHING",
    ))
    .bind(task)
    .bind(horizon)
    .execute(conn)
    .await
    .map(|_| ())
    .or_else(|error| match breaks_the_schema(&error) {
        // The task is damaged. It is removed all the same, or none of the account's ever was.
        true => Ok(()),
        false => Err(cannot("remember the event")(error)),
    })
}

/// Forgets the oldest events of an account: those before the horizon, and `too_many` more.
/// Returns how many, at most `limit`.
pub(super) async fn forget(
    conn: &mut SqliteConnection,
    account: i64,
    horizon: i64,
    too_many: i64,
    limit: i64,
) -> Result<u64, Error> {
    sqlx::query(
        "DELETE FROM seen WHERE (account, source, id) IN (SELECT account, source, id FROM \
         (SELECT account, source, id, created_at, row_number() OVER (ORDER BY created_at) AS place FROM \
         (SELECT account, source, id, created_at FROM seen WHERE account = ?1 ORDER BY created_at LIMIT ?4)) \
         WHERE (created_at >= 0 AND created_at < ?2) OR place <= ?3)",
    )
    .bind(account)
    .bind(horizon)
    .bind(too_many)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected())
    .map_err(cannot("forget old events"))
}

pub(super) fn task(row: &SqliteRow) -> Result<Task, Error> {
    let total = row.int("total")?;
    let kind: String = row.read("type")?;
    Ok(Task {
        id: row.id("task", TaskId::from_uuid)?,
        number: row.number("number")?,
        name: kind.clone(),
        started_by: row.read("started_by")?,
        object: row.read("object")?,
        event: Some(EventKey {
            source: row.read("source")?,
            id: row.read("id")?,
            kind,
        }),
        state: row.parsed("state")?,
        progress: Progress {
            total,
            complete: total,
        },
        cancelled: row.bool("cancelled")?,
        created_at: row.time("created_at")?,
        started_at: row.time_opt("started_at")?,
        ended_at: row.time_opt("ended_at")?,
    })
}
