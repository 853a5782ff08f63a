//! How the executions of many tasks have ended, for a page of a list.

use std::collections::HashMap;

use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{Endings, Error, TaskId};
use tenterhook_sdk::Verdict;

use super::convert::{Read as _, cannot};
use super::damaged::Damaged;

const DOING: &str = "read how executions have ended";

/// What reading a verdict takes besides its text.
const VERDICT_BYTES: u64 = 512;

/// The tasks, as a parameter of one statement however many they are.
fn list(tasks: &[TaskId]) -> String {
    let tasks = tasks.iter().map(|task| task.as_uuid().simple().to_string());
    super::convert::json(&tasks.collect::<Vec<_>>())
}

pub(super) async fn of(
    conn: &mut SqliteConnection,
    account: i64,
    tasks: &[TaskId],
) -> Result<HashMap<TaskId, Endings>, Error> {
    let rows = sqlx::query(
        "SELECT id, failed_status, verdict_bytes FROM (SELECT id, \
         (SELECT CAST(outcome ->> '$.status' AS INTEGER) FROM executions WHERE task = tasks.seq \
         AND executions.state = 'FAILED' AND CASE WHEN json_valid(outcome) \
         THEN outcome ->> '$.kind' = 'exited' AND outcome ->> '$.status' BETWEEN 1 AND 255 ELSE 0 END \
         ORDER BY seq LIMIT 1) AS failed_status, \
         (SELECT sum(octet_length(verdict) + ?3) FROM executions WHERE task = tasks.seq \
         AND executions.state <> 'WAITING' AND verdict IS NOT NULL) AS verdict_bytes \
         FROM tasks WHERE account = ?1 AND id IN (SELECT unhex(value) FROM json_each(?2))) \
         WHERE failed_status IS NOT NULL OR verdict_bytes IS NOT NULL",
    )
    .bind(account)
    .bind(list(tasks))
    .bind(i64::try_from(VERDICT_BYTES).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await
    .map_err(cannot(DOING))?;
    let mut endings = HashMap::with_capacity(rows.len());
    for row in &rows {
        let bytes: Option<i64> = row.read("verdict_bytes")?;
        let status: Option<i64> = row.read("failed_status")?;
        let ending = Endings {
            failed_status: status.and_then(|status| u8::try_from(status).ok()),
            verdict_bytes: bytes.unwrap_or(0).unsigned_abs(),
        };
        endings.insert(row.id("id", TaskId::from_uuid)?, ending);
    }
    Ok(endings)
}

pub(super) async fn verdicts(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    account: i64,
    tasks: &[TaskId],
) -> Result<HashMap<TaskId, Vec<Verdict>>, Error> {
    let rows = sqlx::query(
        "SELECT tasks.id AS task, executions.account, executions.seq, verdict FROM tasks JOIN executions ON executions.task = tasks.seq \
         WHERE tasks.account = ?1 AND tasks.id IN (SELECT unhex(value) FROM json_each(?2)) \
         AND executions.state <> 'WAITING' AND verdict IS NOT NULL ORDER BY executions.seq",
    )
    .bind(account)
    .bind(list(tasks))
    .fetch_all(conn)
    .await
    .map_err(cannot(DOING))?;
    let mut verdicts: HashMap<TaskId, Vec<Verdict>> = HashMap::new();
    for row in &rows {
        let verdict = damaged.readable("executions", row, row.json::<Verdict>("verdict"))?;
        let of = verdicts
            .entry(row.id("task", TaskId::from_uuid)?)
            .or_default();
        of.extend(verdict);
    }
    Ok(verdicts)
}
