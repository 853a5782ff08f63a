//! Subscriptions to webhooks, and what they are owed.
//!
//! Secrets stand here as they are: what signs cannot be a hash.

pub(super) mod letters;
pub(super) mod webhooks;

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnection, SqliteQueryResult};
use tenterhook_delivery::{
    Error, Keep, Letter, NewLetter, Outbox, Room, Subscription, SubscriptionId, Wait,
};
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::AccountId;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Sqlite;
use super::convert::{self, LATEST_TIME, Read as _, json, micros, wait_micros};
use super::readers::Reader;
use super::writer::Purpose;

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
        let rows = sqlx::query(
            "SELECT webhooks.*, accounts.id AS account_id FROM webhooks \
             JOIN accounts ON accounts.number = webhooks.account ORDER BY webhooks.id",
        )
        .fetch_all(&mut *reader)
        .await
        .map_err(convert::cannot("read the webhooks"));
        // All that the server does beside them goes on without.
        self.damaged
            .spare("webhooks", rows)
            .and_then(|rows| self.damaged.sift("webhooks", &rows, webhooks::read))
            .map_err(failed("read the webhooks"))
    }

    async fn switch_subscription(&self, id: SubscriptionId, enabled: bool) -> Result<(), Error> {
        let done = self
            .change(Purpose::ToFree, move |conn| {
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
            .change(Purpose::ToFree, move |conn| {
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
        loop {
            let rows = sqlx::query(
                "SELECT letters.* FROM letters JOIN webhooks ON webhooks.id = letters.webhook \
                 WHERE webhook = ?1 AND due_at <= ?2 AND coalesce(paused_until, 0) <= ?2 \
                 AND seq NOT IN (SELECT value FROM json_each(?4)) ORDER BY due_at, seq LIMIT ?3",
            )
            .bind(of.0)
            .bind(micros(now))
            .bind(limit)
            .bind(json(&self.damaged.letters()))
            .fetch_all(&mut *reader)
            .await
            .map_err(cannot("read the letters that are due"))?;
            let due = self
                .damaged
                .sift("letters", &rows, |row| {
                    let body = row.read::<&[u8]>("body").map(<[u8]>::to_vec);
                    Ok((letters::read(row)?, body?))
                })
                .map_err(failed("read the letters that are due"))?;
            // Those behind the ones that cannot be read are due too.
            if !due.is_empty() || rows.is_empty() {
                return Ok(due);
            }
        }
    }

    async fn next_due(&self, of: SubscriptionId) -> Result<Option<OffsetDateTime>, Error> {
        let mut reader = self.reader("read when a letter is due").await?;
        sqlx::query(
            "SELECT max(min(CASE WHEN due_at BETWEEN 0 AND ?3 THEN due_at ELSE ?3 END), \
             coalesce((SELECT paused_until FROM webhooks WHERE id = ?1), 0)) AS due_at \
             FROM letters WHERE webhook = ?1 AND due_at IS NOT NULL \
             AND seq NOT IN (SELECT value FROM json_each(?2))",
        )
        .bind(of.0)
        .bind(json(&self.damaged.letters()))
        .bind(LATEST_TIME)
        .fetch_one(&mut *reader)
        .await
        .map_err(cannot("read when a letter is due"))?
        .time_opt("due_at")
        .map_err(failed("read when a letter is due"))
    }

    async fn settle_letter(
        &self,
        letter: Letter,
        wait: Option<Duration>,
        pause: Option<Wait>,
    ) -> Result<(), Error> {
        self.change(Purpose::Any, move |conn| {
            Box::pin(async move {
                if let Some(pause) = pause {
                    sqlx::query("UPDATE webhooks SET paused_until = ?, pause_us = ? WHERE id = ?")
                        .bind(micros(pause.until))
                        .bind(wait_micros(pause.lasting))
                        .bind(letter.subscription.0)
                        .execute(&mut *conn)
                        .await?;
                }
                sqlx::query(
                    "UPDATE letters SET attempts = ?1, fate = ?2, said = ?3, due_at = ?4, wait_us = ?6, \
                     body = CASE WHEN ?4 IS NULL THEN NULL ELSE body END \
                     WHERE id = ?5 AND fate = 'waiting'",
                )
                .bind(letter.attempts)
                .bind(letter.fate.as_str())
                .bind(&letter.said)
                .bind(letter.due_at.map(micros))
                .bind(letter.id)
                .bind(wait.map(wait_micros))
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
        let rows = sqlx::query(
            "SELECT * FROM letters WHERE webhook = ?1 \
             AND (?2 IS NULL OR seq < (SELECT seq FROM letters WHERE webhook = ?1 AND id = ?2)) \
             ORDER BY seq DESC LIMIT ?3",
        )
        .bind(of.0)
        .bind(after)
        .bind(limit)
        .fetch_all(&mut *reader)
        .await
        .map_err(cannot("read the letters"))?;
        self.damaged
            .sift("letters", &rows, letters::read)
            .map_err(failed("read the letters"))
    }

    async fn shorten_delivery_waits(&self, now: OffsetDateTime) -> Result<(), Error> {
        let shortened = self
            .writer
            .run_to_free(move |writing| {
                Box::pin(async move {
                    letters::shorten_waits(&mut writing.conn, micros(now))
                        .await
                        .map_err(told)
                })
            })
            .await;
        match shortened {
            // They wait as they are; the server does not wait for that.
            Err(error) if convert::is_damage(&error) => {
                self.damaged.report("letters", "any row".to_owned(), &error);
                Ok(())
            }
            shortened => shortened.map_err(failed("shorten the waits of webhooks")),
        }
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
            .run_to_free(move |writing| {
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
    async fn change<F>(&self, purpose: Purpose, job: F) -> Result<u64, dispatch::Error>
    where
        F: for<'c> FnOnce(
                &'c mut SqliteConnection,
            ) -> Pin<
                Box<dyn Future<Output = Result<SqliteQueryResult, sqlx::Error>> + Send + 'c>,
            > + Send
            + 'static,
    {
        self.writer
            .run_server(purpose, move |writing| {
                Box::pin(async move {
                    let done = job(&mut writing.conn).await.map_err(told)?;
                    Ok(done.rows_affected())
                })
            })
            .await
    }
}
