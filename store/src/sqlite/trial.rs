//! What every call reads and every event writes, tried for a readiness check.
//!
//! A row of one account that is damaged is not the matter here: the server is ready for the
//! others.

use bytes::Bytes;
use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{AccountId, Error, EventKey, NewEvent, NewTask, TaskId};

use super::convert::{cannot, execute};
use super::insert;
use super::writer::Writing;

const DOING: &str = "try what every event needs";

/// At which end of what is stored it is tried. A page in between has rows of some accounts,
/// and so has one at an end: what fails at both is every account's.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    First,
    Last,
}

/// Looks for a token, and into each table that is read for an event.
pub(super) async fn read(conn: &mut SqliteConnection, end: End) -> Result<(), Error> {
    let (number, bytes): (i64, &[u8]) = match end {
        End::First => (-1, &[]),
        End::Last => (i64::MAX, &[0xff; 32]),
    };
    sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM tokens WHERE hash = ?2), EXISTS (SELECT 1 FROM tokens WHERE rowid = ?1), \
         EXISTS (SELECT 1 FROM principals WHERE account = ?1 AND id = ?2), EXISTS (SELECT 1 FROM principals WHERE rowid = ?1), \
         EXISTS (SELECT 1 FROM accounts WHERE number = ?1), EXISTS (SELECT 1 FROM accounts WHERE id = ?2), \
         EXISTS (SELECT 1 FROM hooks WHERE account = ?1), EXISTS (SELECT 1 FROM hooks WHERE rowid = ?1), \
         EXISTS (SELECT 1 FROM sources WHERE account = ?1), EXISTS (SELECT 1 FROM sources WHERE rowid = ?1), \
         EXISTS (SELECT 1 FROM servers WHERE account = ?1), \
         EXISTS (SELECT 1 FROM programs WHERE digest = ?2), EXISTS (SELECT 1 FROM programs WHERE rowid = ?1), \
         EXISTS (SELECT 1 FROM recipes WHERE id = ?2), EXISTS (SELECT 1 FROM recipes WHERE rowid = ?1), \
         EXISTS (SELECT 1 FROM account_programs WHERE account = ?1), EXISTS (SELECT 1 FROM account_recipes WHERE account = ?1), \
         EXISTS (SELECT 1 FROM overrides WHERE account = ?1), EXISTS (SELECT 1 FROM apps WHERE account = ?1)",
    )
    .bind(number)
    .bind(bytes)
    .fetch_one(conn)
    .await
    .map(|_| ())
    .map_err(cannot(DOING))
}

/// Writes an event with an execution, and takes both back.
pub(super) async fn write(writing: &mut Writing, end: End) -> Result<(), Error> {
    let account = sqlx::query_scalar(match end {
        End::First => "SELECT min(number) FROM accounts",
        End::Last => "SELECT max(number) FROM accounts",
    });
    let account: Option<i64> = account
        .fetch_one(&mut writing.conn)
        .await
        .map_err(cannot(DOING))?;
    let Some(account) = account else {
        return Ok(());
    };
    execute(&mut writing.conn, "SAVEPOINT trial", DOING).await?;
    let written = insert::tasks(writing, &[&(account, event())]).await;
    writing.last_task.clear();
    written?;
    for sql in [
        "INSERT INTO executions (account, id, task, recipe, lane) SELECT tasks.account, randomblob(16), tasks.seq, \
         recipes.id, 0 FROM tasks, recipes WHERE tasks.seq = (SELECT max(seq) FROM tasks) LIMIT 1",
        "UPDATE tasks SET state = NULL, ended_at = NULL WHERE seq = (SELECT max(seq) FROM tasks)",
        "ROLLBACK TO trial",
        "RELEASE trial",
    ] {
        execute(&mut writing.conn, sql, DOING).await?;
    }
    Ok(())
}

fn event() -> NewTask {
    let id = TaskId::generate();
    NewTask {
        id,
        account: AccountId::generate(),
        name: "probe".to_owned(),
        started_by: "probe".to_owned(),
        object: None,
        event: Some(NewEvent {
            key: EventKey {
                source: "probe".to_owned(),
                id: id.to_string(),
                kind: "probe".to_owned(),
            },
            content: None,
            json: Bytes::from_static(b"{}"),
        }),
        created_at: tenterhook_dispatch::now(),
        owner: None,
        executions: Vec::new(),
        program: None,
        warnings: Vec::new(),
    }
}
