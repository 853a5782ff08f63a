//! Deliveries that are inserted, evicted and pruned, and their waits.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_delivery::{Delivery, NewDelivery, QueueLimit, Retention, Status, SubscriptionId};
use tenterhook_dispatch::Error;

use super::super::convert::{LATEST_TIME, Read as _, breaks_the_schema, micros};

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    new: &[NewDelivery],
    limit: &QueueLimit,
) -> Result<Vec<(SubscriptionId, u64)>, sqlx::Error> {
    let mut evicted = Vec::new();
    for delivery in new {
        sqlx::query(
            "INSERT INTO deliveries (id, webhook, kind, attempts, status, response, body, created_at, due_at) \
             SELECT ?1, id, ?3, 0, CASE WHEN ?6 IS NULL THEN 'waiting' ELSE 'failed' END, ?6, \
             CASE WHEN ?6 IS NULL THEN ?4 END, ?5, CASE WHEN ?6 IS NULL THEN ?7 END FROM webhooks WHERE id = ?2 \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(delivery.id)
        .bind(delivery.subscription.0)
        .bind(&delivery.kind)
        .bind(&delivery.body)
        .bind(micros(delivery.created_at))
        .bind(delivery.refused.as_deref())
        .bind(micros(delivery.due_at))
        .execute(&mut *conn)
        .await?;
    }
    let mut to: Vec<_> = new.iter().map(|delivery| delivery.subscription).collect();
    to.sort_unstable();
    to.dedup();
    for id in to {
        let deliveries = sqlx::query(
            "UPDATE deliveries SET status = 'failed', response = ?3, due_at = NULL, body = NULL \
             WHERE webhook = ?1 AND due_at IS NOT NULL AND seq <= \
             (SELECT seq FROM deliveries INDEXED BY deliveries_waiting WHERE webhook = ?1 AND due_at IS NOT NULL \
             ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
        )
        .bind(id.0)
        .bind(limit.max_waiting)
        .bind(limit.reason)
        .execute(&mut *conn)
        .await?
        .rows_affected();
        if deliveries > 0 {
            evicted.push((id, deliveries));
        }
    }
    Ok(evicted)
}

/// The latest time at which a wait may end: from now on, as long as its column says, or
/// `$else` if that is unknown or cannot be read.
macro_rules! latest_end {
    ($column:literal, $else:literal) => {
        concat!(
            "CASE WHEN typeof(",
            $column,
            ") = 'integer' AND ",
            $column,
            " BETWEEN 0 AND 86400000000 THEN ?1 + ",
            $column,
            " ELSE ",
            $else,
            " END"
        )
    };
}

/// Shortens waits that end later than their duration from `now` on allows. A time that
/// cannot be one is later than all others; a pause until such a time has ended.
pub(super) async fn shorten_waits(
    conn: &mut SqliteConnection,
    now: i64,
) -> Result<(), sqlx::Error> {
    const PAUSES: &str = concat!(
        "UPDATE webhooks SET paused_until = CASE WHEN paused_until BETWEEN 0 AND ?2 THEN ",
        latest_end!("pause_us", "?1 + 86400000000"),
        " ELSE 0 END WHERE paused_until > ",
        latest_end!("pause_us", "?1 + 86400000000")
    );
    const UNTRIED: &str =
        "UPDATE deliveries SET due_at = ?1 WHERE due_at > ?1 AND (attempts = 0 OR due_at > ?2)";
    const TRIED: &str = concat!(
        "UPDATE deliveries SET due_at = found.latest FROM (SELECT deliveries.seq AS own, ",
        latest_end!(
            "deliveries.wait_us",
            "max(?1 + 3600000000, coalesce(webhooks.paused_until, 0))"
        ),
        " AS latest FROM deliveries JOIN webhooks ON webhooks.id = deliveries.webhook \
         WHERE deliveries.due_at BETWEEN ?1 AND ?2) AS found \
         WHERE deliveries.seq = found.own AND deliveries.due_at > found.latest"
    );
    for sql in [PAUSES, UNTRIED, TRIED] {
        write(conn, sql, &[now, LATEST_TIME]).await?;
    }
    Ok(())
}

/// Changes rows; none of them if one is damaged, which is reported when it is read.
async fn write(
    conn: &mut SqliteConnection,
    sql: &'static str,
    values: &[i64],
) -> Result<(), sqlx::Error> {
    let mut query = sqlx::query(sql);
    for value in values {
        query = query.bind(*value);
    }
    match query.execute(conn).await {
        Err(error) if breaks_the_schema(&error) => {
            tracing::error!(%error, "the waits of webhooks cannot be corrected: a row is damaged");
            Ok(())
        }
        done => done.map(|_| ()),
    }
}

pub(super) async fn prune(
    conn: &mut SqliteConnection,
    retention: Retention,
    limit: u32,
) -> Result<u64, sqlx::Error> {
    let mut pruned = sqlx::query(
        "DELETE FROM deliveries WHERE seq IN \
         (SELECT seq FROM deliveries WHERE created_at >= 0 AND created_at < ? ORDER BY created_at LIMIT ?)",
    )
    .bind(micros(retention.since))
    .bind(limit)
    .execute(&mut *conn)
    .await?
    .rows_affected();
    let webhooks: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT id FROM webhooks WHERE typeof(id) = 'blob'")
            .fetch_all(&mut *conn)
            .await?;
    for webhook in webhooks {
        let left = u64::from(limit).saturating_sub(pruned);
        if left == 0 {
            break;
        }
        pruned += sqlx::query(
            "DELETE FROM deliveries WHERE seq IN (SELECT seq FROM deliveries WHERE webhook = ?1 AND due_at IS NULL \
             AND seq <= (SELECT seq FROM deliveries WHERE webhook = ?1 AND due_at IS NULL \
             ORDER BY seq DESC LIMIT 1 OFFSET ?2) ORDER BY seq LIMIT ?3)",
        )
        .bind(webhook)
        .bind(retention.per_subscription)
        .bind(i64::try_from(left).unwrap_or(i64::MAX))
        .execute(&mut *conn)
        .await?
        .rows_affected();
    }
    Ok(pruned)
}

const STATUSES: [(&str, Status); 3] = [
    ("waiting", Status::Waiting),
    ("delivered", Status::Delivered),
    ("failed", Status::Failed),
];

pub(in crate::sqlite) fn read(row: &SqliteRow) -> Result<Delivery, Error> {
    Ok(Delivery {
        id: row.read("id")?,
        subscription: row.id("webhook", SubscriptionId)?,
        kind: row.read("kind")?,
        attempts: row.int("attempts")?,
        status: row.word("status", &STATUSES)?,
        response: row.read("response")?,
        created_at: row.time("created_at")?,
        due_at: row.time_opt("due_at")?,
    })
}
