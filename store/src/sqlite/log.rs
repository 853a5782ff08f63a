//! Keeping the write-ahead log short.
//!
//! Each commit that finds 16 MiB in the log copies it into the database, and the log
//! begins again as soon as no reader is on it. Where one always is, it would
//! grow on: then this waits for a moment without readers, and cuts it. It is not how
//! anything becomes durable.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use tenterhook_dispatch::Error;

use super::convert::cannot;

/// A log that is longer than this is cut.
pub(super) const MOST: u64 = 64 << 20;

/// How long readers are waited for, while writers wait too; the next sweep tries again.
const PATIENCE: Duration = Duration::from_millis(200);

/// The log of a database.
#[derive(Clone)]
pub(super) struct Log {
    file: Arc<PathBuf>,
    options: SqliteConnectOptions,
}

impl Log {
    pub(super) fn of(database: &Path, options: &SqliteConnectOptions) -> Self {
        let mut file = database.as_os_str().to_owned();
        file.push("-wal");
        Self {
            file: Arc::new(file.into()),
            options: options.clone().busy_timeout(PATIENCE),
        }
    }

    /// Cuts the log if it has become long.
    pub(super) async fn cut(&self) -> Result<(), Error> {
        const DOING: &str = "cut the log";
        let length = self.file.metadata().map_or(0, |log| log.len());
        if length <= MOST {
            return Ok(());
        }
        // Neither the writer, which has a transaction open, nor a reader could do it.
        let mut conn = self.options.connect().await.map_err(cannot(DOING))?;
        let busy: i64 = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut conn)
            .await
            .map_err(cannot(DOING))?;
        if busy != 0 {
            tracing::debug!(length, "the log cannot be truncated while it is being read");
        }
        Ok(())
    }
}
