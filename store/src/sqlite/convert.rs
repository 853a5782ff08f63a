//! How values stand in columns, and how the database's errors become dispatch's.

use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::ValueRef as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{Error, Number, Unavailable};
use tenterhook_engine::Digest;
use time::OffsetDateTime;
use uuid::Uuid;

/// Microseconds since 1970.
pub(super) fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000)
        .expect("a date of this calendar has 64-bit microseconds")
}

/// The last microsecond of the year 9999. No clock of ours shows more, nor anything before
/// 1970, so other numbers are not times; most of them could not be written as text either.
pub(super) const LATEST_TIME: i64 = 253_402_300_799_999_999;

/// The time that `micros` stands for in a column.
fn time(column: &'static str, micros: i64) -> Result<OffsetDateTime, Error> {
    if !(0..=LATEST_TIME).contains(&micros) {
        return Err(unreadable(column, Impossible(micros.to_string())));
    }
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
        .map_err(|source| unreadable(column, source))
}

/// The microseconds of a wait.
pub(super) fn wait_micros(wait: Duration) -> i64 {
    i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)
}

/// The longest wait that can be asked for: a day. Longer ones are never written.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A value that is never written.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is never written there")]
pub(super) struct Impossible(pub(super) String);

/// The JSON text of a value that cannot fail to have one.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("stored values hold nothing that JSON cannot say")
}

/// A column that does not hold what was written there.
pub(super) fn unreadable(
    column: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::Store {
        doing: "read the database",
        source: Box::new(Unreadable {
            column,
            source: Box::new(source),
        }),
    }
}

/// A column does not hold what was written there.
#[derive(Debug, thiserror::Error)]
#[error("{column} is not readable: {source}")]
struct Unreadable {
    column: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// `SQLITE_CORRUPT`, the low byte of all its kinds.
const CORRUPT: i64 = 11;

/// Whether `error` says that a page of the database is damaged.
pub(super) fn is_corrupt(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(CORRUPT)
}

/// Whether `error` is about the row that was read rather than about the database:
/// reading it again cannot succeed, and reading others can.
pub(super) fn is_damage(error: &Error) -> bool {
    let Error::Store { source, .. } = error else {
        return false;
    };
    match source.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::RowNotFound) => true,
        Some(error) => is_corrupt(error),
        None => source.is::<Unreadable>(),
    }
}

/// Whether `error` is about the row that was to be changed: its other columns hold what the
/// schema does not allow, so that no change of it can succeed.
pub(super) fn is_damaged_target(error: &Error) -> bool {
    let Error::Store { source, .. } = error else {
        return false;
    };
    is_damage(error) || source.downcast_ref().is_some_and(breaks_the_schema)
}

/// Whether `error` is about a row that has values which its columns do not allow, so that the
/// database takes no change of it. Other rows can be changed in the same transaction still;
/// after a damaged page nothing can.
pub(super) fn is_unwritable(error: &Error) -> bool {
    let Error::Store { source, .. } = error else {
        return false;
    };
    source.downcast_ref().is_some_and(breaks_the_schema)
}

/// Whether `error` says that a row would have values that its columns do not allow.
pub(super) fn breaks_the_schema(error: &sqlx::Error) -> bool {
    /// `SQLITE_CONSTRAINT_CHECK`, `…_NOTNULL` and `…_DATATYPE`.
    const KINDS: [i64; 3] = [275, 1_299, 3_091];
    code(error).is_some_and(|code| KINDS.contains(&code))
}

fn code(error: &sqlx::Error) -> Option<i64> {
    error.as_database_error()?.code()?.parse().ok()
}

/// The cause of an error that [`is_damage`] is true of, on one line.
pub(super) fn damage(error: &Error) -> String {
    match error {
        Error::Store { source, .. } => source.to_string(),
        error => error.to_string(),
    }
}

/// Carries out a statement that has no values and no rows.
pub(super) async fn execute(
    conn: &mut SqliteConnection,
    sql: &'static str,
    doing: &'static str,
) -> Result<(), Error> {
    sqlx::query(sql)
        .execute(conn)
        .await
        .map(|_| ())
        .map_err(cannot(doing))
}

/// Begins a change that a damaged row may not take; [`end_part`] keeps or undoes it.
pub(super) async fn begin_part(
    conn: &mut SqliteConnection,
    doing: &'static str,
) -> Result<(), Error> {
    execute(conn, "SAVEPOINT part", doing).await
}

/// Keeps a change, or undoes it if it failed because of a damaged row. Returns whether it was
/// kept.
pub(super) async fn end_part(
    conn: &mut SqliteConnection,
    done: Result<(), Error>,
    doing: &'static str,
) -> Result<bool, Error> {
    let is_kept = match done {
        Ok(()) => true,
        Err(error) if is_unwritable(&error) => false,
        Err(error) => return Err(error),
    };
    if !is_kept {
        execute(conn, "ROLLBACK TO part", doing).await?;
    }
    execute(conn, "RELEASE part", doing).await?;
    Ok(is_kept)
}

/// Turns the database's error into dispatch's.
pub(super) fn cannot(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| match unavailable(&source) {
        None => Error::store(doing, source),
        Some(why) => Error::Unavailable {
            doing,
            why,
            source: source.into(),
        },
    }
}

/// Why the database cannot do anything of the kind at the moment, if that is known.
fn unavailable(error: &sqlx::Error) -> Option<Unavailable> {
    match primary_code(error)? {
        // SQLITE_BUSY, SQLITE_LOCKED.
        5 | 6 => Some(Unavailable::Locked),
        // SQLITE_INTERRUPT: only readers are interrupted.
        9 => Some(Unavailable::TooLong),
        // SQLITE_FULL.
        13 => Some(Unavailable::DiskFull),
        _ => None,
    }
}

/// The database's own number of what went wrong, without its details.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<i64> {
    let sqlx::Error::Database(error) = error else {
        return None;
    };
    Some(error.code()?.parse::<i64>().ok()? & 0xff)
}

/// Whether `error` says that another row has the same values in `columns`,
/// which are named as `SQLite` does: `table.column, table.column`.
pub(super) fn is_taken(error: &sqlx::Error, columns: &str) -> bool {
    error.as_database_error().is_some_and(|error| {
        error.is_unique_violation()
            && error.message().strip_prefix("UNIQUE constraint failed: ") == Some(columns)
    })
}

/// Whether `error` says that a row which it refers to is missing.
pub(super) fn is_missing(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.is_foreign_key_violation())
}

/// What a column is read as.
///
/// NULL has to be asked for: the driver reads it as 0 or as nothing, and a switch that was
/// lost would be one that is off.
pub(super) trait Cell<'r>:
    sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>
{
    /// Whether it has a value for NULL.
    const TAKES_NULL: bool = false;
}

impl Cell<'_> for i64 {}
impl Cell<'_> for i32 {}
impl Cell<'_> for u32 {}
impl Cell<'_> for String {}
impl Cell<'_> for Vec<u8> {}
impl Cell<'_> for Uuid {}
impl<'r> Cell<'r> for &'r str {}
impl<'r> Cell<'r> for &'r [u8] {}
impl<'r, T: Cell<'r>> Cell<'r> for Option<T> {
    const TAKES_NULL: bool = true;
}

/// Reads columns by name, in the types of the nouns.
pub(super) trait Read {
    /// A column as the database's own type.
    fn read<'r, T: Cell<'r>>(&'r self, column: &'static str) -> Result<T, Error>;

    /// An integer as one that fits the noun.
    fn int<T: TryFrom<i64, Error = std::num::TryFromIntError>>(
        &self,
        column: &'static str,
    ) -> Result<T, Error>;

    /// A text that parses.
    fn parsed<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
        &self,
        column: &'static str,
    ) -> Result<T, Error>;

    /// A JSON text.
    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error>;

    /// A JSON text, or nothing.
    fn json_opt<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>, Error>;

    /// A UUID in an identifier's type.
    fn id<T>(&self, column: &'static str, wrap: impl FnOnce(Uuid) -> T) -> Result<T, Error> {
        self.read(column).map(wrap)
    }

    /// A UUID in an identifier's type, or nothing.
    fn id_opt<T>(
        &self,
        column: &'static str,
        wrap: impl FnOnce(Uuid) -> T,
    ) -> Result<Option<T>, Error> {
        self.read::<Option<Uuid>>(column).map(|id| id.map(wrap))
    }

    /// A switch.
    fn bool(&self, column: &'static str) -> Result<bool, Error> {
        match self.read::<i64>(column)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(unreadable(column, Impossible(other.to_string()))),
        }
    }

    /// A number, which is positive.
    fn number(&self, column: &'static str) -> Result<Number, Error> {
        match self.int::<i32>(column)? {
            number if number > 0 => Ok(Number::new(number)),
            other => Err(unreadable(column, Impossible(other.to_string()))),
        }
    }

    /// One of a few words.
    fn word<T: Copy>(&self, column: &'static str, words: &[(&str, T)]) -> Result<T, Error> {
        let text: &str = self.read(column)?;
        let known = words.iter().find(|(word, _)| *word == text);
        known
            .map(|(_, value)| *value)
            .ok_or_else(|| unreadable(column, Impossible(text.to_owned())))
    }

    /// A time.
    fn time(&self, column: &'static str) -> Result<OffsetDateTime, Error> {
        time(column, self.read(column)?)
    }

    /// A time, or nothing.
    fn time_opt(&self, column: &'static str) -> Result<Option<OffsetDateTime>, Error> {
        self.read::<Option<i64>>(column)?
            .map(|micros| time(column, micros))
            .transpose()
    }

    /// How long something waits, or nothing.
    fn wait_opt(&self, column: &'static str) -> Result<Option<Duration>, Error> {
        let Some(micros) = self.read::<Option<i64>>(column)? else {
            return Ok(None);
        };
        let wait = u64::try_from(micros).map(Duration::from_micros).ok();
        wait.filter(|wait| *wait <= LONGEST_WAIT)
            .map(Some)
            .ok_or_else(|| unreadable(column, Impossible(micros.to_string())))
    }

    /// A SHA-256.
    fn digest(&self, column: &'static str) -> Result<Digest, Error> {
        let bytes: &[u8] = self.read(column)?;
        <[u8; 32]>::try_from(bytes)
            .map(Digest::from_bytes)
            .map_err(|source| unreadable(column, source))
    }
}

impl Read for SqliteRow {
    fn read<'r, T: Cell<'r>>(&'r self, column: &'static str) -> Result<T, Error> {
        let failed = |source| unreadable(column, source);
        let is_null = sqlx::Row::try_get_raw(self, column)
            .map_err(failed)?
            .is_null();
        if is_null && !T::TAKES_NULL {
            return Err(unreadable(column, Impossible("NULL".to_owned())));
        }
        sqlx::Row::try_get(self, column).map_err(failed)
    }

    fn int<T: TryFrom<i64, Error = std::num::TryFromIntError>>(
        &self,
        column: &'static str,
    ) -> Result<T, Error> {
        T::try_from(self.read::<i64>(column)?).map_err(|source| unreadable(column, source))
    }

    fn parsed<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
        &self,
        column: &'static str,
    ) -> Result<T, Error> {
        self.read::<&str>(column)?
            .parse()
            .map_err(|source| unreadable(column, source))
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error> {
        serde_json::from_str(self.read(column)?).map_err(|source| unreadable(column, source))
    }

    fn json_opt<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>, Error> {
        self.read::<Option<&str>>(column)?
            .map(|text| serde_json::from_str(text).map_err(|source| unreadable(column, source)))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use super::*;

    #[tokio::test]
    async fn null_is_read_as_damage_and_not_as_false_or_empty() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let row = sqlx::query("SELECT NULL AS cell")
            .fetch_one(&mut conn)
            .await
            .unwrap();
        for damaged in [
            row.bool("cell").map(drop),
            row.int::<u64>("cell").map(drop),
            row.read::<&str>("cell").map(drop),
            row.read::<Vec<u8>>("cell").map(drop),
            row.id("cell", drop),
        ] {
            assert!(is_damage(&damaged.unwrap_err()));
        }
        assert_eq!(row.read::<Option<i64>>("cell").unwrap(), None);
    }
}
