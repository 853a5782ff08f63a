//! Reading executions. What becomes of them is written by [`results`](super::results).

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Sqlite as Db};
use tenterhook_dispatch::{
    AccountId, AttemptRecord, Error, Execution, ExecutionFilter, ExecutionId, ExecutionPage,
    ExecutionStore, Key, OUTPUTS_MAX_BYTES, Output, OutputPart, OutputSizes, Outputs, PAGE_MAX,
    Recipe, RecipeId, Repeatable, State, TaskId,
};
use tenterhook_engine::Stream;

use super::claim::{self, hook, server};
use super::convert::{Read as _, cannot, damage, is_damage};
use super::hooks::policy;
use super::{Sqlite, attempts, set_aside};

const DOING: &str = "read the executions";

/// All columns but what was printed.
const COLUMNS: &str = "SELECT executions.id, hook, hook_number, server_number, server_name, container, \
    executions.state, attempt, failures, executions.due_at, outcome, error, usage, \
    verdict, verdict_fault, recording, dead, executions.started_at, executions.ended_at, tasks.id AS task_id, \
    tasks.number AS task_number, tasks.created_at AS created_at, tasks.warnings AS warnings, recipes.name AS name, recipes.digest AS digest, \
    recipes.failure_policy AS failure_policy, \
    CASE WHEN set_aside.task IS NOT NULL THEN coalesce(CAST(set_aside.reason AS TEXT), 'it is damaged') END AS set_aside, \
    CASE WHEN typeof(set_aside.at) = 'integer' AND set_aside.at >= 0 THEN set_aside.at END AS set_aside_at, ";

/// The account is in the task too: where one of the two is damaged, no account is shown what
/// may be another's.
const FROM: &str = " FROM executions JOIN tasks ON tasks.seq = executions.task AND tasks.account = executions.account \
    JOIN recipes ON recipes.id = executions.recipe \
    LEFT JOIN set_aside ON set_aside.task = executions.task WHERE executions.account = ";

const WHOLE_OUTPUT: &str = "stdout, stderr, dropped_bytes";
const NO_OUTPUT: &str = "NULL AS stdout, NULL AS stderr, dropped_bytes";

/// The output of one task's executions, in their order, as long as all that
/// comes before and with it fits; the rest counts as dropped.
fn bounded_output() -> String {
    let own = "coalesce(length(stdout), 0) + coalesce(length(stderr), 0)";
    let fits = format!("sum({own}) OVER (ORDER BY executions.seq) <= {OUTPUTS_MAX_BYTES}");
    format!(
        "CASE WHEN {fits} THEN stdout END AS stdout, CASE WHEN {fits} THEN stderr END AS stderr, \
         dropped_bytes + CASE WHEN {fits} THEN 0 ELSE {own} END AS dropped_bytes"
    )
}

fn select(output: &str) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push(output).push(FROM);
    query
}

#[async_trait]
impl ExecutionStore for Sqlite {
    async fn execution(
        &self,
        account: AccountId,
        id: ExecutionId,
    ) -> Result<Option<Execution>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let row = select(WHOLE_OUTPUT)
            .push_bind(account)
            .push(" AND executions.id = ")
            .push_bind(id.as_uuid())
            .build()
            .fetch_optional(&mut *reader)
            .await
            .map_err(cannot(DOING))?;
        row.as_ref().map(read).transpose()
    }

    async fn execution_within(
        &self,
        account: AccountId,
        id: ExecutionId,
        most: u64,
    ) -> Result<Option<(Execution, OutputSizes)>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let row = select(&output_within(most))
            .push_bind(account)
            .push(" AND executions.id = ")
            .push_bind(id.as_uuid())
            .build()
            .fetch_optional(&mut *reader)
            .await
            .map_err(cannot(DOING))?;
        let read = |row: &SqliteRow| {
            let sizes = OutputSizes {
                stdout: row.int("stdout_bytes")?,
                stderr: row.int("stderr_bytes")?,
            };
            Ok((read(row)?, sizes))
        };
        row.as_ref().map(read).transpose()
    }

    async fn attempts(
        &self,
        account: AccountId,
        id: ExecutionId,
    ) -> Result<Vec<(AttemptRecord, OutputSizes)>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let rows = attempts::select(account, id, None, 0)
            .build()
            .fetch_all(&mut *reader)
            .await
            .map_err(cannot(DOING))?;
        self.damaged.sift("attempts", &rows, attempts::read)
    }

    async fn attempt_within(
        &self,
        account: AccountId,
        id: ExecutionId,
        attempt: u32,
        most: u64,
    ) -> Result<Option<(AttemptRecord, OutputSizes)>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let row = attempts::select(account, id, Some(attempt), most)
            .build()
            .fetch_optional(&mut *reader)
            .await
            .map_err(cannot(DOING))?;
        row.as_ref().map(attempts::read).transpose()
    }

    async fn repeatable(
        &self,
        account: AccountId,
        id: ExecutionId,
    ) -> Result<Option<Repeatable>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let row = sqlx::query(
            "SELECT executions.id, hook, hook_number, recipe, server_number, server_name, container, lane, \
             tasks.event AS event, recipes.digest AS digest, recipes.content AS content \
             FROM executions JOIN tasks ON tasks.seq = executions.task AND tasks.account = executions.account \
             JOIN recipes ON recipes.id = executions.recipe WHERE executions.account = ? AND executions.id = ?",
        )
        .bind(account)
        .bind(id.as_uuid())
        .fetch_optional(&mut *reader)
        .await
        .map_err(cannot(DOING))?;
        let Some(row) = row else {
            return Ok(None);
        };
        let recipe = Recipe {
            id: row.id("recipe", RecipeId::from_uuid)?,
            content: row.json("content")?,
            digest: row.digest("digest")?,
        };
        let event: Option<Vec<u8>> = row.read("event")?;
        Ok(Some(Repeatable {
            execution: claim::new_execution(&row, Arc::new(recipe))?,
            event: event.map(Bytes::from),
        }))
    }

    /// No blob is read for it.
    async fn outputs_bytes(&self, account: AccountId, key: Key<TaskId>) -> Result<u64, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let mut query = QueryBuilder::<Db>::new(
            "SELECT coalesce(sum(coalesce(length(stdout), 0) + coalesce(length(stderr), 0)), 0) AS bytes \
             FROM executions WHERE account = ",
        );
        query
            .push_bind(account)
            .push(" AND task = (SELECT seq FROM tasks WHERE account = ")
            .push_bind(account);
        match key {
            Key::Id(id) => query.push(" AND id = ").push_bind(id.as_uuid()),
            Key::Number(number) => query.push(" AND number = ").push_bind(number.get()),
        };
        let row = query.push(")").build().fetch_one(&mut *reader).await;
        row.map_err(cannot(DOING))?.int("bytes")
    }

    async fn output_part(
        &self,
        account: AccountId,
        part: OutputPart,
    ) -> Result<Option<Bytes>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let column = match part.stream {
            Stream::Stdout => "printed.stdout",
            Stream::Stderr => "printed.stderr",
        };
        let of = |from| {
            let mut query = QueryBuilder::<Db>::new("SELECT substr(");
            query
                .push(column)
                .push(", ")
                .push_bind(i64::try_from(part.offset.saturating_add(1)).unwrap_or(i64::MAX))
                .push(", ")
                .push_bind(i64::from(part.most))
                .push(") AS part FROM ")
                .push(from)
                .push(" WHERE executions.account = ")
                .push_bind(account)
                .push(" AND executions.id = ")
                .push_bind(part.execution.as_uuid())
                .push(" AND printed.attempt = ")
                .push_bind(i64::from(part.attempt))
                .push(" AND executions.account = (SELECT account FROM tasks WHERE seq = executions.task)");
            query
        };
        let mut found = None;
        // Most often it is the last attempt. One that is redriven has left its output behind.
        for from in [
            "executions JOIN executions AS printed ON printed.seq = executions.seq",
            "executions JOIN attempts AS printed ON printed.execution = executions.seq \
             AND printed.account = executions.account",
        ] {
            let row = of(from)
                .build()
                .fetch_optional(&mut *reader)
                .await
                .map_err(cannot(DOING))?;
            if let Some(row) = row {
                let part = bytes(&row, "part")?;
                if !part.is_empty() {
                    return Ok(Some(part));
                }
                found = Some(part);
            }
        }
        Ok(found)
    }

    async fn executions(
        &self,
        account: AccountId,
        filter: &ExecutionFilter,
        page: ExecutionPage,
        outputs: Outputs,
    ) -> Result<Vec<Execution>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let mut query = list(&mut reader, account, filter, page, outputs).await?;
        let rows = query.build().fetch_all(&mut *reader).await;
        self.damaged
            .sift("executions", &rows.map_err(cannot(DOING))?, read)
    }
}

/// The output of one execution if it is no more than `most` bytes, and how much there is.
pub(super) fn output_within(most: u64) -> String {
    // The length of a blob stands in its row: none is read to learn it.
    let (stdout, stderr) = ("coalesce(length(stdout), 0)", "coalesce(length(stderr), 0)");
    let fits = format!("{stdout} + {stderr} <= {}", most.min(i64::MAX as u64));
    format!(
        "CASE WHEN {fits} THEN stdout END AS stdout, CASE WHEN {fits} THEN stderr END AS stderr, \
         dropped_bytes, {stdout} AS stdout_bytes, {stderr} AS stderr_bytes"
    )
}

/// The query for a page of an account's executions.
async fn list(
    conn: &mut SqliteConnection,
    account: i64,
    filter: &ExecutionFilter,
    page: ExecutionPage,
    outputs: Outputs,
) -> Result<QueryBuilder<Db>, Error> {
    let mut query = match (outputs, filter.task) {
        (Outputs::Include, Some(_)) => select(&bounded_output()),
        _ => select(NO_OUTPUT),
    };
    query.push_bind(account);
    if let Some(hook) = filter.hook {
        query
            .push(" AND executions.hook = ")
            .push_bind(hook.as_uuid());
    }
    if let Some(state) = filter.state {
        // What was set aside has failed, and perhaps could not be changed to say so.
        query.push(match state {
            State::Waiting | State::Running => {
                " AND executions.state = 'WAITING' AND set_aside.task IS NULL"
            }
            State::Failed => {
                " AND (executions.state = 'FAILED' OR (executions.state = 'WAITING' AND set_aside.task IS NOT NULL))"
            }
            State::Finished => " AND executions.state = 'FINISHED'",
            State::Canceled => " AND executions.state = 'CANCELED'",
        });
    }
    if filter.dead {
        // An index has those that are dead; it has not those that could not be changed.
        query.push(match set_aside::has_any(conn).await? {
            false => " AND executions.dead = 1",
            true => {
                " AND (executions.dead = 1 OR (executions.state = 'WAITING' AND set_aside.task IS NOT NULL))"
            }
        });
    }
    if let Some(task) = filter.task {
        query
            .push(" AND executions.task = (SELECT seq FROM tasks WHERE account = ")
            .push_bind(account)
            .push(" AND id = ")
            .push_bind(task.as_uuid())
            .push(") ORDER BY executions.seq");
    } else {
        if let Some(after) = page.after {
            query
                .push(" AND executions.id < ")
                .push_bind(after.as_uuid());
        }
        query
            .push(" ORDER BY executions.id DESC LIMIT ")
            .push_bind(i64::from(page.limit.clamp(1, PAGE_MAX)));
    }
    Ok(query)
}

/// A column without which an execution can still be shown; the first one that cannot be read
/// is noted in its place.
pub(super) fn spare<T>(
    column: Result<Option<T>, Error>,
    damaged: &mut Option<String>,
) -> Result<Option<T>, Error> {
    match column {
        Err(error) if is_damage(&error) => {
            damaged.get_or_insert_with(|| {
                format!(
                    "it cannot be read whole from the database: {}",
                    damage(&error)
                )
            });
            Ok(None)
        }
        column => column,
    }
}

/// Reads an output; empty if it was left out.
pub(super) fn bytes(row: &SqliteRow, column: &'static str) -> Result<Bytes, Error> {
    let kept: Option<Vec<u8>> = row.read(column)?;
    Ok(kept.map(Bytes::from).unwrap_or_default())
}

pub(super) fn read(row: &SqliteRow) -> Result<Execution, Error> {
    let mut damaged = None;
    let container = spare(row.json_opt("container"), &mut damaged)?;
    let outcome = spare(row.json_opt("outcome"), &mut damaged)?;
    let usage = spare(row.json_opt("usage"), &mut damaged)?;
    let verdict = spare(row.json_opt("verdict"), &mut damaged)?;
    let recording = spare(row.json_opt("recording"), &mut damaged)?;
    let warnings = spare(row.json_opt("warnings"), &mut damaged)?;
    let mut state = row.parsed("state")?;
    let mut dead = row.bool("dead")?;
    let mut error: Option<String> = row.read("error")?;
    let mut ended_at = row.time_opt("ended_at")?;
    let set_aside: Option<String> = row.read("set_aside")?;
    if state == State::Waiting && set_aside.is_some() {
        (state, dead, error) = (State::Failed, true, set_aside);
        ended_at = row.time_opt("set_aside_at")?;
    }
    Ok(Execution {
        id: row.id("id", ExecutionId::from_uuid)?,
        task: row.id("task_id", TaskId::from_uuid)?,
        task_number: row.number("task_number")?,
        hook: hook(row)?,
        name: row.read("name")?,
        digest: row.digest("digest")?,
        failure_policy: policy(row.read("failure_policy")?),
        server: server(row)?,
        container,
        state,
        so_far: None,
        warnings: warnings.unwrap_or_default(),
        dead,
        created_at: row.time("created_at")?,
        due_at: row.time_opt("due_at")?.filter(|_| !state.is_over()),
        latest: AttemptRecord {
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
            ended_at,
        },
    })
}
