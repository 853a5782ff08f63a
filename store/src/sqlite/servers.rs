//! The inventory of servers.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{Error, Noun, Server, ServerId};

use super::accounts::{self, Numbered};
use super::convert::{Read as _, cannot, is_taken, json, micros};
use super::damaged::Damaged;
use super::hooks;

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    account: i64,
    server: Server,
) -> Result<Server, Error> {
    let number = accounts::next(conn, account, Numbered::Server).await?;
    sqlx::query(
        "INSERT INTO servers (account, number, id, name, host, project, instance_group, labels, \
         created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(account)
    .bind(number.get())
    .bind(server.id.as_uuid())
    .bind(&server.name)
    .bind(server.host.as_deref())
    .bind(server.project.as_deref())
    .bind(server.group.as_deref())
    .bind(json(&server.labels))
    .bind(micros(server.created_at))
    .bind(micros(server.modified_at))
    .execute(conn)
    .await
    .map_err(|error| taken(error, &server))?;
    Ok(Server { number, ..server })
}

pub(super) async fn update(
    conn: &mut SqliteConnection,
    account: i64,
    server: &Server,
) -> Result<(), Error> {
    let done = sqlx::query(
        "UPDATE servers SET name = ?, host = ?, project = ?, instance_group = ?, labels = ?, modified_at = ? \
         WHERE account = ? AND id = ?",
    )
    .bind(&server.name)
    .bind(server.host.as_deref())
    .bind(server.project.as_deref())
    .bind(server.group.as_deref())
    .bind(json(&server.labels))
    .bind(micros(server.modified_at))
    .bind(account)
    .bind(server.id.as_uuid())
    .execute(conn)
    .await
    .map_err(|error| taken(error, server))?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found(Noun::Server, server.id));
    }
    Ok(())
}

pub(super) async fn delete(
    conn: &mut SqliteConnection,
    account: i64,
    id: ServerId,
) -> Result<(), Error> {
    let by = sqlx::query(
        "SELECT DISTINCT hooks.number AS number FROM servers, hooks, \
         json_each(CASE WHEN json_valid(hooks.servers) THEN hooks.servers ELSE '[]' END) AS named \
         WHERE servers.account = ? AND servers.id = ? AND hooks.account = servers.account \
         AND named.value = servers.number ORDER BY 1",
    )
    .bind(account)
    .bind(id.as_uuid())
    .fetch_all(&mut *conn)
    .await
    .map_err(cannot("read the hooks of the server"))?
    .iter()
    .map(hooks::number_or_none)
    .collect::<Result<Vec<_>, _>>()?;
    if !by.is_empty() {
        return Err(Error::InUse {
            what: Noun::Server,
            id: id.to_string(),
            by,
        });
    }
    let done = sqlx::query("DELETE FROM servers WHERE account = ? AND id = ?")
        .bind(account)
        .bind(id.as_uuid())
        .execute(conn)
        .await
        .map_err(cannot("delete the server"))?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found(Noun::Server, id));
    }
    Ok(())
}

pub(super) async fn list(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    account: i64,
) -> Result<Vec<Server>, Error> {
    let rows = sqlx::query("SELECT * FROM servers WHERE account = ? ORDER BY number")
        .bind(account)
        .fetch_all(&mut *conn)
        .await
        .map_err(cannot("read the servers"))?;
    damaged.sift("servers", &rows, read)
}

pub(super) fn read(row: &SqliteRow) -> Result<Server, Error> {
    Ok(Server {
        id: row.id("id", ServerId::from_uuid)?,
        number: row.number("number")?,
        name: row.read("name")?,
        host: row.read("host")?,
        project: row.read("project")?,
        group: row.read("instance_group")?,
        labels: row.json("labels")?,
        created_at: row.time("created_at")?,
        modified_at: row.time("modified_at")?,
    })
}

fn taken(error: sqlx::Error, server: &Server) -> Error {
    let name = if is_taken(&error, "servers.account, servers.name") {
        server.name.clone()
    } else if is_taken(&error, "servers.account, servers.id") {
        server.id.to_string()
    } else {
        return cannot("store the server")(error);
    };
    Error::NameTaken {
        what: Noun::Server,
        name,
    }
}
