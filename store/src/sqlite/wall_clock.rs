//! What the clock has shown, and waits that a clock which was set back has stretched.

use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::Error;
use time::OffsetDateTime;

use super::convert::{Read as _, cannot, is_damaged_target, micros};
use super::damaged::Damaged;

const DOING: &str = "shorten the waits";

/// Ends the rest of tasks that lie further in the future than the longest wait of
/// what waits in them. A recipe that cannot be read allows no wait.
pub(super) async fn shorten_waits(
    conn: &mut SqliteConnection,
    now: OffsetDateTime,
) -> Result<(), Error> {
    match shorten(conn, micros(now), None).await {
        Err(error) if is_damaged_target(&error) => shorten_each(conn, micros(now)).await,
        shortened => shortened,
    }
}

/// Shortens the waits of one task or of all. No policy allows a wait of more than a day,
/// whatever a damaged one says; a time that cannot be one is later than all others.
async fn shorten(conn: &mut SqliteConnection, now: i64, only: Option<i64>) -> Result<(), Error> {
    sqlx::query(
        "WITH resting (seq, latest) AS (SELECT seq, ?1 + coalesce((SELECT max(1000 * CASE WHEN json_valid(content) \
         AND json_extract(content, '$.retry.backoff_max_ms') BETWEEN 0 AND 86400000 \
         THEN CAST(json_extract(content, '$.retry.backoff_max_ms') AS INTEGER) END) FROM executions \
         JOIN recipes ON recipes.id = executions.recipe \
         WHERE executions.task = tasks.seq AND executions.due_at IS NOT NULL AND executions.state = 'WAITING'), 0) \
         FROM tasks WHERE ended_at IS NULL AND owner IS NULL AND due_at > ?1 AND (?2 IS NULL OR seq = ?2)) \
         UPDATE tasks SET due_at = resting.latest FROM resting \
         WHERE tasks.seq = resting.seq AND tasks.due_at > resting.latest",
    )
    .bind(now)
    .bind(only)
    .execute(conn)
    .await
    .map(|_| ())
    .map_err(cannot(DOING))
}

/// The same, task by task: those that cannot be written stay as they are. They are set
/// aside when they are claimed.
async fn shorten_each(conn: &mut SqliteConnection, now: i64) -> Result<(), Error> {
    let resting: Vec<i64> = sqlx::query_scalar(
        "SELECT seq FROM tasks WHERE ended_at IS NULL AND owner IS NULL AND due_at > ?",
    )
    .bind(now)
    .fetch_all(&mut *conn)
    .await
    .map_err(cannot(DOING))?;
    for seq in resting {
        match shorten(conn, now, Some(seq)).await {
            Err(error) if !is_damaged_target(&error) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The latest time that was believed to be right. One that cannot be read is none: then
/// the clock is believed as at a first start.
pub(super) async fn seen(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
) -> Result<Option<OffsetDateTime>, Error> {
    let row = sqlx::query("SELECT id, seen_at FROM clock WHERE id = 1")
        .fetch_optional(&mut *conn)
        .await
        .map_err(cannot("read the time that was seen"))?;
    match row {
        Some(row) => damaged.readable("clock", &row, row.time("seen_at")),
        None => Ok(None),
    }
}

/// Keeps a time that is believed to be right.
pub(super) async fn see(conn: &mut SqliteConnection, at: OffsetDateTime) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO clock (id, seen_at) VALUES (1, ?) \
         ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
    )
    .bind(micros(at))
    .execute(conn)
    .await
    .map(|_| ())
    .map_err(cannot("store the time that was seen"))
}
