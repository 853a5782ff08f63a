//! What the clock has shown, and waits that a clock which was set back has stretched.

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{ClockStore, Error};
use time::OffsetDateTime;

use super::Sqlite;
use super::convert::{Read as _, cannot, is_damage, is_damaged_target, micros};

const DOING: &str = "shorten the waits";

/// What an execution was to wait at most from `?1` on. Where that is not known or cannot be
/// read, the policy of its hook decides; no policy allows a wait of more than a day,
/// whatever a damaged one contains, and one that cannot be read allows none.
macro_rules! latest {
    () => {
        "?1 + CASE WHEN typeof(executions.wait_us) = 'integer' AND executions.wait_us BETWEEN 0 AND 86400000000 \
         THEN executions.wait_us ELSE coalesce((SELECT 1000 * CASE WHEN json_valid(content) \
         AND json_extract(content, '$.retry.backoff_max_ms') BETWEEN 0 AND 86400000 \
         THEN CAST(json_extract(content, '$.retry.backoff_max_ms') AS INTEGER) END \
         FROM recipes WHERE recipes.id = executions.recipe), 0) END"
    };
}

/// What rests in tasks beyond `?1`, of one task or of all. Finished ones are not read: it
/// is most of what there is, and a page of it may be damaged.
macro_rules! resting {
    ($join:literal) => {
        concat!(
            "tasks INDEXED BY tasks_open ",
            $join,
            " executions ON executions.task = tasks.seq AND executions.state = 'WAITING' \
             AND executions.due_at IS NOT NULL WHERE tasks.ended_at IS NULL AND tasks.owner IS NULL \
             AND tasks.due_at > ?1 AND (?2 IS NULL OR tasks.seq = ?2)"
        )
    };
}

/// A task rests until the first of what waits in it.
const TASKS: &str = concat!(
    "UPDATE tasks SET due_at = found.first FROM (SELECT tasks.seq AS own, \
     max(?1, coalesce(min(min(executions.due_at, ",
    latest!(),
    ")), ?1)) AS first FROM ",
    resting!("LEFT JOIN"),
    " GROUP BY tasks.seq) AS found WHERE tasks.seq = found.own AND tasks.due_at > found.first"
);

const EXECUTIONS: &str = concat!(
    "UPDATE executions SET due_at = found.latest FROM (SELECT executions.seq AS own, ",
    latest!(),
    " AS latest FROM ",
    resting!("CROSS JOIN"),
    ") AS found WHERE executions.seq = found.own AND executions.due_at > found.latest"
);

#[async_trait]
impl ClockStore for Sqlite {
    async fn shorten_waits(&self, now: OffsetDateTime) -> Result<(), Error> {
        let shortened = self
            .writer
            .run_to_free(move |writing| Box::pin(shorten_waits(&mut writing.conn, now)))
            .await;
        match shortened {
            // What waits too long then waits; the others need a server.
            Err(error) if is_damage(&error) => {
                self.damaged.report("tasks", "any row".to_owned(), &error);
                Ok(())
            }
            shortened => shortened,
        }
    }

    /// A time that cannot be read is none: then the clock is trusted as at a first start.
    async fn clock_seen(&self) -> Result<Option<OffsetDateTime>, Error> {
        let mut reader = self.readers.of_server().await?;
        let row = sqlx::query("SELECT id, seen_at FROM clock WHERE id = 1")
            .fetch_optional(&mut *reader)
            .await
            .map_err(cannot("read the time that was seen"));
        match row {
            Err(error) if is_damage(&error) => {
                self.damaged.report("clock", "any row".to_owned(), &error);
                Ok(None)
            }
            row => match row? {
                Some(row) => self.damaged.readable("clock", &row, row.time("seen_at")),
                None => Ok(None),
            },
        }
    }

    async fn see_clock(&self, at: OffsetDateTime) -> Result<(), Error> {
        self.writer
            .run_to_free(move |writing| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO clock (id, seen_at) VALUES (1, ?) \
                         ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
                    )
                    .bind(micros(at))
                    .execute(&mut writing.conn)
                    .await
                    .map(drop)
                    .map_err(cannot("store the time that was seen"))
                })
            })
            .await
    }
}

/// Ends waits that lie further in the future than they were to last.
async fn shorten_waits(conn: &mut SqliteConnection, now: OffsetDateTime) -> Result<(), Error> {
    // The tasks' last: they say which those are.
    for sql in [EXECUTIONS, TASKS] {
        match shorten(conn, sql, micros(now), None).await {
            Err(error) if is_damaged_target(&error) => shorten_each(conn, sql, micros(now)).await?,
            shortened => shortened?,
        }
    }
    Ok(())
}

/// Shortens the waits of one task or of all. A time that cannot be one is later than all
/// others.
async fn shorten(
    conn: &mut SqliteConnection,
    sql: &'static str,
    now: i64,
    only: Option<i64>,
) -> Result<(), Error> {
    sqlx::query(sql)
        .bind(now)
        .bind(only)
        .execute(conn)
        .await
        .map(|_| ())
        .map_err(cannot(DOING))
}

/// The same, task by task: those that cannot be written stay as they are. They are set
/// aside when they are claimed.
async fn shorten_each(
    conn: &mut SqliteConnection,
    sql: &'static str,
    now: i64,
) -> Result<(), Error> {
    let resting: Vec<i64> = sqlx::query_scalar(
        "SELECT seq FROM tasks WHERE ended_at IS NULL AND owner IS NULL AND due_at > ?",
    )
    .bind(now)
    .fetch_all(&mut *conn)
    .await
    .map_err(cannot(DOING))?;
    for seq in resting {
        match shorten(conn, sql, now, Some(seq)).await {
            Err(error) if !is_damaged_target(&error) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
