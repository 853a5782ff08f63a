//! Tasks that are damaged: kept as they are, failed with the reason, and out of the way of
//! others. Once one is repaired, its executions are redriven.
//!
//! A row that is damaged can often not be changed either. Then a note beside it is all that
//! says that it has failed, so what shows executions and tasks looks at the notes too.

use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{Error, SetAside, TaskId};
use time::OffsetDateTime;

use super::convert::{Read as _, begin_part, cannot, damage, end_part, is_damage, micros};

const DOING: &str = "set a task aside";

/// Why a task is set aside that cannot be read.
pub(super) fn unreadable(error: &Error) -> String {
    format!(
        "it cannot be read from the database: {}; redrive it once it is repaired",
        damage(error)
    )
}

/// Why a task is set aside that cannot be written.
pub(super) fn unwritable(error: &Error) -> String {
    format!(
        "it is damaged in the database and cannot be changed there: {}; redrive it once it is repaired",
        damage(error)
    )
}

/// Sets a task aside, with what of it can be ended.
pub(super) async fn put(
    conn: &mut SqliteConnection,
    seq: i64,
    reason: String,
    now: OffsetDateTime,
) -> Result<SetAside, Error> {
    note(conn, seq, &reason, now).await?;
    end(conn, seq, &reason, now).await?;
    let task = match sqlx::query("SELECT id FROM tasks WHERE seq = ?")
        .bind(seq)
        .fetch_one(conn)
        .await
        .map_err(cannot(DOING))
        .and_then(|row| row.id("id", TaskId::from_uuid))
    {
        Ok(task) => Some(task),
        Err(error) if is_damage(&error) => None,
        Err(error) => return Err(error),
    };
    Ok(SetAside { seq, task, reason })
}

/// Notes that a task is set aside, and leaves it unchanged.
pub(super) async fn note(
    conn: &mut SqliteConnection,
    seq: i64,
    reason: &str,
    now: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO set_aside (task, reason, at) VALUES (?, ?, ?) \
         ON CONFLICT (task) DO UPDATE SET reason = excluded.reason, at = excluded.at",
    )
    .bind(seq)
    .bind(reason)
    .bind(micros(now))
    .execute(conn)
    .await
    .map(|_| ())
    .map_err(cannot(DOING))
}

/// Why a task is set aside, if it is.
pub(super) async fn reason(conn: &mut SqliteConnection, seq: i64) -> Result<Option<String>, Error> {
    let reason = sqlx::query_scalar(
        "SELECT coalesce(CAST(reason AS TEXT), 'it was damaged') FROM set_aside WHERE task = ?",
    );
    reason
        .bind(seq)
        .fetch_optional(conn)
        .await
        .map_err(cannot(DOING))
}

/// Whether any task is set aside.
pub(super) async fn has_any(conn: &mut SqliteConnection) -> Result<bool, Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM set_aside)")
        .fetch_one(conn)
        .await
        .map_err(cannot(DOING))
}

/// Lets a task that was set aside be claimed again.
pub(super) async fn take_back(conn: &mut SqliteConnection, seq: i64) -> Result<(), Error> {
    sqlx::query("DELETE FROM set_aside WHERE task = ?")
        .bind(seq)
        .execute(conn)
        .await
        .map(|_| ())
        .map_err(cannot(DOING))
}

/// Ends what of a task waits and can be changed.
pub(super) async fn end(
    conn: &mut SqliteConnection,
    seq: i64,
    reason: &str,
    now: OffsetDateTime,
) -> Result<(), Error> {
    if !end_executions(conn, seq, None, reason, now).await? {
        let waiting: Vec<i64> =
            sqlx::query_scalar("SELECT seq FROM executions WHERE task = ? AND state = 'WAITING'")
                .bind(seq)
                .fetch_all(&mut *conn)
                .await
                .map_err(cannot(DOING))?;
        for one in waiting {
            end_executions(conn, seq, Some(one), reason, now).await?;
        }
    }
    begin_part(conn, DOING).await?;
    let ended =
        sqlx::query("UPDATE tasks SET state = 'FAILED', ended_at = ?, owner = NULL WHERE seq = ?")
            .bind(micros(now))
            .bind(seq)
            .execute(&mut *conn)
            .await
            .map(|_| ())
            .map_err(cannot(DOING));
    end_part(conn, ended, DOING).await.map(drop)
}

/// Ends one waiting execution or all of them. Returns whether it could.
async fn end_executions(
    conn: &mut SqliteConnection,
    task: i64,
    only: Option<i64>,
    reason: &str,
    now: OffsetDateTime,
) -> Result<bool, Error> {
    begin_part(conn, DOING).await?;
    let ended = sqlx::query(
        "UPDATE executions SET state = 'FAILED', dead = 1, error = ?1, ended_at = ?2, due_at = NULL \
         WHERE task = ?3 AND state = 'WAITING' AND (?4 IS NULL OR seq = ?4)",
    )
    .bind(reason)
    .bind(micros(now))
    .bind(task)
    .bind(only)
    .execute(&mut *conn)
    .await
    .map(|_| ())
    .map_err(cannot(DOING));
    end_part(conn, ended, DOING).await
}
