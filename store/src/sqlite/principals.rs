//! Principals, to whom tokens belong.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{AccountId, Error, Noun, Principal, PrincipalId};

use super::convert::{Read as _, cannot, is_taken, micros};
use super::damaged::Damaged;

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    account: i64,
    principal: &Principal,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO principals (account, id, name, role, created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(account)
    .bind(principal.id.as_uuid())
    .bind(&principal.name)
    .bind(principal.role.as_str())
    .bind(micros(principal.created_at))
    .bind(micros(principal.modified_at))
    .execute(conn)
    .await
    .map(|_| ())
    .map_err(|error| taken(error, principal))
}

pub(super) async fn update(
    conn: &mut SqliteConnection,
    account: i64,
    principal: &Principal,
) -> Result<(), Error> {
    let done = sqlx::query(
        "UPDATE principals SET name = ?, role = ?, modified_at = ? WHERE account = ? AND id = ?",
    )
    .bind(&principal.name)
    .bind(principal.role.as_str())
    .bind(micros(principal.modified_at))
    .bind(account)
    .bind(principal.id.as_uuid())
    .execute(conn)
    .await
    .map_err(|error| taken(error, principal))?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found(Noun::Principal, principal.id));
    }
    Ok(())
}

/// Removes a principal; the schema removes its tokens with it.
pub(super) async fn delete(
    conn: &mut SqliteConnection,
    account: i64,
    id: PrincipalId,
) -> Result<bool, Error> {
    sqlx::query("DELETE FROM principals WHERE account = ? AND id = ?")
        .bind(account)
        .bind(id.as_uuid())
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0)
        .map_err(cannot("delete the principal"))
}

pub(super) async fn list(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    (account, id): (i64, AccountId),
) -> Result<Vec<Principal>, Error> {
    let rows = sqlx::query("SELECT * FROM principals WHERE account = ? ORDER BY created_at, id")
        .bind(account)
        .fetch_all(&mut *conn)
        .await
        .map_err(cannot("read the principals"))?;
    damaged.sift("principals", &rows, |row| read(row, id))
}

pub(super) fn read(row: &SqliteRow, account: AccountId) -> Result<Principal, Error> {
    Ok(Principal {
        id: row.id("id", PrincipalId::from_uuid)?,
        account,
        name: row.read("name")?,
        role: row.parsed("role")?,
        created_at: row.time("created_at")?,
        modified_at: row.time("modified_at")?,
    })
}

fn taken(error: sqlx::Error, principal: &Principal) -> Error {
    let name = if is_taken(&error, "principals.account, principals.name") {
        principal.name.clone()
    } else if is_taken(&error, "principals.account, principals.id") {
        principal.id.to_string()
    } else {
        return cannot("store the principal")(error);
    };
    Error::NameTaken {
        what: Noun::Principal,
        name,
    }
}
