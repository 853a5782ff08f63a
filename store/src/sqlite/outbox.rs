//! Subscriptions to webhooks, and what they are owed.
//!
//! Secrets stand here as they are: what signs cannot be a hash.

mod letters;
mod webhooks;

use std::pin::Pin;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnection, SqliteQueryResult};
use tenterhook_delivery::{
    Error, Keep, Letter, NewLetter, Outbox, Room, Subscription, SubscriptionId,
};
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::AccountId;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Sqlite;
use super::readers::Reader;
use super::convert::{self, Read as _, micros};

#[async_trait]
impl Outbox for Sqlite {
    async fn insert_subscription(&self, new: Subscription) -> Result<(), Error> {
        let account = AccountId::from_uuid(new.account);
        self.write(account, move |conn, account| {
            Box::pin(async move { webhooks::insert(conn, account, &new).await.map_err(told) })
        })
        .await
        .map_err(failed("store the webhook"))
    }

    async fn subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        let mut reader = self.reader("read the webhooks").await?;
        sqlx::query(
            "SELECT webhooks.*, accounts.id AS account_id FROM webhooks \
             JOIN accounts ON accounts.number = webhooks.account ORDER BY webhooks.id",
        )
        .fetch_all(&mut *reader)
        .await
        .map_err(cannot("read the webhooks"))?
        .iter()
        .map(|row| webhooks::read(row).map_err(failed("read the webhooks")))
        .collect()
    }

    async fn switch_subscription(&self, id: SubscriptionId, enabled: bool) -> Result<(), Error> {
        let done = self
            .change(move |conn| {
                Box::pin(async move {
                    sqlx::query("UPDATE webhooks SET enabled = ? WHERE id = ?")
                        .bind(enabled)
                        .bind(id.0)
                        .execute(conn)
                        .await
                })
            })
            .await;
        found(id, done.map_err(failed("change the webhook"))?)
    }

    async fn delete_subscription(&self, id: SubscriptionId) -> Result<(), Error> {
        let done = self
            .change(move |conn| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM webhooks WHERE id = ?")
                        .bind(id.0)
                        .execute(conn)
                        .await
                })
            })
            .await;
        found(id, done.map_err(failed("remove the webhook"))?)
    }

    async fn insert_letters(
        &self,
        new: Vec<NewLetter>,
        room: Room,
    ) -> Result<Vec<(SubscriptionId, u64)>, Error> {
        self.writer
            .run(move |writing| {
                Box::pin(async move {
                    letters::insert(&mut writing.conn, &new, &room)
                        .await
                        .map_err(told)
                })
            })
            .await
            .map_err(failed("store the webhook's letters"))
    }

    async fn due(
        &self,
        of: SubscriptionId,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<(Letter, Vec<u8>)>, Error> {
        let mut reader = self.reader("read the letters that are due").await?;
        sqlx::query(
            "SELECT letters.* FROM letters JOIN webhooks ON webhooks.id = letters.webhook \
             WHERE webhook = ?1 AND due_at <= ?2 AND coalesce(paused_until, 0) <= ?2 \
             ORDER BY due_at, seq LIMIT ?3",
        )
        .bind(of.0)
        .bind(micros(now))
        .bind(limit)
        .fetch_all(&mut *reader)
        .await
        .map_err(cannot("read the letters that are due"))?
        .iter()
        .map(|row| {
            let body = row.read::<&[u8]>("body").map(<[u8]>::to_vec);
            letters::read(row)
                .and_then(|letter| Ok((letter, body?)))
                .map_err(failed("read the letters that are due"))
        })
        .collect()
    }

    async fn next_due(&self, of: SubscriptionId) -> Result<Option<OffsetDateTime>, Error> {
        let mut reader = self.reader("read when a letter is due").await?;
        sqlx::query(
            "SELECT max(min(due_at), coalesce((SELECT paused_until FROM webhooks WHERE id = ?1), 0)) AS due_at \
             FROM letters WHERE webhook = ?1 AND due_at IS NOT NULL",
        )
        .bind(of.0)
        .fetch_one(&mut *reader)
        .await
        .map_err(cannot("read when a letter is due"))?
        .time_opt("due_at")
        .map_err(failed("read when a letter is due"))
    }

    async fn settle_letter(
        &self,
        letter: Letter,
        paused_until: Option<OffsetDateTime>,
    ) -> Result<(), Error> {
        self.change(move |conn| {
            Box::pin(async move {
                if let Some(until) = paused_until {
                    sqlx::query("UPDATE webhooks SET paused_until = ? WHERE id = ?")
                        .bind(micros(until))
                        .bind(letter.subscription.0)
                        .execute(&mut *conn)
                        .await?;
                }
                sqlx::query(
                    "UPDATE letters SET attempts = ?1, fate = ?2, said = ?3, due_at = ?4, \
                     body = CASE WHEN ?4 IS NULL THEN NULL ELSE body END \
                     WHERE id = ?5 AND fate = 'waiting'",
                )
                .bind(letter.attempts)
                .bind(letter.fate.as_str())
                .bind(&letter.said)
                .bind(letter.due_at.map(micros))
                .bind(letter.id)
                .execute(conn)
                .await
            })
        })
        .await
        .map(|_| ())
        .map_err(failed("note what became of a letter"))
    }

    async fn letters(
        &self,
        of: SubscriptionId,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Letter>, Error> {
        let mut reader = self.reader("read the letters").await?;
        sqlx::query(
            "SELECT * FROM letters WHERE webhook = ?1 \
             AND (?2 IS NULL OR seq < (SELECT seq FROM letters WHERE webhook = ?1 AND id = ?2)) \
             ORDER BY seq DESC LIMIT ?3",
        )
        .bind(of.0)
        .bind(after)
        .bind(limit)
        .fetch_all(&mut *reader)
        .await
        .map_err(cannot("read the letters"))?
        .iter()
        .map(|row| letters::read(row).map_err(failed("read the letters")))
        .collect()
    }

    async fn waiting(&self) -> Result<u64, Error> {
        let mut reader = self.reader("count the letters that wait").await?;
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM letters WHERE due_at IS NOT NULL")
                .fetch_one(&mut *reader)
                .await
                .map_err(cannot("count the letters that wait"))?;
        Ok(count.unsigned_abs())
    }

    async fn forget_letters(&self, keep: Keep, limit: u32) -> Result<u64, Error> {
        self.writer
            .run(move |writing| {
                Box::pin(async move {
                    letters::forget(&mut writing.conn, keep, limit)
                        .await
                        .map_err(told)
                })
            })
            .await
            .map_err(failed("forget old letters"))
    }
}

fn found(id: SubscriptionId, rows: u64) -> Result<(), Error> {
    match rows {
        0 => Err(Error::NotFound(id.to_string())),
        _ => Ok(()),
    }
}

/// The writer speaks dispatch's errors; what was to be done is said outside.
fn told(source: sqlx::Error) -> dispatch::Error {
    convert::cannot("write to the database")(source)
}

fn cannot(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| failed(doing)(convert::cannot(doing)(source))
}

fn failed(doing: &'static str) -> impl FnOnce(dispatch::Error) -> Error {
    move |source| Error::Store {
        doing,
        source: source.into(),
    }
}

impl Sqlite {
    async fn reader(&self, doing: &'static str) -> Result<Reader, Error> {
        self.readers.of_server().await.map_err(failed(doing))
    }

    /// Runs one statement that changes rows, and tells how many.
    async fn change<F>(&self, job: F) -> Result<u64, dispatch::Error>
    where
        F: for<'c> FnOnce(
                &'c mut SqliteConnection,
            ) -> Pin<
                Box<dyn Future<Output = Result<SqliteQueryResult, sqlx::Error>> + Send + 'c>,
            > + Send
            + 'static,
    {
        self.writer
            .run(move |writing| {
                Box::pin(async move {
                    let done = job(&mut writing.conn).await.map_err(told)?;
                    Ok(done.rows_affected())
                })
            })
            .await
    }
}
