//! Subscriptions to webhooks, and their deliveries.
//!
//! Secrets are stored in plaintext because signing needs them.

pub(super) mod deliveries;
pub(super) mod webhooks;

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnection, SqliteQueryResult};
use tenterhook_delivery::{
    Delivery, Error, NewDelivery, Outbox, QueueLimit, Retention, Subscription, SubscriptionId, Wait,
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
            Box::pin(async move {
                webhooks::insert(conn, account, &new)
                    .await
                    .map_err(write_error)
            })
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
        // The rest of the server works without them.
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

    async fn insert_deliveries(
        &self,
        new: Vec<NewDelivery>,
        limit: QueueLimit,
    ) -> Result<Vec<(SubscriptionId, u64)>, Error> {
        self.writer
            .run(move |writing| {
                Box::pin(async move {
                    deliveries::insert(&mut writing.conn, &new, &limit)
                        .await
                        .map_err(write_error)
                })
            })
            .await
            .map_err(failed("store the webhook's deliveries"))
    }

    async fn due(
        &self,
        of: SubscriptionId,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<(Delivery, Vec<u8>)>, Error> {
        let mut reader = self.reader("read the deliveries that are due").await?;
        loop {
            let rows = sqlx::query(
                "SELECT deliveries.* FROM deliveries JOIN webhooks ON webhooks.id = deliveries.webhook \
                 WHERE webhook = ?1 AND due_at <= ?2 AND coalesce(paused_until, 0) <= ?2 \
                 AND seq NOT IN (SELECT value FROM json_each(?4)) ORDER BY due_at, seq LIMIT ?3",
            )
            .bind(of.0)
            .bind(micros(now))
            .bind(limit)
            .bind(json(&self.damaged.deliveries()))
            .fetch_all(&mut *reader)
            .await
            .map_err(cannot("read the deliveries that are due"))?;
            let due = self
                .damaged
                .sift("deliveries", &rows, |row| {
                    let body = row.read::<&[u8]>("body").map(<[u8]>::to_vec);
                    Ok((deliveries::read(row)?, body?))
                })
                .map_err(failed("read the deliveries that are due"))?;
            // Those behind unreadable ones are due too.
            if !due.is_empty() || rows.is_empty() {
                return Ok(due);
            }
        }
    }

    async fn next_due(&self, of: SubscriptionId) -> Result<Option<OffsetDateTime>, Error> {
        let mut reader = self.reader("read when a delivery is due").await?;
        sqlx::query(
            "SELECT max(min(CASE WHEN due_at BETWEEN 0 AND ?3 THEN due_at ELSE ?3 END), \
             coalesce((SELECT paused_until FROM webhooks WHERE id = ?1), 0)) AS due_at \
             FROM deliveries WHERE webhook = ?1 AND due_at IS NOT NULL \
             AND seq NOT IN (SELECT value FROM json_each(?2))",
        )
        .bind(of.0)
        .bind(json(&self.damaged.deliveries()))
        .bind(LATEST_TIME)
        .fetch_one(&mut *reader)
        .await
        .map_err(cannot("read when a delivery is due"))?
        .time_opt("due_at")
        .map_err(failed("read when a delivery is due"))
    }

    async fn record_attempt(
        &self,
        delivery: Delivery,
        wait: Option<Duration>,
        pause: Option<Wait>,
    ) -> Result<(), Error> {
        self.change(Purpose::Any, move |conn| {
            Box::pin(async move {
                if let Some(pause) = pause {
                    sqlx::query("UPDATE webhooks SET paused_until = ?, pause_us = ? WHERE id = ?")
                        .bind(micros(pause.until))
                        .bind(wait_micros(pause.duration))
                        .bind(delivery.subscription.0)
                        .execute(&mut *conn)
                        .await?;
                }
                sqlx::query(
                    "UPDATE deliveries SET attempts = ?1, status = ?2, response = ?3, due_at = ?4, wait_us = ?6, \
                     body = CASE WHEN ?4 IS NULL THEN NULL ELSE body END \
                     WHERE id = ?5 AND status = 'waiting'",
                )
                .bind(delivery.attempts)
                .bind(delivery.status.as_str())
                .bind(&delivery.response)
                .bind(delivery.due_at.map(micros))
                .bind(delivery.id)
                .bind(wait.map(wait_micros))
                .execute(conn)
                .await
            })
        })
        .await
        .map(|_| ())
        .map_err(failed("record the result of a delivery"))
    }

    async fn deliveries(
        &self,
        of: SubscriptionId,
        after: Option<(OffsetDateTime, Uuid)>,
        limit: u32,
    ) -> Result<Vec<Delivery>, Error> {
        let mut reader = self.reader("read the deliveries").await?;
        let rows = sqlx::query(
            "SELECT * FROM deliveries WHERE webhook = ?1 \
             AND (?2 IS NULL OR seq < coalesce( \
             (SELECT seq FROM deliveries WHERE webhook = ?1 AND id = ?2), \
             (SELECT min(seq) FROM deliveries WHERE webhook = ?1 AND created_at > ?4), \
             9223372036854775807)) \
             ORDER BY seq DESC LIMIT ?3",
        )
        .bind(of.0)
        .bind(after.map(|(_, id)| id))
        .bind(limit)
        .bind(after.map(|(created_at, _)| micros(created_at)))
        .fetch_all(&mut *reader)
        .await
        .map_err(cannot("read the deliveries"))?;
        self.damaged
            .sift("deliveries", &rows, deliveries::read)
            .map_err(failed("read the deliveries"))
    }

    async fn shorten_delivery_waits(&self, now: OffsetDateTime) -> Result<(), Error> {
        let shortened = self
            .writer
            .run_to_free(move |writing| {
                Box::pin(async move {
                    deliveries::shorten_waits(&mut writing.conn, micros(now))
                        .await
                        .map_err(write_error)
                })
            })
            .await;
        match shortened {
            // The waits stay as they are, and the server starts all the same.
            Err(error) if convert::is_damage(&error) => {
                self.damaged
                    .report("deliveries", "any row".to_owned(), &error);
                Ok(())
            }
            shortened => shortened.map_err(failed("shorten the waits of webhooks")),
        }
    }

    async fn waiting(&self) -> Result<u64, Error> {
        let mut reader = self.reader("count the deliveries that wait").await?;
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM deliveries WHERE due_at IS NOT NULL")
                .fetch_one(&mut *reader)
                .await
                .map_err(cannot("count the deliveries that wait"))?;
        Ok(count.unsigned_abs())
    }

    async fn prune_deliveries(&self, retention: Retention, limit: u32) -> Result<u64, Error> {
        self.writer
            .run_to_free(move |writing| {
                Box::pin(async move {
                    deliveries::prune(&mut writing.conn, retention, limit)
                        .await
                        .map_err(write_error)
                })
            })
            .await
            .map_err(failed("prune old deliveries"))
    }
}

fn found(id: SubscriptionId, rows: u64) -> Result<(), Error> {
    match rows {
        0 => Err(Error::NotFound(id.to_string())),
        _ => Ok(()),
    }
}

/// Converts an error into the kind that the writer returns; the caller adds what was to be
/// done.
fn write_error(source: sqlx::Error) -> dispatch::Error {
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

    /// Runs one statement that changes rows. Returns how many.
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
                    let done = job(&mut writing.conn).await.map_err(write_error)?;
                    Ok(done.rows_affected())
                })
            })
            .await
    }
}
