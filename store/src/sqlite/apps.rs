//! Applications and their containers, where Astra's hooks run.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{App, AppId, Error, Noun};

use super::accounts::{self, Numbered};
use super::convert::{Read as _, cannot, is_taken, json, micros};
use super::damaged::Damaged;
use super::hooks;

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    account: i64,
    app: App,
) -> Result<App, Error> {
    let number = accounts::next(conn, account, Numbered::App).await?;
    sqlx::query(
        "INSERT INTO apps (account, number, id, name, replicated, containers, created_at, modified_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(account)
    .bind(number.get())
    .bind(app.id.as_uuid())
    .bind(&app.name)
    .bind(i64::from(app.replicated))
    .bind(json(&app.containers))
    .bind(micros(app.created_at))
    .bind(micros(app.modified_at))
    .execute(conn)
    .await
    .map_err(|error| taken(error, &app))?;
    Ok(App { number, ..app })
}

pub(super) async fn update(
    conn: &mut SqliteConnection,
    account: i64,
    app: &App,
) -> Result<(), Error> {
    let done = sqlx::query(
        "UPDATE apps SET name = ?, replicated = ?, containers = ?, modified_at = ? WHERE account = ? AND id = ?",
    )
    .bind(&app.name)
    .bind(i64::from(app.replicated))
    .bind(json(&app.containers))
    .bind(micros(app.modified_at))
    .bind(account)
    .bind(app.id.as_uuid())
    .execute(conn)
    .await
    .map_err(|error| taken(error, app))?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found(Noun::App, app.id));
    }
    Ok(())
}

/// Removes an application; the schema removes its overrides with it.
pub(super) async fn delete(
    conn: &mut SqliteConnection,
    account: i64,
    id: AppId,
) -> Result<bool, Error> {
    // The dispatcher has looked already; this is for a hook bound since then.
    let by = hooks::of_app(conn, account, id).await?;
    if !by.is_empty() {
        return Err(Error::InUse {
            what: Noun::App,
            id: id.to_string(),
            by,
        });
    }
    sqlx::query("DELETE FROM apps WHERE account = ? AND id = ?")
        .bind(account)
        .bind(id.as_uuid())
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0)
        .map_err(cannot("delete the app"))
}

pub(super) async fn list(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    account: i64,
) -> Result<Vec<App>, Error> {
    let rows = sqlx::query("SELECT * FROM apps WHERE account = ? ORDER BY number")
        .bind(account)
        .fetch_all(&mut *conn)
        .await
        .map_err(cannot("read the apps"))?;
    damaged.sift("apps", &rows, read)
}

/// Whether the account has this application.
pub(super) async fn exists(
    conn: &mut SqliteConnection,
    account: i64,
    id: AppId,
) -> Result<bool, Error> {
    sqlx::query("SELECT 1 FROM apps WHERE account = ? AND id = ?")
        .bind(account)
        .bind(id.as_uuid())
        .fetch_optional(conn)
        .await
        .map(|row| row.is_some())
        .map_err(cannot("read the app"))
}

pub(super) fn read(row: &SqliteRow) -> Result<App, Error> {
    Ok(App {
        id: row.id("id", AppId::from_uuid)?,
        number: row.number("number")?,
        name: row.read("name")?,
        replicated: row.bool("replicated")?,
        containers: row.json("containers")?,
        created_at: row.time("created_at")?,
        modified_at: row.time("modified_at")?,
    })
}

fn taken(error: sqlx::Error, app: &App) -> Error {
    let name = if is_taken(&error, "apps.account, apps.name") {
        app.name.clone()
    } else if is_taken(&error, "apps.account, apps.id") {
        app.id.to_string()
    } else {
        return cannot("store the app")(error);
    };
    Error::NameTaken {
        what: Noun::App,
        name,
    }
}
