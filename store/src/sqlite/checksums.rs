//! Checksums of sources that were kept before there were any.
//!
//! SQL cannot make them, so a migration leaves them out and opening the store
//! fills them in, once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

/// Programs whose checksums are made durable together: enough to divide the
/// commit's cost to nothing, few enough that little is done twice after a crash.
const GROUP: i64 = 64;

/// Bytes that are turned to base64 at a time; a multiple of three, so that no
/// padding comes between.
const PIECE: usize = 3 * 4_096;

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

/// The MD5, in lower-case hexadecimal digits, of the standard base64 of `bytes`.
fn base64_md5(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    let mut md5 = Md5::new();
    for piece in bytes.chunks(PIECE) {
        md5.update(STANDARD.encode(piece));
    }
    let mut text = String::with_capacity(32);
    for byte in md5.finalize() {
        write!(text, "{byte:02x}").expect("a string takes all that is written");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // What `base64 -w 0 | md5sum` says.
    #[test]
    fn the_checksum_is_that_of_the_base64_text() {
        assert_eq!(base64_md5(b"echo hi\n"), "a3bae7e442bc3e8db3f2c99d87c4623c");
        assert_eq!(base64_md5(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(
            base64_md5(&[b'x'; PIECE * 2 + 1]),
            "f5e583c15d9f69e5e4a9b47276bd60db"
        );
    }
}
