//! What each account has on the disk, as the triggers of the schema have counted it, and
//! counting it again from the rows where the count cannot be right.
//!
//! A wrong count is worse than a slow one: one that is too high refuses what there is room
//! for, to everybody if it is high enough, and has history swept for nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{AccountId, Error};

use super::convert::{Read as _, breaks_the_schema, cannot};
use super::damaged::Damaged;

/// What accounts have, counted from the rows: `number`, `bytes`, `tasks` and `events`.
/// It reads all that is charged for, if no condition follows. What was never written, which
/// is more than [`MOST`] for one of those, does not count: its sum could be none.
macro_rules! found {
    () => {
        "SELECT number, \
         (SELECT coalesce(sum(tasks.bytes), 0) FROM tasks WHERE tasks.account = accounts.number) \
         + (SELECT coalesce(sum(executions.bytes), 0) FROM executions WHERE executions.account = accounts.number) \
         + (SELECT coalesce(sum(attempts.bytes), 0) FROM attempts WHERE attempts.account = accounts.number) \
         + (SELECT coalesce(sum(account_recipes.bytes), 0) FROM account_recipes WHERE account_recipes.bytes BETWEEN 0 AND 1099511627776 AND account_recipes.account = accounts.number) \
         + (SELECT coalesce(sum(account_programs.bytes), 0) FROM account_programs WHERE account_programs.bytes BETWEEN 0 AND 1099511627776 AND account_programs.account = accounts.number) \
         + (SELECT coalesce(sum(seen.bytes), 0) FROM seen WHERE seen.account = accounts.number) \
         + (SELECT coalesce(sum(servers.bytes), 0) FROM servers WHERE servers.account = accounts.number) \
         + (SELECT coalesce(sum(apps.bytes), 0) FROM apps WHERE apps.account = accounts.number) \
         + (SELECT coalesce(sum(hooks.bytes), 0) FROM hooks WHERE hooks.account = accounts.number) \
         + (SELECT coalesce(sum(webhooks.bytes), 0) FROM webhooks WHERE webhooks.account = accounts.number) \
         + (SELECT coalesce(sum(deliveries.bytes), 0) FROM webhooks JOIN deliveries ON deliveries.webhook = webhooks.id \
         WHERE webhooks.account = accounts.number) AS bytes, \
         (SELECT count(*) FROM tasks WHERE tasks.account = accounts.number AND ended_at IS NOT NULL) AS tasks, \
         (SELECT count(*) FROM seen WHERE seen.account = accounts.number) AS events FROM accounts"
    };
}
pub(crate) use found;

/// What one recipe or program is charged with at most. A larger amount was never written.
const MOST: i64 = 1 << 40;

/// How often an account that has too much is counted again: it costs a look at all its rows.
const AGAIN: Duration = Duration::from_secs(60 * 60);

/// Accounts that are counted again before one sweep.
const AT_ONCE: i64 = 8;

/// When accounts were counted last. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Recounts(Arc<Mutex<HashMap<i64, Instant>>>);

pub(super) async fn usage(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
) -> Result<Vec<(AccountId, u64)>, Error> {
    let rows = sqlx::query(
        "SELECT disk.account AS account, accounts.id AS id, disk.bytes AS bytes FROM disk \
         JOIN accounts ON accounts.number = disk.account",
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(cannot("read the disk usage of accounts"))?;
    damaged.sift("disk", &rows, read)
}

fn read(row: &SqliteRow) -> Result<(AccountId, u64), Error> {
    Ok((row.id("id", AccountId::from_uuid)?, row.int("bytes")?))
}

/// Puts right what cannot be before anything is added to it: sums that are missing, that
/// are not counts, or that are larger than the whole database.
pub(super) async fn repair(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    const PIECES: [&str; 2] = [
        "UPDATE account_programs SET bytes = (SELECT 256 + coalesce(octet_length(programs.bytes), 0) FROM programs \
         WHERE programs.digest = account_programs.digest) \
         WHERE typeof(bytes) <> 'integer' OR bytes NOT BETWEEN 0 AND ?",
        "UPDATE account_recipes SET bytes = (SELECT 256 + octet_length(name) + octet_length(content) FROM recipes \
         WHERE recipes.id = account_recipes.recipe) \
         WHERE typeof(bytes) <> 'integer' OR bytes NOT BETWEEN 0 AND ?",
    ];
    let mut repaired = 0;
    for sql in PIECES {
        repaired += match sqlx::query(sql).bind(MOST).execute(&mut *conn).await {
            Ok(done) => done.rows_affected(),
            // What is left of it can only be removed.
            Err(error) if breaks_the_schema(&error) => 0,
            Err(error) => return Err(error),
        };
    }
    sqlx::query(
        "INSERT INTO disk (account, bytes, tasks_over, seen) SELECT number, -1, 0, 0 FROM accounts \
         WHERE NOT EXISTS (SELECT 1 FROM disk WHERE disk.account = accounts.number)",
    )
    .execute(&mut *conn)
    .await?;
    // A row is charged more than it takes where it is small, but not four times as much.
    let recounted = sqlx::query(concat!(
        "UPDATE disk SET bytes = found.bytes, tasks_over = found.tasks, seen = found.events FROM (",
        found!(),
        ") AS found WHERE found.number = disk.account AND (?1 OR typeof(disk.bytes) <> 'integer' OR disk.bytes < 0 \
         OR disk.bytes > (1 << 20) + 4 * (SELECT page_count FROM pragma_page_count) \
         * (SELECT page_size FROM pragma_page_size) \
         OR typeof(tasks_over) <> 'integer' OR tasks_over < 0 \
         OR tasks_over > (SELECT coalesce(max(seq), 0) FROM tasks) \
         OR typeof(seen) <> 'integer' OR seen < 0 \
         OR seen > (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size) / 64)",
    ))
    .bind(repaired > 0)
    .execute(conn)
    .await?
    .rows_affected();
    if recounted > 0 {
        tracing::warn!(
            accounts = recounted,
            "the disk usage of accounts was damaged, and was recounted"
        );
    }
    Ok(())
}

/// By how much the sums of an account differ from its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Drift {
    account: i64,
    bytes: i64,
    tasks: i64,
    events: i64,
}

/// Counts accounts again that have too much by their sums, before anything of theirs is
/// removed for it; each once in a while.
pub(super) async fn drifts(
    conn: &mut SqliteConnection,
    recounts: &Recounts,
    (bytes, tasks, events): (i64, i64, i64),
) -> Result<Vec<Drift>, Error> {
    const DOING: &str = "count what an account has on the disk";
    let over: Vec<i64> = sqlx::query_scalar(
        "SELECT account FROM disk WHERE bytes > ? OR tasks_over > ? OR seen > ? ORDER BY bytes DESC",
    )
    .bind(bytes)
    .bind(tasks)
    .bind(events)
    .fetch_all(&mut *conn)
    .await
    .map_err(cannot(DOING))?;
    let due: Vec<i64> = {
        let mut last = recounts.0.lock();
        last.retain(|_, at| at.elapsed() < AGAIN);
        let due = over
            .into_iter()
            .filter(|account| !last.contains_key(account));
        due.take(usize::try_from(AT_ONCE).unwrap_or(usize::MAX))
            .collect()
    };
    let mut drifts = Vec::new();
    for account in due {
        // Both are seen as they were at one moment.
        let row = sqlx::query(concat!(
            "SELECT disk.bytes - found.bytes AS bytes, disk.tasks_over - found.tasks AS tasks, \
             disk.seen - found.events AS events FROM disk JOIN (",
            found!(),
            " WHERE number = ?1) AS found ON found.number = disk.account WHERE disk.account = ?1",
        ))
        .bind(account)
        .fetch_optional(&mut *conn)
        .await
        .map_err(cannot(DOING))?;
        recounts.0.lock().insert(account, Instant::now());
        let Some(row) = row else {
            continue;
        };
        let drift = Drift {
            account,
            bytes: row.read("bytes")?,
            tasks: row.read("tasks")?,
            events: row.read("events")?,
        };
        if (drift.bytes, drift.tasks, drift.events) != (0, 0, 0) {
            drifts.push(drift);
        }
    }
    Ok(drifts)
}

/// Takes the difference off. What was written meanwhile is in both, and stays.
pub(super) async fn put_right(conn: &mut SqliteConnection, drift: Drift) -> Result<(), Error> {
    tracing::warn!(
        account.number = drift.account,
        bytes = drift.bytes,
        tasks = drift.tasks,
        events = drift.events,
        "the disk usage of an account was counted wrongly, and is corrected by this"
    );
    sqlx::query(
        "UPDATE disk SET bytes = bytes - ?, tasks_over = tasks_over - ?, seen = seen - ? WHERE account = ?",
    )
    .bind(drift.bytes)
    .bind(drift.tasks)
    .bind(drift.events)
    .bind(drift.account)
    .execute(conn)
    .await
    .map(|_| ())
    .map_err(cannot("correct the disk usage of an account"))
}
