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
}
