//! Which node runs what: claims, take-over after a crash, and the backlog.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use bytes::Bytes;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{
    AccountId, Backlog, Claimed, ClaimedExecution, ClaimedTask, Error, EventKey, ExecutionId,
    HookId, HookRef, NewEvent, NewExecution, NodeId, Recipe, RecipeId, ServerRef, TaskId,
};
use time::OffsetDateTime;

use super::convert::{Read as _, cannot, micros};

const DOING: &str = "claim tasks";

/// Frees what another run of the server owned. Whatever is not over may have
/// begun, so its attempt counts.
pub(super) async fn take_over(conn: &mut SqliteConnection, node: NodeId) -> Result<u64, Error> {
    sqlx::query(
        "UPDATE executions SET attempt = attempt + 1 WHERE state = 'WAITING' AND task IN \
         (SELECT seq FROM tasks WHERE ended_at IS NULL AND owner IS NOT NULL AND owner <> ?)",
    )
    .bind(node.as_uuid())
    .execute(&mut *conn)
    .await
    .map_err(cannot("take over tasks"))?;
    sqlx::query(
        "UPDATE tasks SET owner = NULL WHERE ended_at IS NULL AND owner IS NOT NULL AND owner <> ?",
    )
    .bind(node.as_uuid())
    .execute(conn)
    .await
    .map(|done| done.rows_affected())
    .map_err(cannot("take over tasks"))
}

pub(super) async fn release(
    conn: &mut SqliteConnection,
    account: i64,
    task: TaskId,
) -> Result<(), Error> {
    sqlx::query("UPDATE tasks SET owner = NULL WHERE account = ? AND id = ? AND ended_at IS NULL")
        .bind(account)
        .bind(task.as_uuid())
        .execute(conn)
        .await
        .map(|_| ())
        .map_err(cannot("release a task"))
}

pub(super) async fn backlog(pool: &SqlitePool) -> Result<Vec<Backlog>, Error> {
    sqlx::query(
        "SELECT accounts.id AS id, min(tasks.due_at) AS due_at FROM tasks \
         JOIN accounts ON accounts.number = tasks.account \
         WHERE tasks.ended_at IS NULL AND tasks.owner IS NULL GROUP BY tasks.account",
    )
    .fetch_all(pool)
    .await
    .map_err(cannot("read the backlog"))?
    .iter()
    .map(|row| {
        Ok(Backlog {
            account: row.id("id", AccountId::from_uuid)?,
            due_at: row.time("due_at")?,
        })
    })
    .collect()
}

pub(super) async fn claim(
    conn: &mut SqliteConnection,
    (account, id): (i64, AccountId),
    node: NodeId,
    now: OffsetDateTime,
    limit: u32,
) -> Result<Claimed, Error> {
    let rows = sqlx::query(
        "UPDATE tasks SET owner = ? WHERE seq IN (SELECT seq FROM tasks WHERE account = ? AND owner IS NULL \
         AND ended_at IS NULL AND due_at <= ? ORDER BY due_at, seq LIMIT ?) RETURNING *",
    )
    .bind(node.as_uuid())
    .bind(account)
    .bind(micros(now))
    .bind(i64::from(limit))
    .fetch_all(&mut *conn)
    .await
    .map_err(cannot(DOING))?;
    let mut recipes = HashMap::new();
    let mut claimed = Vec::with_capacity(rows.len());
    for row in &rows {
        claimed.push((
            row.read::<i64>("seq")?,
            task(conn, id, row, &mut recipes).await?,
        ));
    }
    // RETURNING keeps no order.
    claimed.sort_by_key(|(seq, _)| *seq);
    let next = sqlx::query(
        "SELECT min(due_at) AS due_at FROM tasks WHERE account = ? AND owner IS NULL AND ended_at IS NULL",
    )
    .bind(account)
    .fetch_one(conn)
    .await
    .map_err(cannot(DOING))?;
    Ok(Claimed {
        tasks: claimed.into_iter().map(|(_, task)| task).collect(),
        next_due_at: next.time_opt("due_at")?,
    })
}

async fn task(
    conn: &mut SqliteConnection,
    account: AccountId,
    row: &SqliteRow,
    recipes: &mut HashMap<RecipeId, Arc<Recipe>>,
) -> Result<ClaimedTask, Error> {
    let mut task = ClaimedTask {
        id: row.id("id", TaskId::from_uuid)?,
        number: row.number("number")?,
        account,
        event: event(row)?,
        cancelled: row.bool("cancelled")?,
        created_at: row.time("created_at")?,
        executions: Vec::new(),
        over: Vec::new(),
        started_at: None,
    };
    let rows = sqlx::query(
        "SELECT id, hook, hook_number, recipe, server_number, server_name, container, lane, state, attempt, \
         failures, due_at, started_at FROM executions WHERE task = ? ORDER BY seq",
    )
    .bind(row.read::<i64>("seq")?)
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
            "WAITING" => task.executions.push(execution(conn, row, recipes).await?),
            _ => task.over.push(row.parsed("state")?),
        }
    }
    Ok(task)
}

fn event(row: &SqliteRow) -> Result<Option<NewEvent>, Error> {
    let Some(json) = row.read::<Option<Vec<u8>>>("event")? else {
        return Ok(None);
    };
    Ok(Some(NewEvent {
        key: EventKey {
            source: row.read("event_source")?,
            id: row.read("event_id")?,
            kind: row.read("event_type")?,
        },
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
        new: NewExecution {
            id: row.id("id", ExecutionId::from_uuid)?,
            hook: hook(row)?,
            recipe,
            server: server(row)?,
            container: row.json_opt("container")?,
            lane: row.int("lane")?,
        },
        attempt: row.int("attempt")?,
        failures: row.int("failures")?,
        due_at: row.time_opt("due_at")?,
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
