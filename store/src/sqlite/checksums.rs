//! Checksums of sources that were kept before there were any.
//!
//! SQL cannot make them, so a migration leaves them out and opening the store
//! fills them in, once.

use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::checksum;

use super::convert::breaks_the_schema;

/// Programs whose checksums are made durable together: enough to divide the
/// commit's cost to nothing, few enough that little is done twice after a crash.
const GROUP: i64 = 64;

/// Fills in all checksums that are missing. Those of sources that are damaged, or whose
/// programs are, stay missing: such a source cannot be read.
pub(super) async fn fill(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut last = Vec::new();
    loop {
        let digests: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT DISTINCT digest FROM sources WHERE base64_md5 IS NULL AND typeof(digest) = 'blob' \
             AND digest > ? ORDER BY digest LIMIT ?",
        )
        .bind(&last)
        .bind(GROUP)
        .fetch_all(&mut *conn)
        .await?;
        let Some(end) = digests.last() else {
            return Ok(());
        };
        last = end.clone();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *conn).await?;
        for digest in digests {
            let program = sqlx::query(
                "SELECT bytes FROM programs WHERE digest = ? AND typeof(bytes) = 'blob'",
            )
            .bind(&digest)
            .fetch_optional(&mut *conn)
            .await?;
            let Some(program) = program else {
                continue;
            };
            let filled = sqlx::query(
                "UPDATE sources SET base64_md5 = ? WHERE digest = ? AND base64_md5 IS NULL",
            )
            .bind(checksum(program.try_get(0)?))
            .bind(&digest)
            .execute(&mut *conn)
            .await;
            match filled {
                Err(error) if !breaks_the_schema(&error) => return Err(error),
                _ => {}
            }
        }
        sqlx::query("COMMIT").execute(&mut *conn).await?;
    }
}
