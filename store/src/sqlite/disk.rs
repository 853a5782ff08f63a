//! What each account has on the disk, as the triggers of the schema have counted it.

use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{AccountId, Error};

use super::convert::{Read as _, cannot};

pub(super) async fn usage(conn: &mut SqliteConnection) -> Result<Vec<(AccountId, u64)>, Error> {
    sqlx::query(
        "SELECT accounts.id AS id, disk.bytes AS bytes FROM disk JOIN accounts ON accounts.number = disk.account",
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(cannot("read what accounts have on the disk"))?
    .iter()
    .map(|row| Ok((row.id("id", AccountId::from_uuid)?, row.int("bytes")?)))
    .collect()
}
