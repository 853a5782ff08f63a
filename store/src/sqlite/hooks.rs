//! Hooks, which bind sources to hook points.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{
    AppId, Criterion, Error, FailurePolicy, Hook, HookId, HookPointName, Noun, Number, PrincipalId,
    SourceId, Targets,
};
use uuid::Uuid;

use super::accounts::{self, Numbered};
use super::apps;
use super::convert::{
    Impossible, Read as _, cannot, is_damage, is_missing, is_taken, json, micros, unreadable,
};
use super::damaged::Damaged;

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    account: i64,
    hook: Hook,
) -> Result<Hook, Error> {
    let number = accounts::next(conn, account, Numbered::Hook).await?;
    let targets = TargetColumns::of(&hook.targets);
    let done = sqlx::query(
        "INSERT INTO hooks (account, number, id, name, description, source, event, targets, servers, app, criteria, \
         args, env, limits, position, enabled, failure_policy, retry, managed, labels, created_by, modified_by, \
         values_by, created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(account)
    .bind(number.get())
    .bind(hook.id.as_uuid())
    .bind(hook.name.as_deref())
    .bind(&hook.description)
    .bind(hook.source.as_uuid())
    .bind(hook.event.as_str())
    .bind(targets.kind)
    .bind(targets.servers)
    .bind(targets.app)
    .bind(targets.criteria)
    .bind(json(&hook.args))
    .bind(json(&hook.env))
    .bind(json(&hook.limits))
    .bind(hook.order)
    .bind(i64::from(hook.enabled))
    .bind(hook.failure_policy.as_str())
    .bind(json(&hook.retry))
    .bind(i64::from(hook.managed))
    .bind(json(&hook.labels))
    .bind(hook.created_by.as_uuid())
    .bind(hook.modified_by.map(|by| by.as_uuid()))
    .bind(hook.values_by.map(|by| by.as_uuid()))
    .bind(micros(hook.created_at))
    .bind(micros(hook.modified_at))
    .execute(&mut *conn)
    .await;
    match done {
        Ok(_) => Ok(Hook { number, ..hook }),
        Err(error) => Err(refused(conn, account, error, &hook).await?),
    }
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
    let targets = TargetColumns::of(&hook.targets);
    let done = sqlx::query(
        "UPDATE hooks SET name = ?, description = ?, source = ?, event = ?, targets = ?, servers = ?, app = ?, \
         criteria = ?, args = ?, env = ?, limits = ?, position = ?, enabled = ?, failure_policy = ?, retry = ?, \
         managed = ?, labels = ?, modified_by = ?, values_by = ?, modified_at = ? WHERE account = ? AND id = ?",
    )
    .bind(hook.name.as_deref())
    .bind(&hook.description)
    .bind(hook.source.as_uuid())
    .bind(hook.event.as_str())
    .bind(targets.kind)
    .bind(targets.servers)
    .bind(targets.app)
    .bind(targets.criteria)
    .bind(json(&hook.args))
    .bind(json(&hook.env))
    .bind(json(&hook.limits))
    .bind(hook.order)
    .bind(i64::from(hook.enabled))
    .bind(hook.failure_policy.as_str())
    .bind(json(&hook.retry))
    .bind(i64::from(hook.managed))
    .bind(json(&hook.labels))
    .bind(hook.modified_by.map(|by| by.as_uuid()))
    .bind(hook.values_by.map(|by| by.as_uuid()))
    .bind(micros(hook.modified_at))
    .bind(account)
    .bind(hook.id.as_uuid())
    .execute(&mut *conn)
    .await;
    match done {
        Ok(done) if done.rows_affected() > 0 => Ok(()),
        Ok(_) => Err(Error::not_found(Noun::Hook, hook.id)),
        Err(error) => Err(refused(conn, account, error, hook).await?),
    }
}

/// Removes a hook; the schema removes its overrides with it. One that stands under a wrong
/// account is found by its row.
pub(super) async fn delete(
    conn: &mut SqliteConnection,
    account: i64,
    id: HookId,
    stray: Option<i64>,
) -> Result<bool, Error> {
    sqlx::query("DELETE FROM hooks WHERE id = ?2 AND (account = ?1 OR rowid = ?3)")
        .bind(account)
        .bind(id.as_uuid())
        .bind(stray)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0)
        .map_err(cannot("delete the hook"))
}

pub(super) async fn list(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    account: i64,
) -> Result<Vec<Hook>, Error> {
    let rows = sqlx::query("SELECT * FROM hooks WHERE account = ? ORDER BY number")
        .bind(account)
        .fetch_all(&mut *conn)
        .await
        .map_err(cannot("read the hooks"))?;
    damaged.sift("hooks", &rows, read)
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
        .map(number_or_none)
        .collect()
}

/// The numbers of the hooks that run for one application alone.
pub(super) async fn of_app(
    conn: &mut SqliteConnection,
    account: i64,
    app: AppId,
) -> Result<Vec<Number>, Error> {
    sqlx::query("SELECT number FROM hooks WHERE account = ? AND app = ? ORDER BY number")
        .bind(account)
        .bind(app.as_uuid())
        .fetch_all(conn)
        .await
        .map_err(cannot("read the hooks of the app"))?
        .iter()
        .map(number_or_none)
        .collect()
}

/// A hook's number; [`Number::UNASSIGNED`] where it cannot be read. The hook is there all
/// the same, and what it refers to stays.
pub(super) fn number_or_none(row: &SqliteRow) -> Result<Number, Error> {
    match row.number("number") {
        Err(error) if is_damage(&error) => Ok(Number::UNASSIGNED),
        number => number,
    }
}

/// How targets stand in columns.
struct TargetColumns {
    kind: &'static str,
    servers: String,
    app: Option<Uuid>,
    criteria: String,
}

impl TargetColumns {
    fn of(targets: &Targets) -> Self {
        let (kind, servers, app, criteria): (_, &[Number], _, &[Criterion]) = match targets {
            Targets::Once => ("once", &[], None, &[]),
            Targets::All => ("all", &[], None, &[]),
            Targets::These(servers) => ("these", servers, None, &[]),
            Targets::Containers { app, criteria } => ("containers", &[], *app, criteria),
        };
        Self {
            kind,
            servers: json(&servers),
            app: app.map(|app| app.as_uuid()),
            criteria: json(&criteria),
        }
    }
}

pub(super) fn read(row: &SqliteRow) -> Result<Hook, Error> {
    Ok(Hook {
        id: row.id("id", HookId::from_uuid)?,
        number: row.number("number")?,
        name: row.read("name")?,
        description: row.read("description")?,
        source: row.id("source", SourceId::from_uuid)?,
        event: event(row)?,
        targets: match row.read("targets")? {
            "once" => Targets::Once,
            "all" => Targets::All,
            "these" => Targets::These(row.json("servers")?),
            "containers" => Targets::Containers {
                app: row.id_opt("app", AppId::from_uuid)?,
                criteria: row.json("criteria")?,
            },
            other => return Err(unreadable("targets", Impossible(other.to_owned()))),
        },
        args: row.json("args")?,
        env: row.json("env")?,
        limits: row.json("limits")?,
        order: row.read("position")?,
        enabled: row.bool("enabled")?,
        failure_policy: row.word("failure_policy", &POLICIES)?,
        retry: row.json("retry")?,
        managed: row.bool("managed")?,
        labels: row.json("labels")?,
        created_by: row.id("created_by", PrincipalId::from_uuid)?,
        modified_by: row.id_opt("modified_by", PrincipalId::from_uuid)?,
        values_by: row.id_opt("values_by", PrincipalId::from_uuid)?,
        created_at: row.time("created_at")?,
        modified_at: row.time("modified_at")?,
    })
}

/// The event that a hook waits for.
pub(super) fn event(row: &SqliteRow) -> Result<HookPointName, Error> {
    HookPointName::parse(row.read("event")?).map_err(|source| unreadable("event", source))
}

/// Failure policies as they are written.
pub(super) const POLICIES: [(&str, FailurePolicy); 2] = [
    ("open", FailurePolicy::Open),
    ("closed", FailurePolicy::Closed),
];

/// Reads a failure policy; what is not `open` is the stricter one.
pub(super) fn policy(text: &str) -> FailurePolicy {
    if text == "open" {
        FailurePolicy::Open
    } else {
        FailurePolicy::Closed
    }
}

/// Why the database did not take a hook.
async fn refused(
    conn: &mut SqliteConnection,
    account: i64,
    error: sqlx::Error,
    hook: &Hook,
) -> Result<Error, Error> {
    if is_missing(&error) {
        // Which of the two references leads nowhere the database does not say.
        if let Targets::Containers { app: Some(app), .. } = hook.targets
            && !apps::exists(conn, account, app).await?
        {
            return Ok(Error::not_found(Noun::App, app));
        }
        return Ok(Error::not_found(Noun::Source, hook.source));
    }
    Ok(match &hook.name {
        Some(name) if is_taken(&error, "hooks.account, hooks.name") => Error::NameTaken {
            what: Noun::Hook,
            name: name.clone(),
        },
        _ => cannot("store the hook")(error),
    })
}
