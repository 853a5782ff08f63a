//! An outcome that cannot be stored because its row is damaged: it holds what the database does
//! not accept again with any change.
//!
//! It would fail at every attempt, and everything that waits for it would wait for ever. So the
//! task is set aside: its outcome is lost, which is logged, and it shows as failed.

use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{Error, Settlement, TaskChange, TaskId};

use super::{DOING, write};
use crate::sqlite::convert::{begin_part, cannot, end_part};
use crate::sqlite::set_aside;

/// Records as much as possible of one settlement that has failed, and sets its task aside.
pub(in crate::sqlite) async fn record_what_can_be(
    conn: &mut SqliteConnection,
    (account, settlement): &(i64, Settlement),
    damage: String,
) -> Result<(), Error> {
    let seq = seq(conn, *account, settlement.task).await?;
    tracing::error!(
        task.id = %settlement.task,
        task.seq = seq,
        reason = damage,
        "an outcome cannot be stored and is lost: its task is damaged, and was set aside"
    );
    let Some(seq) = seq else {
        return Ok(());
    };
    let reason = format!(
        "it is damaged in the database, and its outcome could not be stored: {damage}; redrive it once it is repaired"
    );
    let now = tenterhook_dispatch::now();
    set_aside::note(conn, seq, &reason, now).await?;
    if let Some(attempt) = &settlement.execution {
        begin_part(conn, DOING).await?;
        let written = write(conn, &[(*account, attempt)]).await;
        end_part(conn, written, DOING).await?;
    }
    match settlement.task_change {
        TaskChange::None => Ok(()),
        TaskChange::Ended { .. } | TaskChange::Parked { .. } => {
            set_aside::end(conn, seq, &reason, now).await
        }
    }
}

/// Ends what waits of a task of which something was set aside while others of it ran: no node
/// would claim it. Returns whether it is such a task.
pub(super) async fn end_set_aside(
    conn: &mut SqliteConnection,
    account: i64,
    task: TaskId,
) -> Result<bool, Error> {
    let Some(seq) = seq(conn, account, task).await? else {
        return Ok(false);
    };
    let Some(reason) = set_aside::reason(conn, seq).await? else {
        return Ok(false);
    };
    set_aside::end(conn, seq, &reason, tenterhook_dispatch::now()).await?;
    Ok(true)
}

/// Where a task is stored.
async fn seq(
    conn: &mut SqliteConnection,
    account: i64,
    task: TaskId,
) -> Result<Option<i64>, Error> {
    sqlx::query_scalar("SELECT seq FROM tasks WHERE account = ? AND id = ?")
        .bind(account)
        .bind(task.as_uuid())
        .fetch_optional(conn)
        .await
        .map_err(cannot(DOING))
}
