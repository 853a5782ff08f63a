//! Accounts, and the numbers that their nouns are given.

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{Account, AccountId, AccountStore, Error, Noun, Number};

use super::Sqlite;
use super::convert::{Read as _, cannot, is_taken, micros};

/// The sorts of nouns that are numbered within an account.
#[derive(Clone, Copy)]
pub(super) enum Numbered {
    Server,
    Source,
    Hook,
    App,
}

#[async_trait]
impl AccountStore for Sqlite {
    /// Gives it a number that none had before it. Where the row of one is lost, what was its own
    /// is there still and must not become another's.
    async fn insert_account(&self, account: Account) -> Result<Account, Error> {
        self.writer
            .run(|writing| {
                Box::pin(async move {
                    let row = sqlx::query(
                        "INSERT INTO accounts (number, id, name, hooks_enabled, created_at) \
                         SELECT 1 + coalesce(max(number), 0), ?, ?, ?, ? FROM (\
                         SELECT max(number) AS number FROM accounts WHERE number < 2147483647 \
                         UNION ALL SELECT max(account) FROM disk WHERE account < 2147483647 \
                         UNION ALL SELECT max(account) FROM principals WHERE account < 2147483647 \
                         UNION ALL SELECT max(account) FROM sources WHERE account < 2147483647 \
                         UNION ALL SELECT max(account) FROM hooks WHERE account < 2147483647 \
                         UNION ALL SELECT max(account) FROM tasks WHERE account < 2147483647) RETURNING number",
                    )
                    .bind(account.id.as_uuid())
                    .bind(&account.name)
                    .bind(i64::from(account.app_hooks.is_on()))
                    .bind(micros(account.created_at))
                    .fetch_one(&mut writing.conn)
                    .await
                    .map_err(|error| taken(error, &account))?;
                    Ok(Account {
                        number: row.number("number")?,
                        ..account
                    })
                })
            })
            .await
    }

    async fn update_account(&self, account: Account) -> Result<(), Error> {
        self.writer
            .run_to_free(move |writing| {
                Box::pin(async move {
                    let done =
                        sqlx::query("UPDATE accounts SET name = ?, hooks_enabled = ? WHERE id = ?")
                            .bind(&account.name)
                            .bind(i64::from(account.app_hooks.is_on()))
                            .bind(account.id.as_uuid())
                            .execute(&mut writing.conn)
                            .await
                            .map_err(|error| taken(error, &account))?;
                    match done.rows_affected() {
                        0 => Err(Error::not_found(Noun::Account, account.id)),
                        _ => Ok(()),
                    }
                })
            })
            .await
    }

    async fn account(&self, id: AccountId) -> Result<Option<Account>, Error> {
        let mut reader = self.readers.kept().await?;
        let row = sqlx::query("SELECT * FROM accounts WHERE id = ?")
            .bind(id.as_uuid())
            .fetch_optional(&mut *reader)
            .await
            .map_err(cannot("read the account"))?;
        row.as_ref().map(read).transpose()
    }

    async fn accounts(&self) -> Result<Vec<Account>, Error> {
        let mut reader = self.readers.kept().await?;
        let rows = sqlx::query("SELECT * FROM accounts ORDER BY number")
            .fetch_all(&mut *reader)
            .await
            .map_err(cannot("read the accounts"))?;
        self.damaged.sift("accounts", &rows, read)
    }
}

/// Whether there are none, although something is there that belongs to some.
pub(super) async fn are_lost(conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT NOT EXISTS (SELECT 1 FROM accounts NOT INDEXED) AND (EXISTS (SELECT 1 FROM disk) \
         OR EXISTS (SELECT 1 FROM principals) OR EXISTS (SELECT 1 FROM sources) OR EXISTS (SELECT 1 FROM tasks))",
    )
    .fetch_one(conn)
    .await
}

/// The integer by which rows refer to their account.
pub(super) async fn number(
    conn: &mut SqliteConnection,
    id: AccountId,
) -> Result<Option<i64>, Error> {
    sqlx::query("SELECT number FROM accounts WHERE id = ?")
        .bind(id.as_uuid())
        .fetch_optional(&mut *conn)
        .await
        .map_err(cannot("read the account"))?
        .map(|row| row.read("number"))
        .transpose()
}

/// Counts one number on. Where the last one given is damaged, it goes on after the highest
/// that is there.
macro_rules! next_of {
    ($last:literal, $table:literal, $own:literal) => {
        concat!(
            "UPDATE accounts SET ",
            $last,
            " = 1 + CASE WHEN typeof(",
            $last,
            ") = 'integer' AND ",
            $last,
            " BETWEEN 0 AND 2147483646 THEN ",
            $last,
            " ELSE (SELECT coalesce(max(number), 0) FROM ",
            $table,
            " WHERE account = accounts.number AND number BETWEEN 1 AND 2147483646",
            $own,
            ") END WHERE number = ? RETURNING ",
            $last,
            " AS last"
        )
    };
}

/// Gives the next number; none is given twice, even if its noun is deleted.
pub(super) async fn next(
    conn: &mut SqliteConnection,
    account: i64,
    sort: Numbered,
) -> Result<Number, Error> {
    let sql = match sort {
        Numbered::Server => next_of!("last_server", "servers", ""),
        Numbered::Source => next_of!("last_source", "sources", " AND preloaded = 0"),
        Numbered::Hook => next_of!("last_hook", "hooks", ""),
        Numbered::App => next_of!("last_app", "apps", ""),
    };
    sqlx::query(sql)
        .bind(account)
        .fetch_one(conn)
        .await
        .map_err(cannot("give a number"))?
        .number("last")
}

pub(super) fn read(row: &SqliteRow) -> Result<Account, Error> {
    Ok(Account {
        id: row.id("id", AccountId::from_uuid)?,
        number: row.number("number")?,
        name: row.read("name")?,
        app_hooks: row.bool("hooks_enabled")?.into(),
        created_at: row.time("created_at")?,
    })
}

fn taken(error: sqlx::Error, account: &Account) -> Error {
    if is_taken(&error, "accounts.name") {
        return Error::NameTaken {
            what: Noun::Account,
            name: account.name.clone(),
        };
    }
    cannot("store the account")(error)
}
