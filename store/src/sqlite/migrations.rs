//! The schema's versions, built into the binary.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Version, name and text of each migration; the files stand in `migrations/sqlite`.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (
        1,
        "nouns",
        include_str!("../../../migrations/sqlite/0001_nouns.sql"),
    ),
    (
        2,
        "work",
        include_str!("../../../migrations/sqlite/0002_work.sql"),
    ),
    (
        3,
        "tenancy",
        include_str!("../../../migrations/sqlite/0003_tenancy.sql"),
    ),
    (
        4,
        "instances",
        include_str!("../../../migrations/sqlite/0004_instances.sql"),
    ),
    (
        5,
        "sessions",
        include_str!("../../../migrations/sqlite/0005_sessions.sql"),
    ),
    (
        6,
        "webhooks",
        include_str!("../../../migrations/sqlite/0006_webhooks.sql"),
    ),
    (
        7,
        "verdict_faults",
        include_str!("../../../migrations/sqlite/0007_verdict_faults.sql"),
    ),
    (
        8,
        "survival",
        include_str!("../../../migrations/sqlite/0008_survival.sql"),
    ),
    (
        9,
        "disk",
        include_str!("../../../migrations/sqlite/0009_disk.sql"),
    ),
    (
        10,
        "seen",
        include_str!("../../../migrations/sqlite/0010_seen.sql"),
    ),
    (
        11,
        "token_parents",
        include_str!("../../../migrations/sqlite/0011_token_parents.sql"),
    ),
    (
        12,
        "values_by",
        include_str!("../../../migrations/sqlite/0012_values_by.sql"),
    ),
    (
        13,
        "set_up",
        include_str!("../../../migrations/sqlite/0013_set_up.sql"),
    ),
    (
        14,
        "waits",
        include_str!("../../../migrations/sqlite/0014_waits.sql"),
    ),
];

/// The version of the schema after all of them.
pub(crate) const LATEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// The migrations, ready to run.
pub(super) fn migrator() -> Migrator {
    let migrations = MIGRATIONS
        .iter()
        .map(|&(version, name, sql)| {
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
    use super::*;

    #[test]
    fn every_migration_file_is_built_in_under_its_number_and_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/sqlite");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let built_in: Vec<_> = MIGRATIONS
            .iter()
            .map(|(version, name, _)| format!("{version:04}_{name}.sql"))
            .collect();
        assert_eq!(built_in, files);
    }
}
