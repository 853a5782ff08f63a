//! Overrides, which turn one of the operator's hooks on or off for one application.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{AppId, Error, HookId, HookOverride, Noun, OverrideId, PrincipalId};

use super::apps;
use super::convert::{Read as _, cannot, is_missing, is_taken, json, micros};
use super::damaged::Damaged;

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    account: i64,
    new: &HookOverride,
) -> Result<(), Error> {
    let done = sqlx::query(
        "INSERT INTO overrides (account, id, app, hook, enabled, labels, created_by, modified_by, created_at, \
         modified_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(account)
    .bind(new.id.as_uuid())
    .bind(new.app.as_uuid())
    .bind(new.hook.as_uuid())
    .bind(i64::from(new.enabled))
    .bind(json(&new.labels))
    .bind(new.created_by.as_uuid())
    .bind(new.modified_by.map(|by| by.as_uuid()))
    .bind(micros(new.created_at))
    .bind(micros(new.modified_at))
    .execute(&mut *conn)
    .await;
    match done {
        Ok(_) => Ok(()),
        // Which of the two references leads nowhere the database does not say.
        Err(error) if is_missing(&error) => Err(if apps::exists(conn, account, new.app).await? {
            Error::not_found(Noun::Hook, new.hook)
        } else {
            Error::not_found(Noun::App, new.app)
        }),
        Err(error) => Err(taken(error, new)),
    }
}

pub(super) async fn update(
    conn: &mut SqliteConnection,
    account: i64,
    changed: &HookOverride,
) -> Result<(), Error> {
    let done = sqlx::query(
        "UPDATE overrides SET enabled = ?, labels = ?, modified_by = ?, modified_at = ? WHERE account = ? AND id = ?",
    )
    .bind(i64::from(changed.enabled))
    .bind(json(&changed.labels))
    .bind(changed.modified_by.map(|by| by.as_uuid()))
    .bind(micros(changed.modified_at))
    .bind(account)
    .bind(changed.id.as_uuid())
    .execute(conn)
    .await
    .map_err(cannot("store the override"))?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found(Noun::Override, changed.id));
    }
    Ok(())
}

pub(super) async fn delete(
    conn: &mut SqliteConnection,
    account: i64,
    id: OverrideId,
) -> Result<bool, Error> {
    sqlx::query("DELETE FROM overrides WHERE account = ? AND id = ?")
        .bind(account)
        .bind(id.as_uuid())
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0)
        .map_err(cannot("delete the override"))
}

pub(super) async fn list(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    account: i64,
) -> Result<Vec<HookOverride>, Error> {
    let rows = sqlx::query("SELECT * FROM overrides WHERE account = ? ORDER BY created_at, id")
        .bind(account)
        .fetch_all(&mut *conn)
        .await
        .map_err(cannot("read the overrides"))?;
    damaged.sift("overrides", &rows, read)
}

pub(super) fn read(row: &SqliteRow) -> Result<HookOverride, Error> {
    Ok(HookOverride {
        id: row.id("id", OverrideId::from_uuid)?,
        app: row.id("app", AppId::from_uuid)?,
        hook: row.id("hook", HookId::from_uuid)?,
        enabled: row.bool("enabled")?,
        labels: row.json("labels")?,
        created_by: row.id("created_by", PrincipalId::from_uuid)?,
        modified_by: row.id_opt("modified_by", PrincipalId::from_uuid)?,
        created_at: row.time("created_at")?,
        modified_at: row.time("modified_at")?,
    })
}

fn taken(error: sqlx::Error, new: &HookOverride) -> Error {
    let name = if is_taken(&error, "overrides.account, overrides.hook, overrides.app") {
        format!("{} for {}", new.hook, new.app)
    } else if is_taken(&error, "overrides.account, overrides.id") {
        new.id.to_string()
    } else {
        return cannot("store the override")(error);
    };
    Error::NameTaken {
        what: Noun::Override,
        name,
    }
}
