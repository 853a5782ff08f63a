//! Cancelling what no node runs, and redriving what has failed.

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{
    AccountId, Cancelling, ControlStore, Error, ExecutionId, HookId, Noun, State, TaskId, state_of,
};
use time::OffsetDateTime;

use super::convert::{Read as _, cannot, damage, is_damage, is_damaged_target, micros};
use super::{Sqlite, set_aside};

const DOING: &str = "cancel";

#[async_trait]
impl ControlStore for Sqlite {
    async fn cancel_task(
        &self,
        account: AccountId,
        id: TaskId,
        now: OffsetDateTime,
    ) -> Result<Cancelling, Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(cancel_task(conn, account, id, now))
        })
        .await
    }

    async fn cancel_execution(
        &self,
        account: AccountId,
        id: ExecutionId,
        now: OffsetDateTime,
    ) -> Result<Cancelling, Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(cancel_execution(conn, account, id, now))
        })
        .await
    }

    async fn cancel_of_hook(
        &self,
        account: AccountId,
        hook: HookId,
        reason: &'static str,
        now: OffsetDateTime,
    ) -> Result<Vec<TaskId>, Error> {
        let waiting = self.waiting_of_hook(account, hook).await?;
        let mut ended = Vec::new();
        for tasks in waiting.chunks(AT_ONCE) {
            let tasks = tasks.to_vec();
            let more = self
                .write_to_free(account, move |conn, account| {
                    Box::pin(async move {
                        let mut ended = Vec::new();
                        for task in tasks {
                            let over =
                                cancel_in_task(conn, account, task, (hook, reason), now).await;
                            match over {
                                Ok(over) => ended.extend(over),
                                // It is seen to when it is claimed.
                                Err(error) if is_damage(&error) || is_damaged_target(&error) => {}
                                Err(error) => return Err(error),
                            }
                        }
                        Ok(ended)
                    })
                })
                .await?;
            ended.extend(more);
        }
        Ok(ended)
    }

    async fn redrive(&self, account: AccountId, id: ExecutionId) -> Result<bool, Error> {
        self.write(account, move |conn, account| {
            Box::pin(redrive(conn, account, id))
        })
        .await
    }
}

/// Tasks in which executions of one hook are cancelled in one transaction: other writers wait
/// no longer than this takes.
const AT_ONCE: usize = 256;

impl Sqlite {
    /// The tasks that no node owns and in which executions of a hook wait.
    async fn waiting_of_hook(&self, account: AccountId, hook: HookId) -> Result<Vec<i64>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        // The join is ordered: open tasks are fewer than executions.
        sqlx::query_scalar(
            "SELECT DISTINCT tasks.seq FROM tasks CROSS JOIN executions ON executions.task = tasks.seq \
             WHERE tasks.account = ?1 AND tasks.owner IS NULL AND tasks.ended_at IS NULL \
             AND executions.hook = ?2 AND executions.state = 'WAITING' \
             AND tasks.seq NOT IN (SELECT task FROM set_aside)",
        )
        .bind(account)
        .bind(hook.as_uuid())
        .fetch_all(&mut *reader)
        .await
        .map_err(cannot(DOING))
    }
}

/// Cancels the waiting executions of a hook in an unowned task. Returns the task if it is finished
/// because of it.
async fn cancel_in_task(
    conn: &mut SqliteConnection,
    account: i64,
    seq: i64,
    (hook, reason): (HookId, &'static str),
    now: OffsetDateTime,
) -> Result<Option<TaskId>, Error> {
    let cancelled = sqlx::query(
        "UPDATE executions SET state = 'CANCELED', error = ?1, ended_at = ?2, due_at = NULL WHERE task = ?3 \
         AND +account = ?4 AND hook = ?5 AND state = 'WAITING' \
         AND (SELECT owner IS NULL AND ended_at IS NULL FROM tasks WHERE seq = ?3)",
    )
    .bind(reason)
    .bind(micros(now))
    .bind(seq)
    .bind(account)
    .bind(hook.as_uuid())
    .execute(&mut *conn)
    .await
    .map_err(cannot(DOING))?;
    if cancelled.rows_affected() == 0 {
        return Ok(None);
    }
    end_if_over(conn, seq, now).await?;
    sqlx::query("SELECT id FROM tasks WHERE seq = ? AND ended_at IS NOT NULL")
        .bind(seq)
        .fetch_optional(&mut *conn)
        .await
        .map_err(cannot(DOING))?
        .map(|row| row.id("id", TaskId::from_uuid))
        .transpose()
}

async fn cancel_task(
    conn: &mut SqliteConnection,
    account: i64,
    id: TaskId,
    now: OffsetDateTime,
) -> Result<Cancelling, Error> {
    let row = sqlx::query(
        "SELECT seq, owner IS NOT NULL AS owned, ended_at FROM tasks WHERE account = ? AND id = ?",
    )
    .bind(account)
    .bind(id.as_uuid())
    .fetch_optional(&mut *conn)
    .await
    .map_err(cannot(DOING))?
    .ok_or_else(|| Error::not_found(Noun::Task, id))?;
    if row.read::<Option<i64>>("ended_at")?.is_some() {
        return Ok(Cancelling::Over);
    }
    let seq: i64 = row.read("seq")?;
    let is_owned = row.read::<i64>("owned")? != 0;
    if !is_owned && set_aside::reason(conn, seq).await?.is_some() {
        return Ok(Cancelling::Over);
    }
    sqlx::query("UPDATE tasks SET cancelled = 1 WHERE seq = ?")
        .bind(seq)
        .execute(&mut *conn)
        .await
        .map_err(cannot(DOING))?;
    if is_owned {
        return Ok(Cancelling::Owned);
    }
    sqlx::query("UPDATE executions SET state = 'CANCELED', ended_at = ?, due_at = NULL WHERE task = ? AND state = 'WAITING'")
        .bind(micros(now))
        .bind(seq)
        .execute(&mut *conn)
        .await
        .map_err(cannot(DOING))?;
    end_if_over(conn, seq, now).await?;
    Ok(Cancelling::Ended)
}

async fn cancel_execution(
    conn: &mut SqliteConnection,
    account: i64,
    id: ExecutionId,
    now: OffsetDateTime,
) -> Result<Cancelling, Error> {
    let row = sqlx::query(
        "SELECT executions.state AS state, tasks.seq AS seq, tasks.owner IS NOT NULL AS owned FROM executions \
         JOIN tasks ON tasks.seq = executions.task WHERE executions.account = ? AND executions.id = ?",
    )
    .bind(account)
    .bind(id.as_uuid())
    .fetch_optional(&mut *conn)
    .await
    .map_err(cannot(DOING))?
    .ok_or_else(|| Error::not_found(Noun::Execution, id))?;
    if row.parsed::<State>("state")?.is_over() {
        return Ok(Cancelling::Over);
    }
    if row.read::<i64>("owned")? != 0 {
        return Ok(Cancelling::Owned);
    }
    let seq: i64 = row.read("seq")?;
    if set_aside::reason(conn, seq).await?.is_some() {
        return Ok(Cancelling::Over);
    }
    sqlx::query("UPDATE executions SET state = 'CANCELED', ended_at = ?, due_at = NULL WHERE account = ? AND id = ?")
        .bind(micros(now))
        .bind(account)
        .bind(id.as_uuid())
        .execute(&mut *conn)
        .await
        .map_err(cannot(DOING))?;
    end_if_over(conn, seq, now).await?;
    Ok(Cancelling::Ended)
}

/// Makes one execution wait again, and its task one that can be claimed. What was left of
/// its last attempt is not what will become of it, and is removed. One that was set aside may
/// have been left as it was: it waits already.
async fn redrive(
    conn: &mut SqliteConnection,
    account: i64,
    id: ExecutionId,
) -> Result<bool, Error> {
    let task = sqlx::query(
        "UPDATE executions SET state = 'WAITING', failures = 0, crashes = 0, dead = 0, due_at = NULL, \
         outcome = NULL, error = NULL, usage = NULL, stdout = NULL, stderr = NULL, dropped_bytes = 0, \
         verdict = NULL, verdict_fault = NULL, recording = NULL, started_at = NULL, ended_at = NULL \
         WHERE account = ?1 AND id = ?2 AND CASE WHEN task IN (SELECT task FROM set_aside) \
         THEN state IN ('WAITING', 'FAILED', 'CANCELED') \
         AND (SELECT ended_at IS NOT NULL OR owner IS NULL FROM tasks WHERE seq = executions.task) \
         ELSE state IN ('FAILED', 'CANCELED') \
         AND (SELECT ended_at FROM tasks WHERE seq = executions.task) IS NOT NULL END RETURNING task",
    )
    .bind(account)
    .bind(id.as_uuid())
    .fetch_optional(&mut *conn)
    .await
    .map_err(cannot("redrive"));
    let task = match task {
        Err(error) if is_damaged_target(&error) => {
            return Err(Error::WrongState {
                doing: "redrive",
                what: Noun::Execution,
                id: id.to_string(),
                state: format!("damaged in the database still: {}", damage(&error)),
            });
        }
        task => task?,
    };
    let Some(task) = task else {
        return Ok(false);
    };
    let seq = task.read::<i64>("task")?;
    set_aside::take_back(conn, seq).await?;
    sqlx::query(
        "UPDATE tasks SET state = NULL, ended_at = NULL, cancelled = 0, owner = NULL, due_at = 0 WHERE seq = ?",
    )
    .bind(seq)
    .execute(conn)
    .await
    .map_err(cannot("redrive"))?;
    Ok(true)
}

async fn end_if_over(
    conn: &mut SqliteConnection,
    seq: i64,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let states = sqlx::query("SELECT state FROM executions WHERE task = ?")
        .bind(seq)
        .fetch_all(&mut *conn)
        .await
        .map_err(cannot(DOING))?
        .iter()
        .map(|row| row.parsed("state"))
        .collect::<Result<Vec<State>, _>>()?;
    let state = state_of(states);
    if !state.is_over() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE tasks SET state = ?2, ended_at = ?3, \
         started_at = (SELECT min(started_at) FROM executions WHERE task = ?1) WHERE seq = ?1",
    )
    .bind(seq)
    .bind(state.as_str())
    .bind(micros(now))
    .execute(conn)
    .await
    .map(|_| ())
    .map_err(cannot(DOING))
}
