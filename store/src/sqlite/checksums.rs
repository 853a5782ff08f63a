//! Checksums of sources that were kept before there were any.
//!
//! SQL cannot make them, so a migration leaves them out and opening the store
//! fills them in, once.

use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::base64_md5;

/// Programs whose checksums are made durable together: enough to divide the
/// commit's cost to nothing, few enough that little is done twice after a crash.
const GROUP: i64 = 64;

/// Fills in all checksums that are missing.
pub(super) async fn fill(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    loop {
        let digests: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT DISTINCT digest FROM sources WHERE base64_md5 IS NULL LIMIT ?",
        )
        .bind(GROUP)
        .fetch_all(&mut *conn)
        .await?;
        if digests.is_empty() {
            return Ok(());
        }
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *conn).await?;
        for digest in digests {
            let program = sqlx::query("SELECT bytes FROM programs WHERE digest = ?")
                .bind(&digest)
                .fetch_one(&mut *conn)
                .await?;
            sqlx::query(
                "UPDATE sources SET base64_md5 = ? WHERE digest = ? AND base64_md5 IS NULL",
            )
            .bind(base64_md5(program.try_get(0)?))
            .bind(&digest)
            .execute(&mut *conn)
            .await?;
        }
        sqlx::query("COMMIT").execute(&mut *conn).await?;
    }
}
