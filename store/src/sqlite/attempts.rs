//! Reading what is kept of every attempt of an execution. The last one stands in `executions`;
//! a trigger of the schema moves it to `attempts` when another follows.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite as Db};
use tenterhook_dispatch::{AttemptRecord, Error, ExecutionId, Output, OutputSizes};

use super::convert::Read as _;
use super::executions::{bytes, output_within, spare};

/// All columns but what was printed, the same in both tables.
const COLUMNS: &str = "SELECT seq, attempt, outcome, error, usage, verdict, verdict_fault, recording, started_at, ended_at, ";

const EARLIER: &str = " FROM (SELECT seq, attempts.* FROM executions JOIN attempts ON attempts.execution = executions.seq \
    AND attempts.account = executions.account \
    WHERE executions.account = (SELECT account FROM tasks WHERE seq = executions.task) AND executions.account = ";

/// One that has ended: another attempt may be running, or have been killed with the server.
const LAST: &str = " FROM (SELECT seq, attempt, outcome, error, usage, verdict, verdict_fault, recording, started_at, \
    CASE WHEN ended_at IS NOT NULL THEN ended_at \
    WHEN wait_us >= 0 AND due_at BETWEEN wait_us AND 253402300799999999 THEN due_at - wait_us END AS ended_at, \
    stdout, stderr, dropped_bytes FROM executions WHERE attempt > 0 AND (outcome IS NOT NULL OR error IS NOT NULL) \
    AND account = (SELECT account FROM tasks WHERE seq = executions.task) AND account = ";

/// Selects attempts of an execution, the first one first: all, or the one with this number.
/// Outputs come with them if they are no more than `most` bytes.
pub(super) fn select(
    account: i64,
    id: ExecutionId,
    attempt: Option<u32>,
    most: u64,
) -> QueryBuilder<Db> {
    let output = output_within(most);
    let mut query = QueryBuilder::new("");
    for (begin, id_column) in [(EARLIER, "executions.id"), (LAST, "id")] {
        if begin == LAST {
            query.push(" UNION ALL ");
        }
        query.push(COLUMNS).push(&output).push(begin);
        query.push_bind(account).push(" AND ").push(id_column);
        query.push(" = ").push_bind(id.as_uuid()).push(")");
        if let Some(attempt) = attempt {
            query
                .push(" WHERE attempt = ")
                .push_bind(i64::from(attempt));
        }
    }
    query.push(" ORDER BY attempt");
    query
}

/// Reads an attempt and how much it has printed.
pub(super) fn read(row: &SqliteRow) -> Result<(AttemptRecord, OutputSizes), Error> {
    let mut damaged = None;
    let outcome = spare(row.json_opt("outcome"), &mut damaged)?;
    let usage = spare(row.json_opt("usage"), &mut damaged)?;
    let verdict = spare(row.json_opt("verdict"), &mut damaged)?;
    let recording = spare(row.json_opt("recording"), &mut damaged)?;
    let error: Option<String> = row.read("error")?;
    let sizes = OutputSizes {
        stdout: row.int("stdout_bytes")?,
        stderr: row.int("stderr_bytes")?,
    };
    let record = AttemptRecord {
        attempt: row.int("attempt")?,
        outcome,
        error: error.or(damaged),
        usage,
        output: Output {
            stdout: bytes(row, "stdout")?,
            stderr: bytes(row, "stderr")?,
            dropped_bytes: row.int("dropped_bytes")?,
        },
        verdict,
        verdict_fault: row.read("verdict_fault")?,
        recording,
        started_at: row.time_opt("started_at")?,
        ended_at: row.time_opt("ended_at")?,
    };
    Ok((record, sizes))
}
