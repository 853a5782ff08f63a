//! Taking over what an earlier run of the server has left: it is freed, and what it had
//! begun is counted. A task that cannot be written is set aside.

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{AccountId, Error, ExecutionId, NodeId, RecoveryStore};
use time::OffsetDateTime;

use super::convert::{cannot, execute, is_damage, is_damaged_target, is_unwritable};
use super::running::{Begun, Left};
use super::{Sqlite, set_aside};

const DOING: &str = "take over tasks";

/// What a count is set to. One that is damaged counts from nothing; the task is found to be
/// damaged when it is claimed, if that is not all.
const ATTEMPTS: &str = "CASE WHEN attempt BETWEEN 0 AND 4294967294 THEN attempt ELSE 0 END";

#[async_trait]
impl RecoveryStore for Sqlite {
    async fn take_over(&self, node: NodeId) -> Result<u64, Error> {
        let left = self.running.left();
        let taken = match self.take_over_from(node, left.clone()).await {
            Err(error) if is_damage(&error) && !left.begun.is_empty() => {
                self.damaged
                    .report("executions", "any that had begun".to_owned(), &error);
                let left = Left {
                    begun: Vec::new(),
                    ..left
                };
                self.take_over_from(node, left).await?
            }
            taken => taken?,
        };
        self.running.begin(node);
        Ok(taken)
    }

    fn note_begun(&self, account: AccountId, execution: ExecutionId, attempt: u32) {
        let known = self.accounts.read().get(&account).copied();
        if let Some(account) = known {
            self.running.note_begun(account, execution, attempt);
        }
    }

    fn note_ended(&self, execution: ExecutionId, attempt: u32) {
        self.running.note_ended(execution, attempt);
    }

    fn note_settled(&self, execution: ExecutionId, attempt: u32) {
        self.running.note_settled(execution, attempt);
    }

    fn note_leaving(&self) {
        self.running.note_leaving();
    }
}

impl Sqlite {
    async fn take_over_from(&self, node: NodeId, left: Left) -> Result<u64, Error> {
        let now = tenterhook_dispatch::now();
        self.writer
            .run_to_free(move |writing| {
                Box::pin(async move { take_over(&mut writing.conn, node, &left, now).await })
            })
            .await
    }
}

/// Frees what another run of the server owned, and counts what it had begun. Returns how
/// many tasks there were.
async fn take_over(
    conn: &mut SqliteConnection,
    node: NodeId,
    left: &Left,
    now: OffsetDateTime,
) -> Result<u64, Error> {
    let known = left.node.unwrap_or(node);
    for begun in &left.begun {
        match count_begun(conn, known, begun).await {
            // After a damaged page nothing else can be done in the same transaction.
            Err(error) if !is_unwritable(&error) => return Err(error),
            _ => {}
        }
    }
    match all(conn, node, known).await {
        Err(error) if is_damaged_target(&error) => each(conn, node, known, now).await,
        taken => taken,
    }
}

async fn count_begun(
    conn: &mut SqliteConnection,
    known: NodeId,
    begun: &Begun,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE executions SET attempt = CASE WHEN attempt BETWEEN ?1 AND 4294967294 THEN attempt ELSE ?1 END, \
         crashes = CASE WHEN crashes BETWEEN 0 AND 4294967294 THEN crashes ELSE 0 END + ?2 \
         WHERE account = ?3 AND id = ?4 AND state = 'WAITING' \
         AND (SELECT owner FROM tasks WHERE seq = executions.task) = ?5",
    )
    .bind(i64::from(begun.attempt))
    .bind(i64::from(begun.was_running))
    .bind(begun.account)
    .bind(begun.execution.as_uuid())
    .bind(known.as_uuid())
    .execute(conn)
    .await
    .map(|_| ())
    .map_err(cannot(DOING))
}

/// All at once, or nothing.
async fn all(conn: &mut SqliteConnection, node: NodeId, known: NodeId) -> Result<u64, Error> {
    execute(conn, "SAVEPOINT taking", DOING).await?;
    let taken = some(conn, node, known, None).await;
    if taken.is_err() {
        execute(conn, "ROLLBACK TO taking", DOING).await?;
    }
    execute(conn, "RELEASE taking", DOING).await?;
    taken
}

/// One after another.
async fn each(
    conn: &mut SqliteConnection,
    node: NodeId,
    known: NodeId,
    now: OffsetDateTime,
) -> Result<u64, Error> {
    let tasks: Vec<i64> = sqlx::query_scalar(
        "SELECT seq FROM tasks WHERE ended_at IS NULL AND owner IS NOT NULL AND owner <> ?",
    )
    .bind(node.as_uuid())
    .fetch_all(&mut *conn)
    .await
    .map_err(cannot(DOING))?;
    let mut taken = 0;
    for seq in tasks {
        match some(conn, node, known, Some(seq)).await {
            Ok(more) => taken += more,
            Err(error) if is_damaged_target(&error) => {
                let reason = set_aside::unwritable(&error);
                let set_aside = set_aside::put(conn, seq, reason, now).await?;
                tracing::error!(
                    task.seq = set_aside.seq,
                    reason = set_aside.reason,
                    "a task cannot be written and was set aside"
                );
            }
            Err(error) => return Err(error),
        }
    }
    Ok(taken)
}

/// Takes over one task or all. Those of a run of which no notes are left may all have begun.
async fn some(
    conn: &mut SqliteConnection,
    node: NodeId,
    known: NodeId,
    only: Option<i64>,
) -> Result<u64, Error> {
    let text = format!(
        "UPDATE executions SET attempt = 1 + {ATTEMPTS} WHERE state = 'WAITING' AND task IN \
         (SELECT seq FROM tasks WHERE ended_at IS NULL AND owner IS NOT NULL AND owner NOT IN (?1, ?2) \
         AND (?3 IS NULL OR seq = ?3))"
    );
    sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(node.as_uuid())
        .bind(known.as_uuid())
        .bind(only)
        .execute(&mut *conn)
        .await
        .map_err(cannot(DOING))?;
    sqlx::query(
        "UPDATE tasks SET owner = NULL WHERE ended_at IS NULL AND owner IS NOT NULL AND owner <> ?1 \
         AND (?2 IS NULL OR seq = ?2)",
    )
    .bind(node.as_uuid())
    .bind(only)
    .execute(conn)
    .await
    .map(|done| done.rows_affected())
    .map_err(cannot(DOING))
}
