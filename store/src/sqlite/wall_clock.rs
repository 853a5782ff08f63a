//! What the clock has shown, and waits that a clock which was set back has stretched.

use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::Error;
use time::OffsetDateTime;

use super::convert::{Read as _, cannot, micros};

/// Ends the rest of tasks that lie further in the future than the longest wait of
/// what waits in them. A recipe that cannot be read allows no wait.
pub(super) async fn shorten_waits(
    conn: &mut SqliteConnection,
    now: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query(
        "WITH resting (seq, latest) AS (SELECT seq, ?1 + coalesce((SELECT max(1000 * CASE WHEN json_valid(content) \
         THEN json_extract(content, '$.retry.backoff_max_ms') END) FROM executions \
         JOIN recipes ON recipes.id = executions.recipe \
         WHERE executions.task = tasks.seq AND executions.due_at IS NOT NULL AND executions.state = 'WAITING'), 0) \
         FROM tasks WHERE ended_at IS NULL AND owner IS NULL AND due_at > ?1) \
         UPDATE tasks SET due_at = resting.latest FROM resting \
         WHERE tasks.seq = resting.seq AND tasks.due_at > resting.latest",
    )
    .bind(micros(now))
    .execute(conn)
    .await
    .map(|_| ())
    .map_err(cannot("shorten the waits"))
}

/// The latest time that was believed to be right.
pub(super) async fn seen(conn: &mut SqliteConnection) -> Result<Option<OffsetDateTime>, Error> {
    sqlx::query("SELECT seen_at FROM clock")
        .fetch_optional(&mut *conn)
        .await
        .map_err(cannot("read the time that was seen"))?
        .map(|row| row.time("seen_at"))
        .transpose()
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
