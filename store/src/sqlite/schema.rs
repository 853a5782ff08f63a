//! Which version of the schema a database has: according to the table of migrations, and,
//! where that is damaged, to the schema itself.
//!
//! The table only notes what was done. What it notes stands in the schema as well, so a note
//! that was damaged is written again, and the server starts.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Row as _};

use super::convert::is_corrupt;
use super::migrations::{LATEST, migrator};

/// The version of a database, as far as it can be determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// All migrations up to this one, 0 for none: it is empty.
    Is(i64),
    /// A newer server has written it.
    Newer,
    /// Its table of migrations is damaged. The schema is that of this version.
    Damaged(i64),
    /// It is not a schema of ours, or one that was damaged itself.
    Unknown,
}

/// One object of the schema, as the database keeps it.
type Object = (String, String, String, Option<String>);

/// Reads the version of a database.
pub(crate) async fn version(conn: &mut SqliteConnection) -> Result<Version, sqlx::Error> {
    let objects = objects(conn).await?;
    let noted = noted(conn).await?;
    Ok(match noted {
        Noted::Nothing if objects.is_empty() => Version::Is(0),
        Noted::All(version) => Version::Is(version),
        Noted::More => Version::Newer,
        Noted::Nothing | Noted::Damage => match version_of(&objects).await? {
            Some(version) => Version::Damaged(version),
            None => Version::Unknown,
        },
    })
}

/// Writes the table of migrations again for a schema of this version.
pub(super) async fn note_again(
    conn: &mut SqliteConnection,
    version: i64,
) -> Result<(), sqlx::migrate::MigrateError> {
    tracing::warn!(
        version,
        "the table of migrations was damaged, and is rewritten: the schema is that of this version"
    );
    sqlx::query("DROP TABLE IF EXISTS _sqlx_migrations")
        .execute(&mut *conn)
        .await?;
    migrator().skip(&mut *conn, Some(version)).await
}

/// The content of the table of migrations.
enum Noted {
    Nothing,
    /// All up to this one, and nothing else.
    All(i64),
    /// All that are known, and others.
    More,
    /// Something that is never written.
    Damage,
}

async fn noted(conn: &mut SqliteConnection) -> Result<Noted, sqlx::Error> {
    let is_there: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations')",
    )
    .fetch_one(&mut *conn)
    .await?;
    if !is_there {
        return Ok(Noted::Nothing);
    }
    let rows = match sqlx::query("SELECT * FROM _sqlx_migrations ORDER BY version")
        .fetch_all(&mut *conn)
        .await
    {
        Ok(rows) => rows,
        Err(error) if is_corrupt(&error) => return Ok(Noted::Damage),
        Err(error) => return Err(error),
    };
    let migrator = migrator();
    let mut known = migrator.iter();
    let mut last = 0;
    for row in &rows {
        let version: Option<i64> = row.try_get("version").ok();
        let Some(known) = known.next() else {
            return Ok(match version {
                Some(version) if version > LATEST => Noted::More,
                _ => Noted::Damage,
            });
        };
        let is_whole = version == Some(known.version)
            && row.try_get("success").is_ok_and(|success: bool| success)
            && row
                .try_get("checksum")
                .is_ok_and(|sum: Vec<u8>| sum[..] == known.checksum[..]);
        if !is_whole {
            return Ok(Noted::Damage);
        }
        last = known.version;
    }
    Ok(match last {
        0 => Noted::Nothing,
        last => Noted::All(last),
    })
}

/// The version that has this schema.
async fn version_of(objects: &[Object]) -> Result<Option<i64>, sqlx::Error> {
    let mut conn = SqliteConnectOptions::new()
        .filename(":memory:")
        .foreign_keys(true)
        .disable_statement_logging()
        .connect()
        .await?;
    let migrator = migrator();
    for migration in migrator.iter() {
        let migrated = migrator.run_to(migration.version, &mut conn).await;
        migrated.map_err(|error| sqlx::Error::Migrate(Box::new(error)))?;
        if self::objects(&mut conn).await? == objects {
            return Ok(Some(migration.version));
        }
    }
    Ok(None)
}

async fn objects(conn: &mut SqliteConnection) -> Result<Vec<Object>, sqlx::Error> {
    sqlx::query_as(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema \
         WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND tbl_name <> '_sqlx_migrations' ORDER BY type, name",
    )
    .fetch_all(conn)
    .await
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use super::*;

    async fn migrated(to: i64) -> SqliteConnection {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        migrator().run_to(to, &mut conn).await.unwrap();
        conn
    }

    #[tokio::test]
    async fn each_version_is_recognized_by_its_schema_alone() {
        for to in 1..=LATEST {
            let mut conn = migrated(to).await;
            assert_eq!(version(&mut conn).await.unwrap(), Version::Is(to));
            sqlx::query("DELETE FROM _sqlx_migrations")
                .execute(&mut conn)
                .await
                .unwrap();
            assert_eq!(version(&mut conn).await.unwrap(), Version::Damaged(to));
        }
    }

    #[tokio::test]
    async fn damaged_migration_records_are_rewritten() {
        for damage in [
            "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 3",
            "UPDATE _sqlx_migrations SET version = 99 WHERE version = 2",
            "UPDATE _sqlx_migrations SET version = 'zap' WHERE version = 13",
            "UPDATE _sqlx_migrations SET success = 0 WHERE version = 5",
            "DELETE FROM _sqlx_migrations WHERE version = 1",
            "DROP TABLE _sqlx_migrations",
        ] {
            let mut conn = migrated(LATEST).await;
            sqlx::query(damage).execute(&mut conn).await.unwrap();
            let damaged = version(&mut conn).await.unwrap();
            assert_eq!(damaged, Version::Damaged(LATEST), "{damage}");
            note_again(&mut conn, LATEST).await.unwrap();
            assert_eq!(
                version(&mut conn).await.unwrap(),
                Version::Is(LATEST),
                "{damage}"
            );
            migrator().run(&mut conn).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_newer_schema_and_an_unknown_one_are_recognized() {
        let mut conn = migrated(LATEST).await;
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (999, 'later', 1, x'00', 0)",
        )
        .execute(&mut conn)
        .await
        .unwrap();
        assert_eq!(version(&mut conn).await.unwrap(), Version::Newer);

        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        assert_eq!(version(&mut conn).await.unwrap(), Version::Is(0));
        sqlx::query("CREATE TABLE other (id INTEGER)")
            .execute(&mut conn)
            .await
            .unwrap();
        assert_eq!(version(&mut conn).await.unwrap(), Version::Unknown);
    }
}
