//! Copies of a database: one that is taken while a server uses it, and one that is put
//! into the place of a new server's.
//!
//! A copy is a whole SQLite file without a log. It is written beside its place and moved
//! there when it is on the disk, so what has the name is complete. It holds no secrets of
//! tokens, which the database has not got either.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use uuid::Uuid;

use crate::error::Error;
use crate::sqlite::schema::{self, Version};

/// Copies the database at `from` as it is at this moment. Others may go on writing: they
/// are not waited for, and do not wait.
///
/// # Errors
///
/// [`Error::Exists`], [`Error::Unusable`], [`Error::Copy`].
pub async fn backup(from: &Path, to: &Path) -> Result<(), Error> {
    let mut conn = open(from).await?;
    copy(&mut conn, to).await
}

/// Writes what a database holds into a file of its own: through the database, since a log
/// may lie beside it that has the most of it.
async fn copy(conn: &mut SqliteConnection, to: &Path) -> Result<(), Error> {
    write(to, async |part: &Path| {
        let name = part.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
        sqlx::query("VACUUM INTO ?")
            .bind(name)
            .execute(&mut *conn)
            .await
            .map(|_| ())
            .map_err(io::Error::other)
    })
    .await
}

/// Puts a backup into the place of a database that is not there yet.
///
/// # Errors
///
/// [`Error::Exists`]; [`Error::Unusable`] if it is damaged, not ours or too new;
/// [`Error::Copy`].
pub async fn restore(from: &Path, to: &Path) -> Result<(), Error> {
    let mut conn = open(from).await?;
    let faults: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_all(&mut conn)
        .await
        .map_err(|error| Error::unusable(from, error))?;
    if faults != ["ok"] {
        return Err(Error::unusable(from, faults.join("; ")));
    }
    copy(&mut conn, to).await
}

/// Opens a database to read it, if it is one of ours that this version knows.
pub(crate) async fn open(path: &Path) -> Result<SqliteConnection, Error> {
    let unusable = |error: sqlx::Error| Error::unusable(path, error);
    let mut conn = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(crate::sqlite::BUSY_TIMEOUT)
        .pragma("temp_store", "memory")
        .disable_statement_logging()
        .connect()
        .await
        .map_err(unusable)?;
    match schema::version(&mut conn).await.map_err(unusable)? {
        // A server that opens it brings it up to date, and repairs what notes that.
        Version::Is(1..) | Version::Damaged(_) => Ok(conn),
        Version::Newer => Err(Error::newer(path)),
        Version::Is(_) | Version::Unknown => Err(Error::no_schema(path)),
    }
}

/// Creates a file that is complete or not there, for its owner alone.
async fn write(to: &Path, fill: impl AsyncFnOnce(&Path) -> io::Result<()>) -> Result<(), Error> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists { path: to.into() },
        _ => Error::Copy {
            path: to.into(),
            source,
        },
    };
    if to.symlink_metadata().is_ok() {
        return Err(Error::Exists { path: to.into() });
    }
    let part = part_of(to);
    let made = async {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part)?;
        fill(&part).await?;
        File::open(&part)?.sync_all()?;
        // Unlike renaming, linking replaces nothing; but not every file system can.
        match fs::hard_link(&part, to) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(&part, to)?,
            linked => linked?,
        }
        let folder = to.parent().filter(|folder| *folder != Path::new(""));
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
    .await;
    let _gone = fs::remove_file(&part);
    made.map_err(failed)
}

/// A name beside the file that no other copy has, be it to the same file: `….<random>.part`.
/// One that was broken off leaves it behind; nothing takes it for a database.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.part", Uuid::new_v4().simple()));
    name.into()
}
