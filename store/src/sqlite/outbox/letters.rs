//! Letters that come, those that give way to them, and those that are forgotten.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_delivery::{Fate, Keep, Letter, NewLetter, Room, SubscriptionId};
use tenterhook_dispatch::Error;
use uuid::Uuid;

use super::super::convert::{Read as _, micros};

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    new: &[NewLetter],
    room: &Room,
) -> Result<Vec<(SubscriptionId, u64)>, sqlx::Error> {
    let mut gave_way = Vec::new();
    for letter in new {
        sqlx::query(
            "INSERT INTO letters (id, webhook, kind, attempts, fate, body, created_at, due_at) \
             SELECT ?1, id, ?3, 0, 'waiting', ?4, ?5, ?5 FROM webhooks WHERE id = ?2 \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(letter.id)
        .bind(letter.subscription.0)
        .bind(&letter.kind)
        .bind(&letter.body)
        .bind(micros(letter.created_at))
        .execute(&mut *conn)
        .await?;
    }
    let mut to: Vec<_> = new.iter().map(|letter| letter.subscription).collect();
    to.sort_unstable();
    to.dedup();
    for id in to {
        let letters = sqlx::query(
            "UPDATE letters SET fate = 'failed', said = ?3, due_at = NULL, body = NULL \
             WHERE webhook = ?1 AND due_at IS NOT NULL AND seq <= \
             (SELECT seq FROM letters INDEXED BY letters_waiting WHERE webhook = ?1 AND due_at IS NOT NULL \
             ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
        )
        .bind(id.0)
        .bind(room.most)
        .bind(room.said)
        .execute(&mut *conn)
        .await?
        .rows_affected();
        if letters > 0 {
            gave_way.push((id, letters));
        }
    }
    Ok(gave_way)
}

pub(super) async fn forget(
    conn: &mut SqliteConnection,
    keep: Keep,
    limit: u32,
) -> Result<u64, sqlx::Error> {
    let mut forgotten = sqlx::query(
        "DELETE FROM letters WHERE seq IN \
         (SELECT seq FROM letters WHERE created_at < ? ORDER BY created_at LIMIT ?)",
    )
    .bind(micros(keep.since))
    .bind(limit)
    .execute(&mut *conn)
    .await?
    .rows_affected();
    let webhooks: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM webhooks")
        .fetch_all(&mut *conn)
        .await?;
    for webhook in webhooks {
        let left = u64::from(limit).saturating_sub(forgotten);
        if left == 0 {
            break;
        }
        forgotten += sqlx::query(
            "DELETE FROM letters WHERE seq IN (SELECT seq FROM letters WHERE webhook = ?1 AND due_at IS NULL \
             AND seq <= (SELECT seq FROM letters WHERE webhook = ?1 AND due_at IS NULL \
             ORDER BY seq DESC LIMIT 1 OFFSET ?2) ORDER BY seq LIMIT ?3)",
        )
        .bind(webhook)
        .bind(keep.per_subscription)
        .bind(i64::try_from(left).unwrap_or(i64::MAX))
        .execute(&mut *conn)
        .await?
        .rows_affected();
    }
    Ok(forgotten)
}

pub(super) fn read(row: &SqliteRow) -> Result<Letter, Error> {
    Ok(Letter {
        id: row.read("id")?,
        subscription: row.id("webhook", SubscriptionId)?,
        kind: row.read("kind")?,
        attempts: row.int("attempts")?,
        fate: match row.read("fate")? {
            "waiting" => Fate::Waiting,
            "delivered" => Fate::Delivered,
            _ => Fate::Failed,
        },
        said: row.read("said")?,
        created_at: row.time("created_at")?,
        due_at: row.time_opt("due_at")?,
    })
}
