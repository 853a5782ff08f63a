//! The rows of subscriptions.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_delivery::{Secret, Subscription, SubscriptionId};
use tenterhook_dispatch::Error;

use super::super::convert::{Read as _, json, micros, unreadable};

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    account: i64,
    new: &Subscription,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO webhooks (id, account, url, events, project, secret, enabled, paused_until, created_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.id.0)
    .bind(account)
    .bind(&new.url)
    .bind(json(&new.events))
    .bind(&new.project)
    .bind(new.secret.as_bytes())
    .bind(new.enabled)
    .bind(new.paused_until.map(micros))
    .bind(micros(new.created_at))
    .execute(conn)
    .await
    .map(|_| ())
}

pub(in crate::sqlite) fn read(row: &SqliteRow) -> Result<Subscription, Error> {
    Ok(Subscription {
        id: row.id("id", SubscriptionId)?,
        account: row.id("account_id", |id| id)?,
        url: row.read("url")?,
        events: row.json("events")?,
        project: row.read("project")?,
        secret: Secret::from_bytes(row.read("secret")?)
            .map_err(|source| unreadable("secret", source))?,
        enabled: row.bool("enabled")?,
        // It is a wait: one that cannot be read has ended.
        paused_until: row.time_opt("paused_until").unwrap_or_default(),
        created_at: row.time("created_at")?,
    })
}
