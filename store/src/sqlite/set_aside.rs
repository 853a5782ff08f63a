//! Tasks that cannot be read: kept as they are, failed with the reason, and out of
//! the way of others. Whoever has mended one redrives its executions.

use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{Error, SetAside, TaskId};
use time::OffsetDateTime;

use super::convert::{Read as _, cannot, is_damage, is_damaged_target, micros};

const DOING: &str = "set a task aside";

/// Sets a task aside.
pub(super) async fn put(
    conn: &mut SqliteConnection,
    seq: i64,
    reason: String,
    now: OffsetDateTime,
) -> Result<SetAside, Error> {
    sqlx::query(
        "INSERT INTO set_aside (task, reason, at) VALUES (?, ?, ?) \
         ON CONFLICT (task) DO UPDATE SET reason = excluded.reason, at = excluded.at",
    )
    .bind(seq)
    .bind(&reason)
    .bind(micros(now))
    .execute(&mut *conn)
    .await
    .map_err(cannot(DOING))?;
    execute(conn, "SAVEPOINT aside").await?;
    match end(conn, seq, &reason, now).await {
        Ok(()) => {}
        // It cannot be written either; then only the note above tells of it.
        Err(error) if is_damaged_target(&error) => execute(conn, "ROLLBACK TO aside").await?,
        Err(error) => return Err(error),
    }
    execute(conn, "RELEASE aside").await?;
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

/// Lets a task that was set aside be claimed again.
pub(super) async fn take_back(conn: &mut SqliteConnection, seq: i64) -> Result<(), Error> {
    sqlx::query("DELETE FROM set_aside WHERE task = ?")
        .bind(seq)
        .execute(conn)
        .await
        .map(|_| ())
        .map_err(cannot(DOING))
}

async fn end(
    conn: &mut SqliteConnection,
    seq: i64,
    reason: &str,
    now: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE executions SET state = 'FAILED', dead = 1, error = ?, ended_at = ?, due_at = NULL \
         WHERE task = ? AND state = 'WAITING'",
    )
    .bind(format!("it cannot be read from the database: {reason}"))
    .bind(micros(now))
    .bind(seq)
    .execute(&mut *conn)
    .await
    .map_err(cannot(DOING))?;
    sqlx::query("UPDATE tasks SET state = 'FAILED', ended_at = ?, owner = NULL WHERE seq = ?")
        .bind(micros(now))
        .bind(seq)
        .execute(conn)
        .await
        .map(|_| ())
        .map_err(cannot(DOING))
}

async fn execute(conn: &mut SqliteConnection, sql: &'static str) -> Result<(), Error> {
    sqlx::query(sql)
        .execute(conn)
        .await
        .map(|_| ())
        .map_err(cannot(DOING))
}
