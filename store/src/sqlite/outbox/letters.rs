//! Letters that come, those that give way to them, and those that are forgotten.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_delivery::{Fate, Keep, Letter, NewLetter, Room, SubscriptionId};
use tenterhook_dispatch::Error;

use super::super::convert::{LATEST_TIME, Read as _, breaks_the_schema, micros};

pub(super) async fn insert(
    conn: &mut SqliteConnection,
    new: &[NewLetter],
    room: &Room,
) -> Result<Vec<(SubscriptionId, u64)>, sqlx::Error> {
    let mut gave_way = Vec::new();
    for letter in new {
        sqlx::query(
            "INSERT INTO letters (id, webhook, kind, attempts, fate, said, body, created_at, due_at) \
             SELECT ?1, id, ?3, 0, CASE WHEN ?6 IS NULL THEN 'waiting' ELSE 'failed' END, ?6, \
             CASE WHEN ?6 IS NULL THEN ?4 END, ?5, CASE WHEN ?6 IS NULL THEN ?7 END FROM webhooks WHERE id = ?2 \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(letter.id)
        .bind(letter.subscription.0)
        .bind(&letter.kind)
        .bind(&letter.body)
        .bind(micros(letter.created_at))
        .bind(letter.refused.as_deref())
        .bind(micros(letter.due_at))
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

/// How long a row was to wait, by its own column, or at most `$else` if that is not known or
/// cannot be read.
macro_rules! lasting {
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

/// Shortens waits that end later than they were to last from `now` on. A time that cannot be
/// one is later than all others; a pause until such a time is over.
pub(super) async fn shorten_waits(
    conn: &mut SqliteConnection,
    now: i64,
) -> Result<(), sqlx::Error> {
    const PAUSES: &str = concat!(
        "UPDATE webhooks SET paused_until = CASE WHEN paused_until BETWEEN 0 AND ?2 THEN ",
        lasting!("pause_us", "?1 + 86400000000"),
        " ELSE 0 END WHERE paused_until > ",
        lasting!("pause_us", "?1 + 86400000000")
    );
    const UNTRIED: &str =
        "UPDATE letters SET due_at = ?1 WHERE due_at > ?1 AND (attempts = 0 OR due_at > ?2)";
    const TRIED: &str = concat!(
        "UPDATE letters SET due_at = found.latest FROM (SELECT letters.seq AS own, ",
        lasting!(
            "letters.wait_us",
            "max(?1 + 3600000000, coalesce(webhooks.paused_until, 0))"
        ),
        " AS latest FROM letters JOIN webhooks ON webhooks.id = letters.webhook \
         WHERE letters.due_at BETWEEN ?1 AND ?2) AS found \
         WHERE letters.seq = found.own AND letters.due_at > found.latest"
    );
    for sql in [PAUSES, UNTRIED, TRIED] {
        write(conn, sql, &[now, LATEST_TIME]).await?;
    }
    Ok(())
}

/// Changes rows; none of them if one is damaged, which is told when it is read.
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
            tracing::error!(%error, "the waits of webhooks cannot be put right: a row is damaged");
            Ok(())
        }
        done => done.map(|_| ()),
    }
}

pub(super) async fn forget(
    conn: &mut SqliteConnection,
    keep: Keep,
    limit: u32,
) -> Result<u64, sqlx::Error> {
    let mut forgotten = sqlx::query(
        "DELETE FROM letters WHERE seq IN \
         (SELECT seq FROM letters WHERE created_at >= 0 AND created_at < ? ORDER BY created_at LIMIT ?)",
    )
    .bind(micros(keep.since))
    .bind(limit)
    .execute(&mut *conn)
    .await?
    .rows_affected();
    let webhooks: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT id FROM webhooks WHERE typeof(id) = 'blob'")
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

const FATES: [(&str, Fate); 3] = [
    ("waiting", Fate::Waiting),
    ("delivered", Fate::Delivered),
    ("failed", Fate::Failed),
];

pub(in crate::sqlite) fn read(row: &SqliteRow) -> Result<Letter, Error> {
    Ok(Letter {
        id: row.read("id")?,
        subscription: row.id("webhook", SubscriptionId)?,
        kind: row.read("kind")?,
        attempts: row.int("attempts")?,
        fate: row.word("fate", &FATES)?,
        said: row.read("said")?,
        created_at: row.time("created_at")?,
        due_at: row.time_opt("due_at")?,
    })
}
