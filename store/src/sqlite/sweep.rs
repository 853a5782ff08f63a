//! Removing what is no longer to be kept, a bounded part at a time.

use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{Error, Retention, Swept};
use time::OffsetDateTime;

use super::convert::{Read as _, cannot, micros};
use super::writer::Writing;

const DOING: &str = "remove what is old";

/// Most tasks removed by one sweep: other writers wait no longer than this takes.
const TASKS: i64 = 2_000;

pub(super) async fn sweep(
    writing: &mut Writing,
    retention: &Retention,
    now: OffsetDateTime,
) -> Result<Swept, Error> {
    let conn = &mut writing.conn;
    let oldest =
        micros(now).saturating_sub(i64::try_from(retention.age.as_micros()).unwrap_or(i64::MAX));
    // Only the oldest are looked at: whether anything is old does not cost a walk over all.
    let mut tasks = run(
        conn,
        "DELETE FROM tasks WHERE seq IN (SELECT oldest.seq FROM \
         (SELECT seq, ended_at FROM tasks ORDER BY seq LIMIT ?2) AS oldest WHERE oldest.ended_at < ?1)",
        &[oldest, TASKS],
    )
    .await?;
    for account in accounts(conn).await? {
        if tasks < TASKS.unsigned_abs() {
            tasks += run(
                conn,
                "DELETE FROM tasks WHERE seq IN (SELECT seq FROM tasks WHERE account = ?1 AND ended_at IS NOT NULL \
                 AND id <= (SELECT id FROM tasks WHERE account = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?3) \
                 ORDER BY id LIMIT ?2)",
                &[account, TASKS, i64::from(retention.tasks_per_account)],
            )
            .await?;
        }
    }
    run(
        conn,
        "DELETE FROM recipes WHERE NOT EXISTS (SELECT 1 FROM executions WHERE recipe = recipes.id)",
        &[],
    )
    .await?;
    let programs = run(
        conn,
        "DELETE FROM programs WHERE NOT EXISTS (SELECT 1 FROM sources WHERE digest = programs.digest) \
         AND NOT EXISTS (SELECT 1 FROM recipes WHERE digest = programs.digest)",
        &[],
    )
    .await?;
    let tokens = run(
        conn,
        "DELETE FROM tokens WHERE expires_at < ?1",
        &[micros(now)],
    )
    .await?;
    writing.recipes.clear();
    Ok(Swept {
        tasks,
        programs,
        tokens,
    })
}

async fn accounts(conn: &mut SqliteConnection) -> Result<Vec<i64>, Error> {
    sqlx::query("SELECT number FROM accounts")
        .fetch_all(conn)
        .await
        .map_err(cannot(DOING))?
        .iter()
        .map(|row| row.read("number"))
        .collect()
}

async fn run(conn: &mut SqliteConnection, sql: &'static str, values: &[i64]) -> Result<u64, Error> {
    let mut query = sqlx::query(sql);
    for value in values {
        query = query.bind(*value);
    }
    query
        .execute(conn)
        .await
        .map(|done| done.rows_affected())
        .map_err(cannot(DOING))
}
