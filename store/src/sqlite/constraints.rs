//! Constraints of instances and groups: two tables of one shape.

use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{ACCOUNT_MAX, Error};

use super::convert::{Read as _, cannot};
use super::damaged::Damaged;

/// Constraints of one kind that an account may have: as many as it may have servers.
pub(super) const MOST: u32 = ACCOUNT_MAX;

/// What a constraint is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Table {
    /// Instances.
    Instances,
    /// Groups of instances.
    Groups,
}

impl Table {
    /// The member that names it in a request.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Instances => "instance_id",
            Self::Groups => "group_id",
        }
    }
}

/// Sets a constraint, replacing any previous one, unless there are too many; returns
/// whether it did.
pub(super) async fn put(
    conn: &mut SqliteConnection,
    account: i64,
    table: Table,
    id: &str,
    document: &str,
) -> Result<bool, Error> {
    let (update, insert) = match table {
        Table::Instances => (
            "UPDATE instance_constraints SET document = ?3 WHERE account = ?1 AND id = ?2",
            "INSERT INTO instance_constraints (account, id, document) SELECT ?1, ?2, ?3 \
             WHERE (SELECT count(*) FROM instance_constraints WHERE account = ?1) < ?4",
        ),
        Table::Groups => (
            "UPDATE group_constraints SET document = ?3 WHERE account = ?1 AND id = ?2",
            "INSERT INTO group_constraints (account, id, document) SELECT ?1, ?2, ?3 \
             WHERE (SELECT count(*) FROM group_constraints WHERE account = ?1) < ?4",
        ),
    };
    let doing = "store the constraint";
    let updated = sqlx::query(update)
        .bind(account)
        .bind(id)
        .bind(document)
        .execute(&mut *conn)
        .await
        .map_err(cannot(doing))?;
    if updated.rows_affected() > 0 {
        return Ok(true);
    }
    sqlx::query(insert)
        .bind(account)
        .bind(id)
        .bind(document)
        .bind(MOST)
        .execute(conn)
        .await
        .map(|result| result.rows_affected() > 0)
        .map_err(cannot(doing))
}

/// Deletes a constraint; returns whether it existed.
pub(super) async fn delete(
    conn: &mut SqliteConnection,
    account: i64,
    table: Table,
    id: &str,
) -> Result<bool, Error> {
    sqlx::query(match table {
        Table::Instances => "DELETE FROM instance_constraints WHERE account = ? AND id = ?",
        Table::Groups => "DELETE FROM group_constraints WHERE account = ? AND id = ?",
    })
    .bind(account)
    .bind(id)
    .execute(conn)
    .await
    .map(|result| result.rows_affected() > 0)
    .map_err(cannot("delete the constraint"))
}

/// Lists an account's constraints by id.
pub(super) async fn list<T: DeserializeOwned>(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    account: i64,
    table: Table,
) -> Result<Vec<T>, Error> {
    let (name, sql) = match table {
        Table::Instances => (
            "instance_constraints",
            "SELECT * FROM instance_constraints WHERE account = ? ORDER BY id",
        ),
        Table::Groups => (
            "group_constraints",
            "SELECT * FROM group_constraints WHERE account = ? ORDER BY id",
        ),
    };
    let rows = sqlx::query(sql)
        .bind(account)
        .fetch_all(&mut *conn)
        .await
        .map_err(cannot("read the constraints"))?;
    damaged.sift(name, &rows, |row| row.json("document"))
}
