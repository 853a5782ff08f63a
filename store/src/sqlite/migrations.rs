//! The schema's versions, built into the binary.
//!
//! This lists what `sqlx::migrate!` would list, and sqlx's [`Migrator`] runs it. The macro needs
//! sqlx's feature `macros`, which links the driver and `SQLite`, built for the build host, into a
//! procedural macro: too much for a list of files that a test compares with the folder.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Name and text of each migration, the first of version 1; the files are in
/// `migrations/sqlite`, named `0001_nouns.sql`.
macro_rules! migrations {
    ($($version:literal $name:literal)+) => {
        &[$((
            $name,
            include_str!(concat!("../../../migrations/sqlite/", $version, "_", $name, ".sql")),
        )),+]
    };
}

const MIGRATIONS: &[(&str, &str)] = migrations! {
    "0001" "nouns"
    "0002" "work"
    "0003" "tenancy"
    "0004" "instances"
    "0005" "sessions"
    "0006" "webhooks"
    "0007" "verdict_faults"
    "0008" "survival"
    "0009" "disk"
    "0010" "seen"
    "0011" "token_parents"
    "0012" "values_by"
    "0013" "set_up"
    "0014" "waits"
    "0015" "webhook_deliveries"
    "0016" "attempts"
    "0017" "event_content"
    "0018" "recordings"
};

/// The version of the schema after all of them.
pub(crate) const LATEST: i64 = MIGRATIONS.len() as i64;

/// The migrations, ready to run.
pub(super) fn migrator() -> Migrator {
    let migrations = (1..)
        .zip(MIGRATIONS)
        .map(|(version, &(name, sql))| {
            let name = Cow::Borrowed(name);
            Migration::new(
                version,
                name,
                MigrationType::Simple,
                sql.into_sql_str(),
                false,
            )
        })
        .collect();
    Migrator::with_migrations(migrations)
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;
    use sqlx::sqlite::SqliteConnection;

    use super::*;

    #[test]
    fn every_migration_file_is_built_in_under_its_number_and_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/sqlite");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let built_in: Vec<_> = (1..)
            .zip(MIGRATIONS)
            .map(|(version, (name, _)): (i64, _)| format!("{version:04}_{name}.sql"))
            .collect();
        assert_eq!(built_in, files);
    }

    #[tokio::test]
    async fn events_from_earlier_versions_have_no_content_and_no_warnings() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        migrator().run_to(15, &mut conn).await.unwrap();
        for sql in [
            "INSERT INTO accounts (number, id, name, created_at) VALUES (1, zeroblob(16), 'acme', 0)",
            "INSERT INTO tasks (account, id, number, name, started_by, event_source, event_id, event_type, event, \
             total, due_at, created_at) VALUES (1, zeroblob(16), 1, 'x', 'x', '/s', '1', 'x', x'7b7d', 0, 0, 0)",
            "INSERT INTO seen (account, source, id, type, task, number, started_by, total, cancelled, state, \
             created_at, ended_at) VALUES (1, '/s', '2', 'x', zeroblob(16), 2, 'x', 0, 0, 'FINISHED', 0, 0)",
        ] {
            sqlx::query(sql).execute(&mut conn).await.unwrap();
        }

        migrator().run(&mut conn).await.unwrap();

        let rows: Vec<(Option<Vec<u8>>, Option<String>)> =
            sqlx::query_as("SELECT event_content, warnings FROM tasks")
                .fetch_all(&mut conn)
                .await
                .unwrap();
        assert_eq!(rows, [(None, None)]);
        let rows: Vec<Option<Vec<u8>>> = sqlx::query_scalar("SELECT content FROM seen")
            .fetch_all(&mut conn)
            .await
            .unwrap();
        assert_eq!(rows, [None]);
    }

    #[tokio::test]
    async fn webhook_deliveries_keep_their_content_and_charge_when_the_table_is_renamed() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        migrator().run_to(14, &mut conn).await.unwrap();
        for sql in [
            "INSERT INTO accounts (number, id, name, created_at) VALUES (1, zeroblob(16), 'acme', 0)",
            "INSERT INTO webhooks (id, account, url, events, secret, enabled, created_at) \
             VALUES (zeroblob(16), 1, 'http://a.example/', '[]', zeroblob(24), 1, 0)",
            "INSERT INTO letters (seq, id, webhook, kind, attempts, fate, said, body, created_at, due_at, wait_us) \
             VALUES (1, x'01010101010101010101010101010101', zeroblob(16), 'k', 2, 'waiting', 'x', x'00', 3, 4, 5), \
             (2, x'02020202020202020202020202020202', zeroblob(16), 'k', 1, 'delivered', 'y', NULL, 6, NULL, NULL)",
        ] {
            sqlx::query(sql).execute(&mut conn).await.unwrap();
        }
        let charge = async |conn: &mut SqliteConnection| -> i64 {
            let sql = "SELECT bytes FROM disk WHERE account = 1";
            sqlx::query_scalar(sql).fetch_one(conn).await.unwrap()
        };
        let before = charge(&mut conn).await;

        migrator().run(&mut conn).await.unwrap();

        type Row = (i64, i64, String, String, Option<i64>, Option<i64>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT seq, attempts, status, response, due_at, wait_us FROM deliveries ORDER BY seq",
        )
        .fetch_all(&mut conn)
        .await
        .unwrap();
        assert_eq!(
            rows,
            [
                (1, 2, "waiting".into(), "x".into(), Some(4), Some(5)),
                (2, 1, "delivered".into(), "y".into(), None, None),
            ]
        );
        assert_eq!(charge(&mut conn).await, before);
        // The triggers of the new names count as those of the old ones did.
        for (sql, change) in [
            ("UPDATE deliveries SET response = 'four' WHERE seq = 1", 3),
            (
                "UPDATE deliveries SET status = 'failed', body = NULL, due_at = NULL WHERE seq = 1",
                -1,
            ),
            ("DELETE FROM deliveries WHERE seq = 2", -514),
            (
                "INSERT INTO deliveries (id, webhook, kind, attempts, status, created_at) \
                 VALUES (x'03030303030303030303030303030303', zeroblob(16), 'k', 1, 'failed', 0)",
                513,
            ),
        ] {
            let before = charge(&mut conn).await;
            sqlx::query(sql).execute(&mut conn).await.unwrap();
            assert_eq!(charge(&mut conn).await, before + change, "{sql}");
        }
        sqlx::query("DELETE FROM webhooks")
            .execute(&mut conn)
            .await
            .unwrap();
        assert_eq!(charge(&mut conn).await, 0);
        let old: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'letters%' OR tbl_name = 'letters'",
        )
        .fetch_one(&mut conn)
        .await
        .unwrap();
        assert_eq!(old, 0);
    }
}
