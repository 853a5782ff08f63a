//! Maintenance sessions and their steps. Both are documents, which the session crate
//! alone interprets.

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::AccountId;
use tenterhook_maintenance::{Error, SessionStore, Stored};
use tenterhook_session::{GroupConstraint, InstanceConstraint, Session, State, Step};
use uuid::Uuid;

use super::Sqlite;
use super::constraints::{self, Table};
use super::convert::{Impossible, Read as _, cannot, json, micros, unreadable};

/// Steps that are kept of one session, the newest: enough to understand any failure,
/// few enough for one response.
const STEPS: i64 = 5_000;

#[async_trait]
impl SessionStore for Sqlite {
    async fn insert_session(
        &self,
        stored: Stored,
        steps: Vec<Step>,
        most: usize,
    ) -> Result<(), Error> {
        self.write(stored.account, move |conn, account| {
            Box::pin(async move {
                let most = i64::try_from(most).unwrap_or(i64::MAX);
                if count(conn, account).await? >= most {
                    return Ok(Err(Error::TooMany));
                }
                if let Some(taken) = taken_host(conn, account, &stored.session).await? {
                    return Ok(Err(taken));
                }
                insert(conn, account, &stored).await?;
                add_steps(conn, account, stored.session.id(), &steps).await?;
                Ok(Ok(()))
            })
        })
        .await
        .map_err(map_error)?
    }

    async fn update_session(
        &self,
        account: AccountId,
        session: Session,
        steps: Vec<Step>,
    ) -> Result<(), Error> {
        self.write(account, move |conn, account| {
            Box::pin(async move { update(conn, account, &session, &steps).await })
        })
        .await
        .map_err(map_error)?
    }

    async fn sessions(&self) -> Result<Vec<Stored>, Error> {
        let mut reader = self.readers.of_server().await.map_err(map_error)?;
        let rows = sqlx::query(
            "SELECT accounts.id AS account_id, accounts.number AS account, sessions.id AS id, created_by, base_url, \
             document, sessions.created_at AS created_at \
             FROM sessions JOIN accounts ON accounts.number = sessions.account \
             ORDER BY sessions.created_at, sessions.id",
        )
        .fetch_all(&mut *reader)
        .await
        .map_err(cannot("read the sessions"));
        // A damaged session must not stop the rest of the server.
        self.damaged
            .spare("sessions", rows)
            .and_then(|rows| self.damaged.sift("sessions", &rows, read))
            .map_err(map_error)
    }

    async fn steps(&self, account: AccountId, session: Uuid) -> Result<Vec<Step>, Error> {
        let account = self.number_of(account).await.map_err(map_error)?;
        let mut reader = self.readers.of(account).await.map_err(map_error)?;
        sqlx::query(
            "SELECT account, session, serial, document FROM session_steps WHERE account = ? AND session = ? \
             ORDER BY serial",
        )
        .bind(account)
        .bind(session)
        .fetch_all(&mut *reader)
        .await
        .map_err(cannot("read the steps of the session"))
        .and_then(|rows| self.damaged.sift("session_steps", &rows, step))
        .map_err(map_error)
    }

    async fn delete_session(&self, account: AccountId, session: Uuid) -> Result<(), Error> {
        let found = self
            .write_to_free(account, move |conn, account| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM sessions WHERE account = ? AND id = ?")
                        .bind(account)
                        .bind(session)
                        .execute(conn)
                        .await
                        .map(|result| result.rows_affected() > 0)
                        .map_err(cannot("delete the session"))
                })
            })
            .await
            .map_err(map_error)?;
        found.then_some(()).ok_or(Error::NoSession(session))
    }

    async fn put_instance_constraint(
        &self,
        account: AccountId,
        constraint: InstanceConstraint,
    ) -> Result<(), Error> {
        let id = constraint.instance_id.clone();
        self.put(account, Table::Instances, id, json(&constraint))
            .await
    }

    async fn put_group_constraint(
        &self,
        account: AccountId,
        constraint: GroupConstraint,
    ) -> Result<(), Error> {
        let id = constraint.group_id.clone();
        self.put(account, Table::Groups, id, json(&constraint))
            .await
    }

    async fn delete_instance_constraint(
        &self,
        account: AccountId,
        id: String,
    ) -> Result<(), Error> {
        self.remove(account, Table::Instances, id).await
    }

    async fn delete_group_constraint(&self, account: AccountId, id: String) -> Result<(), Error> {
        self.remove(account, Table::Groups, id).await
    }

    async fn constraints(
        &self,
        account: AccountId,
    ) -> Result<(Vec<InstanceConstraint>, Vec<GroupConstraint>), Error> {
        let account = self.number_of(account).await.map_err(map_error)?;
        let mut reader = self.readers.of(account).await.map_err(map_error)?;
        let instances = constraints::list(&mut reader, &self.damaged, account, Table::Instances)
            .await
            .map_err(map_error)?;
        let groups = constraints::list(&mut reader, &self.damaged, account, Table::Groups)
            .await
            .map_err(map_error)?;
        Ok((instances, groups))
    }
}

impl Sqlite {
    async fn put(
        &self,
        account: AccountId,
        table: Table,
        id: String,
        document: String,
    ) -> Result<(), Error> {
        let stored = self
            .write(account, move |conn, account| {
                Box::pin(
                    async move { constraints::put(conn, account, table, &id, &document).await },
                )
            })
            .await
            .map_err(map_error)?;
        stored.then_some(()).ok_or_else(|| Error::Invalid {
            field: table.field().into(),
            reason: format!(
                "is one too many: the account has {} of them",
                constraints::MOST
            ),
        })
    }

    async fn remove(&self, account: AccountId, table: Table, id: String) -> Result<(), Error> {
        let (found, id) = self
            .write_to_free(account, move |conn, account| {
                Box::pin(async move {
                    let found = constraints::delete(conn, account, table, &id).await?;
                    Ok((found, id))
                })
            })
            .await
            .map_err(map_error)?;
        found.then_some(()).ok_or(Error::NoConstraint(id))
    }
}

/// Counts the sessions of an account.
async fn count(
    conn: &mut SqliteConnection,
    account: i64,
) -> Result<i64, tenterhook_dispatch::Error> {
    sqlx::query_scalar("SELECT count(*) FROM sessions WHERE account = ?")
        .bind(account)
        .fetch_one(conn)
        .await
        .map_err(cannot("count the sessions"))
}

/// Finds another session of the account that has one of this session's hosts, and returns
/// that as an error.
///
/// The one connection that writes asks this in the transaction of the change that it
/// decides on, so of two sessions that begin at the same time one sees the other. A
/// session that cannot be read has no hosts: it is not driven, and cannot be removed.
async fn taken_host(
    conn: &mut SqliteConnection,
    account: i64,
    session: &Session,
) -> Result<Option<Error>, tenterhook_dispatch::Error> {
    let hosts = &session.plan().hosts;
    let over: Vec<_> = State::ALL
        .into_iter()
        .filter(|state| state.is_over())
        .collect();
    let rows = sqlx::query(
        "WITH others AS ( \
             SELECT accounts.id AS account_id, sessions.id AS id, created_by, base_url, \
             sessions.created_at AS created_at, \
             CASE WHEN json_valid(document) THEN document ELSE '{}' END AS document \
             FROM sessions JOIN accounts ON accounts.number = sessions.account \
             WHERE account = ?1 AND sessions.id <> ?2) \
         SELECT * FROM others \
         WHERE json_extract(document, '$.state') NOT IN (SELECT value FROM json_each(?4)) \
         AND EXISTS (SELECT 1 FROM json_each(document, '$.plan.hosts') AS host \
             WHERE host.value IN (SELECT value FROM json_each(?3))) \
         ORDER BY created_at, id",
    )
    .bind(account)
    .bind(session.id())
    .bind(json(hosts))
    .bind(json(&over))
    .fetch_all(conn)
    .await
    .map_err(cannot("read the sessions"))?;
    Ok(rows
        .iter()
        .filter_map(|row| read(row).ok())
        .find_map(|other| {
            let theirs = &other.session.plan().hosts;
            let host = hosts.iter().find(|host| theirs.contains(host))?;
            Some(Error::HostTaken {
                host: host.clone(),
                session: other.session.id(),
            })
        }))
}

async fn insert(
    conn: &mut SqliteConnection,
    account: i64,
    stored: &Stored,
) -> Result<(), tenterhook_dispatch::Error> {
    sqlx::query(
        "INSERT INTO sessions (account, id, created_by, base_url, document, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .bind(account)
    .bind(stored.session.id())
    .bind(&stored.created_by)
    .bind(&stored.base_url)
    .bind(json(&stored.session))
    .bind(micros(stored.created_at))
    .execute(conn)
    .await
    .map(|_| ())
    .map_err(cannot("store the session"))
}

/// Updates a session and adds its steps. The inner error is why the session is refused.
async fn update(
    conn: &mut SqliteConnection,
    account: i64,
    session: &Session,
    steps: &[Step],
) -> Result<Result<(), Error>, tenterhook_dispatch::Error> {
    let id = session.id();
    let Some(was_over) = is_over(conn, account, id).await? else {
        return Ok(Err(Error::NoSession(id)));
    };
    if was_over
        && !session.state().is_over()
        && let Some(taken) = taken_host(conn, account, session).await?
    {
        return Ok(Err(taken));
    }
    sqlx::query("UPDATE sessions SET document = ? WHERE account = ? AND id = ?")
        .bind(json(session))
        .bind(account)
        .bind(id)
        .execute(&mut *conn)
        .await
        .map_err(cannot("store the session"))?;
    add_steps(conn, account, id, steps).await?;
    Ok(Ok(()))
}

/// Whether a stored session has finished; `None` if it does not exist. One that cannot be read
/// is not: what is written next mends it.
async fn is_over(
    conn: &mut SqliteConnection,
    account: i64,
    session: Uuid,
) -> Result<Option<bool>, tenterhook_dispatch::Error> {
    let state: Option<Option<String>> = sqlx::query_scalar(
        "SELECT CASE WHEN json_valid(document) THEN CAST(json_extract(document, '$.state') AS TEXT) END \
         FROM sessions WHERE account = ? AND id = ?",
    )
    .bind(account)
    .bind(session)
    .fetch_optional(conn)
    .await
    .map_err(cannot("read the session"))?;
    let is_over = |state: String| state.parse().is_ok_and(State::is_over);
    Ok(state.map(|state| state.is_some_and(is_over)))
}

/// Adds steps, and deletes the oldest where there are too many.
///
/// A step that exists already is overwritten: after a commit whose outcome is unknown,
/// the same steps come again.
async fn add_steps(
    conn: &mut SqliteConnection,
    account: i64,
    session: Uuid,
    steps: &[Step],
) -> Result<(), tenterhook_dispatch::Error> {
    let doing = "store the steps of the session";
    for step in steps {
        sqlx::query("INSERT OR REPLACE INTO session_steps (account, session, serial, document) VALUES (?, ?, ?, ?)")
            .bind(account)
            .bind(session)
            .bind(serial(step))
            .bind(json(step))
            .execute(&mut *conn)
            .await
            .map_err(cannot(doing))?;
    }
    let Some(last) = steps.last() else {
        return Ok(());
    };
    sqlx::query("DELETE FROM session_steps WHERE account = ? AND session = ? AND serial <= ?")
        .bind(account)
        .bind(session)
        .bind(serial(last) - STEPS)
        .execute(conn)
        .await
        .map(|_| ())
        .map_err(cannot(doing))
}

fn serial(step: &Step) -> i64 {
    i64::try_from(step.serial).unwrap_or(i64::MAX)
}

pub(super) fn step(row: &SqliteRow) -> Result<Step, tenterhook_dispatch::Error> {
    row.json("document")
}

pub(super) fn read(row: &SqliteRow) -> Result<Stored, tenterhook_dispatch::Error> {
    let session: Session = row.json("document")?;
    if row.id("id", |id| id)? != session.id() {
        let what = Impossible(session.id().to_string());
        return Err(unreadable("document", what));
    }
    Ok(Stored {
        account: row.id("account_id", AccountId::from_uuid)?,
        session,
        created_by: row.read("created_by")?,
        base_url: row.read("base_url")?,
        created_at: row.time("created_at")?,
    })
}

/// Converts an error of the database to maintenance's.
fn map_error(error: tenterhook_dispatch::Error) -> Error {
    match error {
        tenterhook_dispatch::Error::Store { doing, source } => Error::Store { doing, source },
        error => Error::Dispatch(error),
    }
}
