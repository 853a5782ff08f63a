//! Giving freed pages back to the file system.
//!
//! A database has `auto_vacuum = INCREMENTAL` from its first page on, and gives some
//! pages back with each sweep. One that an older version has made is rewritten once for
//! that. The log is not its matter: checkpoints cut that.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tenterhook_dispatch::{Cause, Error};

use super::convert::cannot;

const DOING: &str = "give disk space back";

/// `PRAGMA auto_vacuum` of a file that gives pages back on request.
const INCREMENTAL: i64 = 2;

/// Freed pages that stay in the file for what is written next: 4 MiB.
const KEPT: i64 = 1_024;

/// Pages that one step gives back: each may have to be moved, which is 8 MiB of log.
const STEP: i64 = 2_048;

/// Gives some freed pages back. Returns how many; none where there are few.
pub(super) async fn step(conn: &mut SqliteConnection) -> Result<u64, Error> {
    let free = free(conn).await?;
    if free < KEPT + STEP {
        return Ok(0);
    }
    sqlx::query("PRAGMA incremental_vacuum(2048)")
        .execute(&mut *conn)
        .await
        .map_err(cannot(DOING))?;
    let left = self::free(conn).await?;
    Ok(u64::try_from(free - left).unwrap_or(0))
}

async fn free(conn: &mut SqliteConnection) -> Result<i64, Error> {
    sqlx::query_scalar("PRAGMA freelist_count")
        .fetch_one(conn)
        .await
        .map_err(cannot(DOING))
}

/// Rewrites a database that cannot give pages back, and returns a connection to what
/// there is then. Where that cannot be done it stays unchanged, and is used.
///
/// No other connection may be open.
pub(super) async fn enable(
    mut conn: SqliteConnection,
    path: &Path,
    options: &SqliteConnectOptions,
) -> Result<SqliteConnection, sqlx::Error> {
    let mode: i64 = sqlx::query_scalar("PRAGMA auto_vacuum")
        .fetch_one(&mut conn)
        .await?;
    if mode == INCREMENTAL {
        return Ok(conn);
    }
    tracing::info!("rewriting the database once, so that it returns disk space from now on");
    let new = beside(path, ".compact");
    let rewritten = rewrite(&mut conn, &new).await;
    // The last connection takes the log with it.
    conn.close().await?;
    if let Err(error) = rewritten.and_then(|()| replace(path, &new)) {
        let _gone = remove(&new);
        tracing::warn!(
            error = &*error,
            "the database could not be rewritten: it goes on, but keeps the disk space that it has; free as \
             much as it has and start again"
        );
    }
    options.connect().await
}

/// `VACUUM INTO` needs no more memory than its cache, and a crash leaves the old file as
/// it was.
async fn rewrite(conn: &mut SqliteConnection, new: &Path) -> Result<(), Cause> {
    remove(new)?;
    let new = new.to_str().ok_or("its path is not UTF-8")?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut *conn)
        .await?;
    sqlx::query("PRAGMA auto_vacuum = INCREMENTAL")
        .execute(&mut *conn)
        .await?;
    sqlx::query("VACUUM INTO ?")
        .bind(new)
        .execute(&mut *conn)
        .await?;
    Ok(())
}

/// Puts the new file into the place of the old one, durably.
fn replace(path: &Path, new: &Path) -> Result<(), Cause> {
    // A log belongs to the file that it was written for.
    match fs::metadata(beside(path, "-wal")) {
        Ok(log) if log.len() > 0 => return Err("another process has it open".into()),
        _ => {}
    }
    File::open(new)?.sync_all()?;
    fs::rename(new, path)?;
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
