//! Removing finished tasks after their retention, a bounded part at a time.
//!
//! Finished tasks are found by an index and counted by the table `disk`, so a sweep costs
//! what it removes, whatever else there is; accounts take turns. It does not decide how
//! long and how much is kept: that is [`Retention`].

mod programs;

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{AccountId, Error, Retention, RetentionStore, Swept};
use time::OffsetDateTime;

use super::convert::{Read as _, cannot, micros};
use super::writer::Writing;
use super::{Sqlite, disk, seen, vacuum};

const DOING: &str = "remove old data";

/// Rows that one sweep removes at most: other writers wait no longer than this takes.
const ROWS: i64 = 4_096;

/// Bytes that one sweep removes at most: their pages are all written to the log.
const BYTES: i64 = 32 << 20;

/// Tasks of one account that one sweep removes at most, so that others have their turn.
const TASKS: i64 = 256;

/// Accounts that one sweep looks after at most.
const ACCOUNTS: i64 = 64;

const OVER: &str = "SELECT account, bytes, tasks_over, seen FROM disk WHERE \
    tasks_over > ?1 OR seen > ?2 OR (bytes > ?3 AND (tasks_over > 0 OR seen > 0)) \
    OR EXISTS (SELECT 1 FROM tasks WHERE tasks.account = disk.account AND ended_at IS NOT NULL \
    AND ended_at >= 0 AND ended_at < ?4) \
    OR EXISTS (SELECT 1 FROM seen WHERE seen.account = disk.account AND seen.created_at >= 0 AND seen.created_at < ?5) \
    ORDER BY account <= ?6, account LIMIT ?7";

/// Where the last sweep has stopped; the next goes on from there.
#[derive(Default)]
pub(super) struct Progress {
    account: i64,
    programs: programs::Progress,
}

/// How much is to be kept, in the terms of the database.
struct Keep {
    tasks: i64,
    bytes: i64,
    events: i64,
    /// Tasks that ended before this are too old.
    ended_at: i64,
    /// Events that were accepted before this need not be known any more.
    horizon: i64,
}

/// An account with more than is to be kept.
struct Over {
    account: i64,
    bytes: i64,
    tasks: i64,
    events: i64,
}

/// What one sweep may still remove.
struct Budget {
    rows: i64,
    bytes: i64,
}

impl Budget {
    fn is_spent(&self) -> bool {
        self.rows <= 0 || self.bytes <= 0
    }

    fn spend(&mut self, rows: i64, bytes: i64) {
        self.rows -= rows;
        self.bytes -= bytes;
    }
}

impl Keep {
    fn of(retention: &Retention, now: OffsetDateTime) -> Self {
        let before = |age: std::time::Duration| {
            micros(now).saturating_sub(i64::try_from(age.as_micros()).unwrap_or(i64::MAX))
        };
        Self {
            tasks: retention.tasks_per_account.into(),
            bytes: i64::try_from(retention.bytes_per_account).unwrap_or(i64::MAX),
            events: retention.events_per_account.into(),
            ended_at: before(retention.age),
            horizon: before(retention.event_horizon),
        }
    }
}

#[async_trait]
impl RetentionStore for Sqlite {
    async fn disk_usage(&self) -> Result<Vec<(AccountId, u64)>, Error> {
        let mut reader = self.readers.of_server().await?;
        disk::usage(&mut reader, &self.damaged).await
    }

    async fn sweep(&self, retention: &Retention, now: OffsetDateTime) -> Result<Swept, Error> {
        let keep = Keep::of(retention, now);
        let drifts = {
            let mut reader = self.readers.of_server().await?;
            let most = (keep.bytes, keep.tasks, keep.events);
            disk::drifts(&mut reader, &self.recounts, most).await?
        };
        for drift in drifts {
            self.writer
                .run_to_free(move |writing| Box::pin(disk::put_right(&mut writing.conn, drift)))
                .await?;
        }
        let swept = self
            .writer
            .run_to_free(move |writing| Box::pin(async move { sweep(writing, &keep, now).await }))
            .await?;
        self.log.cut().await?;
        Ok(swept)
    }
}

async fn sweep(writing: &mut Writing, keep: &Keep, now: OffsetDateTime) -> Result<Swept, Error> {
    let mut budget = Budget {
        rows: ROWS,
        bytes: BYTES,
    };
    let mut swept = Swept::default();
    let conn = &mut writing.conn;
    let over = over(conn, keep, writing.swept.account).await?;
    for over in &over {
        if budget.is_spent() {
            break;
        }
        let removed = account(conn, keep, over, &mut budget).await?;
        swept.tasks += removed.tasks;
        swept.rows += removed.rows;
        writing.swept.account = over.account;
    }
    // What was too much once may be so still: only who finds nothing knows.
    let mut more = !over.is_empty();
    swept.tokens = run(
        conn,
        "DELETE FROM tokens WHERE id IN (SELECT id FROM tokens WHERE expires_at < ?1 LIMIT ?2)",
        &[micros(now), ROWS],
    )
    .await?;
    more |= swept.tokens >= ROWS.unsigned_abs();
    swept.pages = vacuum::step(conn).await?;
    more |= swept.pages > 0;
    let found = programs::sweep(writing).await?;
    swept.programs = found.programs;
    more |= found.more;
    swept.rows += swept.tokens + found.recipes + found.programs;
    swept.more = more && swept.rows + swept.pages > 0;
    Ok(swept)
}

/// Accounts with something to remove: first those that come after the last one looked
/// after, so that each has its turn.
async fn over(conn: &mut SqliteConnection, keep: &Keep, after: i64) -> Result<Vec<Over>, Error> {
    sqlx::query(OVER)
        .bind(keep.tasks)
        .bind(keep.events)
        .bind(keep.bytes)
        .bind(keep.ended_at)
        .bind(keep.horizon)
        .bind(after)
        .bind(ACCOUNTS)
        .fetch_all(conn)
        .await
        .map_err(cannot(DOING))?
        .iter()
        .map(|row| {
            Ok(Over {
                account: row.read("account")?,
                bytes: row.read("bytes")?,
                tasks: row.read("tasks_over")?,
                events: row.read("seen")?,
            })
        })
        .collect()
}

/// Removes what one account has too much of. What cannot be removed, as a damaged row,
/// is logged and left to the next sweep: it must not keep other accounts' from going.
async fn account(
    conn: &mut SqliteConnection,
    keep: &Keep,
    over: &Over,
    budget: &mut Budget,
) -> Result<Removed, Error> {
    run(conn, "SAVEPOINT account", &[]).await?;
    let removed = match tasks(conn, keep, over, budget).await {
        Ok(removed) => removed,
        Err(error) => {
            run(conn, "ROLLBACK TO account", &[]).await?;
            tracing::error!(
                account.number = over.account,
                error = &error as &dyn std::error::Error,
                "cannot remove old data of one account"
            );
            Removed::default()
        }
    };
    run(conn, "RELEASE account", &[]).await?;
    Ok(removed)
}

/// Removes tasks, oldest first, and events.
async fn tasks(
    conn: &mut SqliteConnection,
    keep: &Keep,
    over: &Over,
    budget: &mut Budget,
) -> Result<Removed, Error> {
    let mut too_many = over.tasks - keep.tasks;
    let mut too_much = over.bytes - keep.bytes;
    let mut removed = Removed::default();
    let oldest = sqlx::query(
        "SELECT seq, ended_at, bytes FROM tasks WHERE account = ? AND ended_at IS NOT NULL \
         ORDER BY ended_at, seq LIMIT ?",
    )
    .bind(over.account)
    .bind(TASKS)
    .fetch_all(&mut *conn)
    .await
    .map_err(cannot(DOING))?;
    for row in &oldest {
        // An end that cannot be read is not long ago: what is damaged stays.
        let ended_at = row.read::<i64>("ended_at").ok().filter(|at| *at >= 0);
        let ended_at = ended_at.unwrap_or(i64::MAX);
        let due = too_many > 0 || too_much > 0 || ended_at < keep.ended_at;
        if !due || budget.is_spent() {
            break;
        }
        let (seq, bytes) = (row.read("seq")?, row.read::<i64>("bytes")?);
        let executions = executions(conn, seq, budget).await?;
        too_much -= executions.bytes;
        removed.rows += executions.rows;
        if executions.left {
            break;
        }
        seen::remember(conn, seq, keep.horizon).await?;
        run(conn, "DELETE FROM tasks WHERE seq = ?1", &[seq]).await?;
        budget.spend(1, bytes);
        too_much -= bytes;
        too_many -= 1;
        removed.tasks += 1;
        removed.rows += 1;
    }
    // Events are forgotten for their bytes only when no task is left to be removed.
    let all = i64::try_from(oldest.len()).unwrap_or(TASKS) < TASKS;
    let events = match all && too_much > 0 {
        true => budget.rows,
        false => over.events - keep.events,
    };
    if !budget.is_spent() {
        let forgotten = seen::forget(conn, over.account, keep.horizon, events, budget.rows).await?;
        budget.spend(i64::try_from(forgotten).unwrap_or(ROWS), 0);
        removed.rows += forgotten;
    }
    Ok(removed)
}

/// What was removed of one account.
#[derive(Default)]
struct Removed {
    tasks: u64,
    rows: u64,
}

/// What was removed of one task's executions.
struct Executions {
    rows: u64,
    bytes: i64,
    /// Whether some are left, since they are more than one sweep removes.
    left: bool,
}

/// Removes the executions of a task as far as the budget goes; those of a task that has
/// more than that go with several sweeps.
async fn executions(
    conn: &mut SqliteConnection,
    task: i64,
    budget: &mut Budget,
) -> Result<Executions, Error> {
    let before = size(conn, task).await?;
    if before.0 <= budget.rows && before.1 <= budget.bytes {
        run(conn, "DELETE FROM executions WHERE task = ?1", &[task]).await?;
        budget.spend(before.0, before.1);
        return Ok(Executions {
            rows: before.0.unsigned_abs(),
            bytes: before.1,
            left: false,
        });
    }
    let fit = before.0.saturating_mul(budget.bytes) / before.1.max(1);
    run(
        conn,
        "DELETE FROM executions WHERE seq IN (SELECT seq FROM executions WHERE task = ?1 ORDER BY seq LIMIT ?2)",
        &[task, fit.clamp(1, budget.rows)],
    )
    .await?;
    let after = size(conn, task).await?;
    budget.spend(budget.rows, before.1 - after.1);
    Ok(Executions {
        rows: (before.0 - after.0).unsigned_abs(),
        bytes: before.1 - after.1,
        left: true,
    })
}

/// How many executions and earlier attempts of them a task has, and their bytes.
async fn size(conn: &mut SqliteConnection, task: i64) -> Result<(i64, i64), Error> {
    let row = sqlx::query(
        "SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes FROM (SELECT bytes FROM executions WHERE task = ?1 \
         UNION ALL SELECT attempts.bytes FROM executions JOIN attempts ON attempts.execution = executions.seq \
         WHERE task = ?1)",
    )
    .bind(task)
    .fetch_one(conn)
    .await
    .map_err(cannot(DOING))?;
    Ok((row.read("rows")?, row.read("bytes")?))
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
