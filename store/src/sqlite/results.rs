//! What became of attempts, and the end of tasks.

mod damaged;

use std::collections::HashMap;
use std::sync::LazyLock;

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{
    AccountId, Attempt, Endings, Error, LateOutput, Noun, Queued, ResultStore, Settlement,
    TaskChange, TaskId,
};
use tenterhook_engine::Verdict;

use self::damaged::end_set_aside;
pub(super) use self::damaged::record_what_can_be;
use super::Sqlite;
use super::convert::{Read as _, cannot, json, micros, wait_micros};
use super::rows::Rows;

const DOING: &str = "store the outcome";

const READING: &str = "read how executions have ended";

/// What reading a verdict takes besides its text.
const VERDICT_BYTES: u64 = 512;

static ATTEMPTS: LazyLock<Rows> = LazyLock::new(|| {
    Rows::update(
        "executions",
        &["account", "id"],
        &[
            "state",
            "attempt",
            "failures",
            "due_at",
            "wait_us",
            "outcome",
            "error",
            "usage",
            "stdout",
            "stderr",
            "dropped_bytes",
            "verdict",
            "verdict_fault",
            "recording",
            "dead",
            "started_at",
            "ended_at",
        ],
        (
            "",
            "executions.state = 'WAITING' AND executions.attempt <= new.attempt",
        ),
    )
});

static ENDS: LazyLock<Rows> = LazyLock::new(|| {
    Rows::update(
        "tasks",
        &["account", "id"],
        &["state", "started_at", "ended_at"],
        (
            ", owner = NULL",
            "NOT EXISTS (SELECT 1 FROM executions WHERE task = tasks.seq AND state = 'WAITING')",
        ),
    )
});

#[async_trait]
impl ResultStore for Sqlite {
    fn record_result(&self, settlement: Settlement) -> Queued<()> {
        let known = self.accounts.read().get(&settlement.account).copied();
        match known {
            Some(account) => self.writer.record_result(account, settlement),
            // The caller has claimed or inserted the task here, which made the account known.
            None => {
                Box::pin(async move { Err(Error::not_found(Noun::Account, settlement.account)) })
            }
        }
    }

    async fn keep_output(&self, late: LateOutput) -> Result<(), Error> {
        let bytes = late.output.stdout.len() + late.output.stderr.len();
        self.write_large(late.account, bytes, move |conn, account| {
            Box::pin(async move {
                let output = &late.output;
                sqlx::query(
                    "UPDATE executions SET stdout = ?, stderr = ?, dropped_bytes = ? \
                     WHERE account = ? AND id = ? AND attempt = ? AND state = 'CANCELED'",
                )
                .bind(some(&output.stdout))
                .bind(some(&output.stderr))
                .bind(i64::try_from(output.dropped_bytes).unwrap_or(i64::MAX))
                .bind(account)
                .bind(late.execution.as_uuid())
                .bind(i64::from(late.attempt))
                .execute(conn)
                .await
                .map(drop)
                .map_err(cannot("store the output"))
            })
        })
        .await
    }

    async fn endings(
        &self,
        account: AccountId,
        tasks: Vec<TaskId>,
    ) -> Result<HashMap<TaskId, Endings>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
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
        .bind(list(&tasks))
        .bind(i64::try_from(VERDICT_BYTES).unwrap_or(i64::MAX))
        .fetch_all(&mut *reader)
        .await
        .map_err(cannot(READING))?;
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

    async fn verdicts(
        &self,
        account: AccountId,
        tasks: Vec<TaskId>,
    ) -> Result<HashMap<TaskId, Vec<Verdict>>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let rows = sqlx::query(
            "SELECT tasks.id AS task, executions.account, executions.seq, verdict FROM tasks JOIN executions ON executions.task = tasks.seq \
             WHERE tasks.account = ?1 AND tasks.id IN (SELECT unhex(value) FROM json_each(?2)) \
             AND executions.state <> 'WAITING' AND verdict IS NOT NULL ORDER BY executions.seq",
        )
        .bind(account)
        .bind(list(&tasks))
        .fetch_all(&mut *reader)
        .await
        .map_err(cannot(READING))?;
        let mut verdicts: HashMap<TaskId, Vec<Verdict>> = HashMap::new();
        for row in &rows {
            let verdict =
                self.damaged
                    .readable("executions", row, row.json::<Verdict>("verdict"))?;
            let of = verdicts
                .entry(row.id("task", TaskId::from_uuid)?)
                .or_default();
            of.extend(verdict);
        }
        Ok(verdicts)
    }
}

/// The tasks, as a parameter of one statement however many they are.
fn list(tasks: &[TaskId]) -> String {
    let tasks = tasks.iter().map(|task| task.as_uuid().simple().to_string());
    json(&tasks.collect::<Vec<_>>())
}

/// Writes the outcomes of attempts, then what follows for their tasks.
pub(super) async fn record_all(
    conn: &mut SqliteConnection,
    settlements: &[&(i64, Settlement)],
) -> Result<(), Error> {
    let attempts: Vec<_> = settlements
        .iter()
        .filter_map(|(account, settlement)| Some((*account, settlement.execution.as_ref()?)))
        .collect();
    if has_repeats(&attempts) {
        // One statement may change a row once only; later attempts must win.
        for attempt in &attempts {
            write(conn, std::slice::from_ref(attempt)).await?;
        }
    } else {
        write(conn, &attempts).await?;
    }
    let ends: Vec<_> = settlements
        .iter()
        .filter(|(_, settlement)| matches!(settlement.task_change, TaskChange::Ended { .. }))
        .collect();
    end(conn, &ends).await?;
    for (account, settlement) in settlements {
        if let TaskChange::Parked { until, open } = settlement.task_change {
            let parked = sqlx::query(
                "UPDATE tasks SET owner = NULL, due_at = ?1 WHERE account = ?2 AND id = ?3 AND ended_at IS NULL \
                 AND (SELECT count(*) FROM executions WHERE task = tasks.seq AND state = 'WAITING') = ?4",
            )
            .bind(micros(until))
            .bind(account)
            .bind(settlement.task.as_uuid())
            .bind(i64::from(open))
            .execute(&mut *conn)
            .await
            .map_err(cannot(DOING))?;
            if parked.rows_affected() == 0 && end_set_aside(conn, *account, settlement.task).await?
            {
                continue;
            }
            all_of(parked.rows_affected(), 1)?;
        }
    }
    Ok(())
}

fn has_repeats(attempts: &[(i64, &Attempt)]) -> bool {
    let mut ids: Vec<_> = attempts.iter().map(|(_, attempt)| attempt.id).collect();
    ids.sort_unstable();
    ids.windows(2).any(|pair| pair[0] == pair[1])
}

async fn write(conn: &mut SqliteConnection, attempts: &[(i64, &Attempt)]) -> Result<(), Error> {
    for (text, piece) in ATTEMPTS.cut(attempts) {
        let mut query = sqlx::query(text);
        for (account, attempt) in piece {
            query = query
                .bind(account)
                .bind(attempt.id.as_uuid())
                .bind(attempt.state.as_str())
                .bind(i64::from(attempt.record.attempt))
                .bind(i64::from(attempt.failures))
                .bind(attempt.due_at.map(micros))
                .bind(attempt.wait.map(wait_micros))
                .bind(attempt.record.outcome.as_ref().map(json))
                .bind(attempt.record.error.as_deref())
                .bind(attempt.record.usage.as_ref().map(json))
                .bind(some(&attempt.record.output.stdout))
                .bind(some(&attempt.record.output.stderr))
                .bind(i64::try_from(attempt.record.output.dropped_bytes).unwrap_or(i64::MAX))
                .bind(attempt.record.verdict.as_ref().map(json))
                .bind(attempt.record.verdict_fault.as_deref())
                .bind(attempt.record.recording.as_ref().map(json))
                .bind(i64::from(attempt.dead))
                .bind(attempt.record.started_at.map(micros))
                .bind(attempt.record.ended_at.map(micros));
        }
        query.execute(&mut *conn).await.map_err(cannot(DOING))?;
    }
    Ok(())
}

fn some(bytes: &bytes::Bytes) -> Option<Vec<u8>> {
    (!bytes.is_empty()).then(|| bytes.to_vec())
}

/// Fails unless every task could change as it was to: one that owes the outcome of an
/// execution still must neither end nor be given away.
fn all_of(changed: u64, wanted: usize) -> Result<(), Error> {
    if changed == wanted as u64 {
        return Ok(());
    }
    Err(Error::store(
        DOING,
        "an earlier outcome of the same task is not stored yet",
    ))
}

async fn end(conn: &mut SqliteConnection, ends: &[&&(i64, Settlement)]) -> Result<(), Error> {
    for (text, piece) in ENDS.cut(ends) {
        let mut query = sqlx::query(text);
        for (account, settlement) in piece {
            let TaskChange::Ended {
                state,
                started_at,
                at,
            } = settlement.task_change
            else {
                continue;
            };
            query = query
                .bind(account)
                .bind(settlement.task.as_uuid())
                .bind(state.as_str())
                .bind(started_at.map(micros))
                .bind(micros(at));
        }
        let ended = query.execute(&mut *conn).await.map_err(cannot(DOING))?;
        if let [(account, settlement)] = piece
            && ended.rows_affected() == 0
            && end_set_aside(conn, *account, settlement.task).await?
        {
            continue;
        }
        all_of(ended.rows_affected(), piece.len())?;
    }
    Ok(())
}
