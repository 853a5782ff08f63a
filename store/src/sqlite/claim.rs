//! Which node runs what: claims, releases, and the backlog. What an earlier run has left is
//! handled by [`take_over`](super::take_over).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use bytes::Bytes;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{
    AccountId, Backlog, ClaimStore, Claimed, ClaimedExecution, ClaimedTask, Error, EventKey,
    ExecutionId, HookId, HookRef, NewEvent, NewExecution, NodeId, Recipe, RecipeId, ServerRef,
    TaskId,
};
use time::OffsetDateTime;

use super::convert::{
    Impossible, LATEST_TIME, Read as _, cannot, is_damage, is_damaged_target, json, micros,
    unreadable,
};
use super::damaged::Damaged;
use super::every_row::blob;
use super::rows::Rows;
use super::{Sqlite, set_aside};

const DOING: &str = "claim tasks";

/// Executions that one claim reads, those of its last task aside: other writers wait no
/// longer than this takes, and memory is not filled by few tasks of many executions.
const EXECUTIONS: usize = 4_096;

static RELEASE: LazyLock<Rows> = LazyLock::new(|| {
    Rows::new(
        "WITH free (account, id) AS (VALUES ",
        2,
        ") UPDATE tasks SET owner = NULL FROM free \
         WHERE tasks.account = free.account AND tasks.id = free.id AND tasks.ended_at IS NULL",
    )
});

#[async_trait]
impl ClaimStore for Sqlite {
    async fn claim(
        &self,
        account: AccountId,
        node: NodeId,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Claimed, Error> {
        let number = self.number_of(account).await?;
        // The server's own: it claims for one account at a time, and others wait for it.
        self.writer
            .run(move |writing| {
                let (conn, damaged) = (&mut writing.conn, &writing.damaged);
                Box::pin(claim(conn, damaged, (number, account), node, now, limit))
            })
            .await
    }

    async fn release(&self, tasks: Vec<(AccountId, TaskId)>) -> Result<(), Error> {
        if tasks.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::with_capacity(tasks.len());
        for (account, task) in tasks {
            rows.push((self.number_of(account).await?, task));
        }
        self.writer
            .run_to_free(move |writing| {
                Box::pin(async move {
                    for (text, piece) in RELEASE.cut(&rows) {
                        let mut query = sqlx::query(text);
                        for (account, task) in piece {
                            query = query.bind(account).bind(task.as_uuid());
                        }
                        query
                            .execute(&mut writing.conn)
                            .await
                            .map_err(cannot("release tasks"))?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// A time that cannot be one is later than all others, and counts as past: the task is
    /// claimed, and then seen to.
    async fn backlog(&self) -> Result<Vec<Backlog>, Error> {
        let mut reader = self.readers.of_server().await?;
        let rows = sqlx::query(
            "SELECT accounts.number AS number, accounts.id AS id, \
             min(CASE WHEN tasks.due_at BETWEEN 0 AND ? THEN tasks.due_at ELSE 0 END) AS due_at FROM tasks \
             JOIN accounts ON accounts.number = tasks.account \
             WHERE tasks.ended_at IS NULL AND tasks.owner IS NULL \
             AND tasks.seq NOT IN (SELECT task FROM set_aside) GROUP BY tasks.account",
        )
        .bind(LATEST_TIME)
        .fetch_all(&mut *reader)
        .await
        .map_err(cannot("read the backlog"))?;
        self.damaged.sift("accounts", &rows, |row| {
            Ok(Backlog {
                account: row.id("id", AccountId::from_uuid)?,
                due_at: row.time("due_at")?,
            })
        })
    }
}

async fn claim(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    (account, id): (i64, AccountId),
    node: NodeId,
    now: OffsetDateTime,
    limit: u32,
) -> Result<Claimed, Error> {
    let mut claimed = Claimed::default();
    let mut recipes = HashMap::new();
    let mut taken = Vec::new();
    let mut executions = 0;
    let due = due(conn, account, now, limit).await?;
    let mut rows = rows(conn, &due).await?;
    for seq in due {
        // What is left is due still, and comes with the next claim.
        if executions >= EXECUTIONS {
            break;
        }
        let row = rows.remove(&seq);
        match task(conn, damaged, (account, id), (seq, row), &mut recipes).await {
            Ok(task) => {
                taken.push(seq);
                executions += task.executions.len() + task.over.len();
                claimed.tasks.push(task);
            }
            Err(error) if is_damage(&error) => {
                let reason = set_aside::unreadable(&error);
                let set_aside = set_aside::put(conn, seq, reason, now).await?;
                claimed.set_aside.push(set_aside);
            }
            Err(error) => return Err(error),
        }
    }
    match own(conn, node, &taken).await {
        // One of them cannot be written, so nothing that it comes to could be stored.
        Err(error) if is_damaged_target(&error) => {
            let mut tasks = std::mem::take(&mut claimed.tasks).into_iter();
            for seq in taken {
                let task = tasks.next();
                match own(conn, node, &[seq]).await {
                    Ok(()) => claimed.tasks.extend(task),
                    Err(error) if is_damaged_target(&error) => {
                        let reason = set_aside::unwritable(&error);
                        let set_aside = set_aside::put(conn, seq, reason, now).await?;
                        claimed.set_aside.push(set_aside);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        owned => owned?,
    }
    let next = sqlx::query(
        "SELECT min(CASE WHEN due_at BETWEEN 0 AND ? THEN due_at ELSE 0 END) AS due_at FROM tasks \
         WHERE account = ? AND owner IS NULL AND ended_at IS NULL AND seq NOT IN (SELECT task FROM set_aside)",
    )
    .bind(LATEST_TIME)
    .bind(account)
    .fetch_one(conn)
    .await
    .map_err(cannot(DOING))?;
    claimed.next_due_at = next.time_opt("due_at")?;
    Ok(claimed)
}

/// Notes who runs tasks, all or none.
async fn own(conn: &mut SqliteConnection, node: NodeId, seqs: &[i64]) -> Result<(), Error> {
    sqlx::query("UPDATE tasks SET owner = ? WHERE seq IN (SELECT value FROM json_each(?))")
        .bind(node.as_uuid())
        .bind(json(&seqs))
        .execute(conn)
        .await
        .map(|_| ())
        .map_err(cannot(DOING))
}

/// Which tasks to claim, in their order. What waited to be tried again and what
/// nothing was tried of get half of the room each; what one leaves, the other takes.
async fn due(
    conn: &mut SqliteConnection,
    account: i64,
    now: OffsetDateTime,
    limit: u32,
) -> Result<Vec<i64>, Error> {
    let mut find = async |(after, until): (i64, i64)| {
        sqlx::query_scalar::<_, i64>(
            "SELECT seq FROM tasks WHERE account = ? AND owner IS NULL AND ended_at IS NULL \
             AND due_at > ? AND due_at <= ? AND seq NOT IN (SELECT task FROM set_aside) \
             ORDER BY due_at, seq LIMIT ?",
        )
        .bind(account)
        .bind(after)
        .bind(until)
        .bind(limit)
        .fetch_all(&mut *conn)
        .await
        .map_err(cannot(DOING))
    };
    let mut again = find((0, micros(now))).await?;
    let mut first = find((i64::MIN, 0)).await?;
    // What has no time that can be read is due: its claim reports it then.
    first.append(&mut timeless(conn, account, limit).await?);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    again.truncate((limit / 2).max(limit.saturating_sub(first.len())));
    first.truncate(limit - again.len());
    again.append(&mut first);
    again.sort_unstable();
    Ok(again)
}

/// Those whose time is none: later than all others, or the first of all, which is where the
/// index has what is missing. The database does not look for NULL where there must be none.
async fn timeless(
    conn: &mut SqliteConnection,
    account: i64,
    limit: u32,
) -> Result<Vec<i64>, Error> {
    sqlx::query_scalar(
        "SELECT seq FROM (SELECT seq FROM tasks WHERE account = ?1 AND owner IS NULL AND ended_at IS NULL \
         AND due_at > ?2 UNION ALL SELECT seq FROM (SELECT seq, due_at FROM tasks WHERE account = ?1 \
         AND owner IS NULL AND ended_at IS NULL ORDER BY due_at LIMIT ?3) WHERE typeof(due_at) = 'null') \
         WHERE seq NOT IN (SELECT task FROM set_aside) LIMIT ?3",
    )
    .bind(account)
    .bind(LATEST_TIME)
    .bind(limit)
    .fetch_all(conn)
    .await
    .map_err(cannot(DOING))
}

/// Reads the rows of tasks all at once; none if one of them is damaged.
async fn rows(conn: &mut SqliteConnection, seqs: &[i64]) -> Result<HashMap<i64, SqliteRow>, Error> {
    let rows = sqlx::query("SELECT * FROM tasks WHERE seq IN (SELECT value FROM json_each(?))")
        .bind(json(&seqs))
        .fetch_all(conn)
        .await
        .map_err(cannot(DOING));
    match rows {
        Ok(rows) => rows
            .into_iter()
            .map(|row| Ok((row.read("seq")?, row)))
            .collect(),
        Err(error) if is_damage(&error) => Ok(HashMap::new()),
        Err(error) => Err(error),
    }
}

async fn task(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    (account, id): (i64, AccountId),
    (seq, row): (i64, Option<SqliteRow>),
    recipes: &mut HashMap<RecipeId, Arc<Recipe>>,
) -> Result<ClaimedTask, Error> {
    let row = &match row {
        Some(row) => row,
        None => sqlx::query("SELECT * FROM tasks WHERE seq = ?")
            .bind(seq)
            .fetch_one(&mut *conn)
            .await
            .map_err(cannot(DOING))?,
    };
    // It is due then, and need not wait for who mends it.
    damaged.readable("tasks", row, row.time("due_at"))?;
    let mut task = ClaimedTask {
        id: row.id("id", TaskId::from_uuid)?,
        number: row.number("number")?,
        account: id,
        event: event(row)?,
        cancelled: row.bool("cancelled")?,
        created_at: row.time("created_at")?,
        executions: Vec::new(),
        over: Vec::new(),
        started_at: None,
    };
    let rows = sqlx::query(
        "SELECT account, id, hook, hook_number, recipe, server_number, server_name, container, lane, state, attempt, \
         failures, crashes, due_at, wait_us, started_at, outcome, error, usage, verdict, verdict_fault, recording, dropped_bytes, dead, \
         CASE typeof(stdout) WHEN 'blob' THEN NULL ELSE stdout END AS stdout, \
         CASE typeof(stderr) WHEN 'blob' THEN NULL ELSE stderr END AS stderr FROM executions WHERE task = ? ORDER BY seq",
    )
    .bind(seq)
    .fetch_all(&mut *conn)
    .await
    .map_err(cannot(DOING))?;
    for row in &rows {
        let began = row.time_opt("started_at")?;
        task.started_at = match (task.started_at, began) {
            (Some(a), Some(b)) => Some(std::cmp::min(a, b)),
            (a, b) => a.or(b),
        };
        match row.read("state")? {
            "WAITING" => {
                check_rest(row, account)?;
                task.executions.push(execution(conn, row, recipes).await?);
            }
            _ => task.over.push(row.parsed("state")?),
        }
    }
    Ok(task)
}

/// Reads what is not needed to run an execution, but without which its outcome could not
/// be stored: the database takes no change of a row that has a value of the wrong sort.
fn check_rest(row: &SqliteRow, account: i64) -> Result<(), Error> {
    let own: i64 = row.read("account")?;
    if own != account {
        return Err(unreadable("account", Impossible(own.to_string())));
    }
    for column in ["hook_number", "server_number"] {
        row.read::<Option<i64>>(column)?;
    }
    for column in [
        "server_name",
        "outcome",
        "error",
        "usage",
        "verdict",
        "verdict_fault",
        "recording",
    ] {
        row.read::<Option<&str>>(column)?;
    }
    for column in ["stdout", "stderr"] {
        blob(row, column)?;
    }
    row.read::<i64>("dropped_bytes")?;
    row.read::<i64>("dead").map(drop)
}

pub(super) fn event(row: &SqliteRow) -> Result<Option<NewEvent>, Error> {
    let Some(json) = row.read::<Option<Vec<u8>>>("event")? else {
        return Ok(None);
    };
    Ok(Some(NewEvent {
        key: EventKey {
            source: row.read("event_source")?,
            id: row.read("event_id")?,
            kind: row.read("event_type")?,
        },
        // It is compared where it is stored.
        content: None,
        json: Bytes::from(json),
    }))
}

async fn execution(
    conn: &mut SqliteConnection,
    row: &SqliteRow,
    recipes: &mut HashMap<RecipeId, Arc<Recipe>>,
) -> Result<ClaimedExecution, Error> {
    let recipe = row.id("recipe", RecipeId::from_uuid)?;
    let recipe = match recipes.entry(recipe) {
        Entry::Occupied(known) => Arc::clone(known.get()),
        Entry::Vacant(place) => {
            Arc::clone(place.insert(Arc::new(self::recipe(conn, recipe).await?)))
        }
    };
    Ok(ClaimedExecution {
        new: new_execution(row, recipe)?,
        attempt: row.int("attempt")?,
        failures: row.int("failures")?,
        crashes: row.int("crashes")?,
        due_at: row.time_opt("due_at")?,
        // One that cannot be read is not known.
        wait: row.wait_opt("wait_us").unwrap_or_default(),
    })
}

/// Reads an execution as it was written down.
pub(super) fn new_execution(row: &SqliteRow, recipe: Arc<Recipe>) -> Result<NewExecution, Error> {
    Ok(NewExecution {
        id: row.id("id", ExecutionId::from_uuid)?,
        hook: hook(row)?,
        recipe,
        server: server(row)?,
        container: row.json_opt("container")?,
        lane: row.int("lane")?,
    })
}

/// Reads the hook that caused an execution.
pub(super) fn hook(row: &SqliteRow) -> Result<Option<HookRef>, Error> {
    let Some(id) = row.read("hook")? else {
        return Ok(None);
    };
    Ok(Some(HookRef {
        id: HookId::from_uuid(id),
        number: row.number("hook_number")?,
    }))
}

/// Reads the server that an execution is for.
pub(super) fn server(row: &SqliteRow) -> Result<Option<ServerRef>, Error> {
    let Some(name) = row.read("server_name")? else {
        return Ok(None);
    };
    Ok(Some(ServerRef {
        number: row.number("server_number")?,
        name,
    }))
}

async fn recipe(conn: &mut SqliteConnection, id: RecipeId) -> Result<Recipe, Error> {
    let row = sqlx::query("SELECT digest, content FROM recipes WHERE id = ?")
        .bind(id.as_uuid())
        .fetch_one(conn)
        .await
        .map_err(cannot(DOING))?;
    Ok(Recipe {
        id,
        content: row.json("content")?,
        digest: row.digest("digest")?,
    })
}
