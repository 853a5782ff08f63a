//! Rows that cannot be read: left out of lists, logged once each, and counted.
//!
//! Nothing is changed in the database. A row that was repaired is there again the next time
//! that it is read; until then everything else goes on without it. Tasks have a way of
//! their own beside this, since what they owe must end: [`set_aside`](super::set_aside).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use parking_lot::Mutex;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};
use tenterhook_dispatch::Error;

use super::convert::{Read as _, damage, is_damage};

/// Rows of one table that are remembered as logged; beyond that they are logged each time.
const REMEMBERED: usize = 10_000;

/// Columns by which rows are known, in the order in which they are logged.
const KEYS: [&str; 11] = [
    "account", "number", "seq", "session", "serial", "source", "id", "task", "digest", "recipe",
    "row_id",
];

/// Rows that could not be read since the store was opened. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Damaged {
    found: Arc<Mutex<UnreadableRows>>,
}

#[derive(Debug, Default)]
struct UnreadableRows {
    rows: BTreeMap<&'static str, BTreeSet<String>>,
    /// The `seq` of deliveries: those that are due are read again and again.
    deliveries: HashSet<i64>,
}

impl Damaged {
    /// Reads rows of a table, and leaves out those that cannot be read.
    pub(super) fn sift<T>(
        &self,
        table: &'static str,
        rows: &[SqliteRow],
        read: impl Fn(&SqliteRow) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut readable = Vec::with_capacity(rows.len());
        for row in rows {
            readable.extend(self.readable(table, row, read(row))?);
        }
        Ok(readable)
    }

    /// Rows of a table that the server can do without; none where the table itself is damaged.
    pub(super) fn spare(
        &self,
        table: &'static str,
        rows: Result<Vec<SqliteRow>, Error>,
    ) -> Result<Vec<SqliteRow>, Error> {
        match rows {
            Err(error) if is_damage(&error) => {
                self.report(table, "any row".to_owned(), &error);
                Ok(Vec::new())
            }
            rows => rows,
        }
    }

    /// What was read of one row; `None` if it cannot be read.
    pub(super) fn readable<T>(
        &self,
        table: &'static str,
        row: &SqliteRow,
        read: Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) if is_damage(&error) => {
                if table == "deliveries"
                    && let Ok(seq) = row.read("seq")
                {
                    self.found.lock().deliveries.insert(seq);
                }
                self.report(table, key(row), &error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Notes a row that cannot be read, and logs it unless that was done before.
    pub(super) fn report(&self, table: &'static str, key: String, error: &Error) {
        let mut found = self.found.lock();
        let rows = found.rows.entry(table).or_default();
        let is_new = match rows.len() < REMEMBERED {
            true => rows.insert(key.clone()),
            false => !rows.contains(&key),
        };
        drop(found);
        if is_new {
            tracing::error!(
                table,
                key,
                damage = damage(error),
                "a row cannot be read and is left out; `tenterhook check-data` lists all of them"
            );
        }
    }

    /// How many rows of each table could not be read.
    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        let found = self.found.lock();
        let counts = found.rows.iter();
        counts
            .map(|(table, rows)| (*table, rows.len() as u64))
            .collect()
    }

    /// Whether any row of one of these tables could not be read.
    pub(super) fn has_any(&self, tables: &[&str]) -> bool {
        let found = self.found.lock();
        tables.iter().any(|table| found.rows.contains_key(table))
    }

    /// Returns the `seq` of each delivery that could not be read.
    pub(super) fn deliveries(&self) -> Vec<i64> {
        self.found.lock().deliveries.iter().copied().collect()
    }
}

/// By what a row is known, as far as that can be read: `account 1, number 3`.
pub(super) fn key(row: &SqliteRow) -> String {
    let mut text = String::new();
    let find = |name: &str| row.columns().iter().find(|column| column.name() == name);
    for name in KEYS {
        let Some(column) = find(name) else {
            continue;
        };
        // For rows with an identifier these are not keys; only remembered events have both.
        let is_key = match name {
            "digest" | "task" | "recipe" => find("id").is_none(),
            "source" => find("type").is_some(),
            _ => true,
        };
        if !is_key {
            continue;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        let name = if name == "row_id" { "row" } else { name };
        let _ = write!(text, "{name} {}", cell(row, column.ordinal()));
    }
    text
}

/// A value of whatever type, short enough for a line.
fn cell(row: &SqliteRow, at: usize) -> String {
    /// Longest text that is logged, in characters.
    const MOST: usize = 60;
    let Ok(value) = row.try_get_raw(at) else {
        return "?".into();
    };
    // For NULL the driver returns the type that its column has.
    if value.is_null() {
        return "NULL".into();
    }
    let kind = value.type_info().name().to_owned();
    let text = match kind.as_str() {
        "INTEGER" => row
            .try_get_unchecked::<i64, _>(at)
            .map(|number| number.to_string()),
        "REAL" => row
            .try_get_unchecked::<f64, _>(at)
            .map(|number| number.to_string()),
        "TEXT" => row
            .try_get_unchecked::<Vec<u8>, _>(at)
            .map(|text| format!("{:?}", String::from_utf8_lossy(&text))),
        _ => row
            .try_get_unchecked::<Vec<u8>, _>(at)
            .map(|bytes| hex(&bytes)),
    };
    let text = text.unwrap_or_else(|_| "?".into());
    match text.chars().count() > MOST {
        true => text.chars().take(MOST).chain(['…']).collect(),
        false => text,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
