//! Hooks, which bind sources to hook points.

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{
    Error, FailurePolicy, Hook, HookId, HookPointName, Noun, Number, SourceId, Targets,
};

use super::accounts::{self, Numbered};
use super::convert::{Read as _, cannot, json, micros};

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    account: i64,
    hook: Hook,
) -> Result<Hook, Error> {
    let number = accounts::next(conn, account, Numbered::Hook).await?;
    let (targets, servers) = targets(&hook.targets);
    sqlx::query(
        "INSERT INTO hooks (account, number, id, source, event, targets, servers, args, env, limits, position, \
         enabled, failure_policy, retry, created_at, modified_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(account)
    .bind(number.get())
    .bind(hook.id.as_uuid())
    .bind(hook.source.as_uuid())
    .bind(hook.event.as_str())
    .bind(targets)
    .bind(servers)
    .bind(json(&hook.args))
    .bind(json(&hook.env))
    .bind(json(&hook.limits))
    .bind(hook.order)
    .bind(i64::from(hook.enabled))
    .bind(hook.failure_policy.as_str())
    .bind(json(&hook.retry))
    .bind(micros(hook.created_at))
    .bind(micros(hook.modified_at))
    .execute(conn)
    .await
    .map_err(|error| source_gone(error, &hook))?;
    Ok(Hook { number, ..hook })
}

pub(super) async fn insert_all(
    conn: &mut SqliteConnection,
    account: i64,
    hooks: Vec<Hook>,
) -> Result<Vec<Hook>, Error> {
    let mut inserted = Vec::with_capacity(hooks.len());
    for hook in hooks {
        inserted.push(insert(conn, account, hook).await?);
    }
    Ok(inserted)
}

pub(super) async fn update(
    conn: &mut SqliteConnection,
    account: i64,
    hook: &Hook,
) -> Result<(), Error> {
    let (targets, servers) = targets(&hook.targets);
    let done = sqlx::query(
        "UPDATE hooks SET source = ?, event = ?, targets = ?, servers = ?, args = ?, env = ?, limits = ?, \
         position = ?, enabled = ?, failure_policy = ?, retry = ?, modified_at = ? WHERE account = ? AND id = ?",
    )
    .bind(hook.source.as_uuid())
    .bind(hook.event.as_str())
    .bind(targets)
    .bind(servers)
    .bind(json(&hook.args))
    .bind(json(&hook.env))
    .bind(json(&hook.limits))
    .bind(hook.order)
    .bind(i64::from(hook.enabled))
    .bind(hook.failure_policy.as_str())
    .bind(json(&hook.retry))
    .bind(micros(hook.modified_at))
    .bind(account)
    .bind(hook.id.as_uuid())
    .execute(conn)
    .await
    .map_err(|error| source_gone(error, hook))?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found(Noun::Hook, hook.id));
    }
    Ok(())
}

pub(super) async fn delete(
    conn: &mut SqliteConnection,
    account: i64,
    id: HookId,
) -> Result<bool, Error> {
    sqlx::query("DELETE FROM hooks WHERE account = ? AND id = ?")
        .bind(account)
        .bind(id.as_uuid())
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0)
        .map_err(cannot("delete the hook"))
}

pub(super) async fn list(pool: &SqlitePool, account: i64) -> Result<Vec<Hook>, Error> {
    sqlx::query("SELECT * FROM hooks WHERE account = ? ORDER BY number")
        .bind(account)
        .fetch_all(pool)
        .await
        .map_err(cannot("read the hooks"))?
        .iter()
        .map(read)
        .collect()
}

/// The numbers of the hooks that run a source.
pub(super) async fn of_source(
    conn: &mut SqliteConnection,
    account: i64,
    source: SourceId,
) -> Result<Vec<Number>, Error> {
    sqlx::query("SELECT number FROM hooks WHERE account = ? AND source = ? ORDER BY number")
        .bind(account)
        .bind(source.as_uuid())
        .fetch_all(conn)
        .await
        .map_err(cannot("read the hooks of the source"))?
        .iter()
        .map(|row| row.number("number"))
        .collect()
}

fn targets(targets: &Targets) -> (&'static str, String) {
    match targets {
        Targets::Once => ("once", "[]".into()),
        Targets::All => ("all", "[]".into()),
        Targets::These(servers) => ("these", json(servers)),
    }
}

fn read(row: &SqliteRow) -> Result<Hook, Error> {
    Ok(Hook {
        id: row.id("id", HookId::from_uuid)?,
        number: row.number("number")?,
        source: row.id("source", SourceId::from_uuid)?,
        event: HookPointName::parse(row.read("event")?)?,
        targets: match row.read("targets")? {
            "all" => Targets::All,
            "these" => Targets::These(row.json("servers")?),
            _ => Targets::Once,
        },
        args: row.json("args")?,
        env: row.json("env")?,
        limits: row.json("limits")?,
        order: row.read("position")?,
        enabled: row.read::<i64>("enabled")? != 0,
        failure_policy: policy(row.read("failure_policy")?),
        retry: row.json("retry")?,
        created_at: row.time("created_at")?,
        modified_at: row.time("modified_at")?,
    })
}

/// Reads a failure policy; what is not `open` is the stricter one.
pub(super) fn policy(text: &str) -> FailurePolicy {
    if text == "open" {
        FailurePolicy::Open
    } else {
        FailurePolicy::Closed
    }
}

fn source_gone(error: sqlx::Error, hook: &Hook) -> Error {
    if error
        .as_database_error()
        .is_some_and(|error| error.is_foreign_key_violation())
    {
        return Error::not_found(Noun::Source, hook.source);
    }
    cannot("store the hook")(error)
}
