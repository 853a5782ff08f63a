//! What became of attempts, and the end of tasks.

mod damaged;

use std::sync::LazyLock;

use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{Attempt, Error, LateOutput, Settlement, TaskChange};

use self::damaged::end_set_aside;
pub(super) use self::damaged::what_can_be;
use super::convert::{cannot, json, lasting, micros};
use super::rows::Rows;

const DOING: &str = "store the outcome";

static ATTEMPTS: LazyLock<Rows> = LazyLock::new(|| {
    Rows::new(
        "WITH new (account, id, state, attempt, failures, due_at, wait_us, outcome, error, usage, stdout, stderr, \
         dropped_bytes, verdict, verdict_fault, dead, started_at, ended_at) AS (VALUES ",
        18,
        ") UPDATE executions SET state = new.state, attempt = new.attempt, failures = new.failures, \
         due_at = new.due_at, wait_us = new.wait_us, outcome = new.outcome, error = new.error, usage = new.usage, stdout = new.stdout, \
         stderr = new.stderr, dropped_bytes = new.dropped_bytes, verdict = new.verdict, \
         verdict_fault = new.verdict_fault, dead = new.dead, \
         started_at = new.started_at, ended_at = new.ended_at \
         FROM new WHERE executions.account = new.account AND executions.id = new.id \
         AND executions.state = 'WAITING' AND executions.attempt <= new.attempt",
    )
});

static ENDS: LazyLock<Rows> = LazyLock::new(|| {
    Rows::new(
        "WITH new (account, id, state, started_at, ended_at) AS (VALUES ",
        5,
        ") UPDATE tasks SET state = new.state, started_at = new.started_at, ended_at = new.ended_at, owner = NULL \
         FROM new WHERE tasks.account = new.account AND tasks.id = new.id \
         AND NOT EXISTS (SELECT 1 FROM executions WHERE task = tasks.seq AND state = 'WAITING')",
    )
});

/// Writes what became of attempts, then what follows for their tasks.
pub(super) async fn all(
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
                .bind(i64::from(attempt.attempt))
                .bind(i64::from(attempt.failures))
                .bind(attempt.due_at.map(micros))
                .bind(attempt.wait.map(lasting))
                .bind(attempt.outcome.as_ref().map(json))
                .bind(attempt.error.as_deref())
                .bind(attempt.usage.as_ref().map(json))
                .bind(some(&attempt.output.stdout))
                .bind(some(&attempt.output.stderr))
                .bind(i64::try_from(attempt.output.dropped_bytes).unwrap_or(i64::MAX))
                .bind(attempt.verdict.as_ref().map(json))
                .bind(attempt.verdict_fault.as_deref())
                .bind(i64::from(attempt.dead))
                .bind(attempt.started_at.map(micros))
                .bind(attempt.ended_at.map(micros));
        }
        query.execute(&mut *conn).await.map_err(cannot(DOING))?;
    }
    Ok(())
}

/// Writes the output of a cancelled attempt whose end is stored without it.
pub(super) async fn output(
    conn: &mut SqliteConnection,
    account: i64,
    late: &LateOutput,
) -> Result<(), Error> {
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
    .map(|_| ())
    .map_err(cannot("store the output"))
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
