//! Reads every row of every table as the server would, and reports which cannot be read.
//!
//! Each table is read by the same conversion as in its own file, so what is well here is
//! well there. Columns that no conversion reads are read here. It changes nothing.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_delivery::SubscriptionId;
use tenterhook_dispatch::{
    AccountId, Criterion, Error, ExecutionId, HookId, NodeId, Number, RecipeContent, RecipeId,
};
use tenterhook_session::{GroupConstraint, InstanceConstraint};

use super::columns::POLICIES;
use super::convert::{Impossible, Read as _, cannot, damage, is_damage, unreadable};
use super::outbox::{deliveries, webhooks};
use super::{
    accounts, apps, attempts, claim, damaged, executions, hooks, identity, overrides, seen,
    servers, sessions, sources, tasks,
};

/// Rows that are read at one time. Outputs are not among them, but events are.
const PAGE: i64 = 64;

/// One table.
struct Table {
    name: &'static str,
    /// Its rows; a page of them, by limit and offset, or by limit and the last `rowid`.
    rows: &'static str,
    read: fn(&SqliteRow) -> Result<(), Error>,
}

/// Rows in the order of their row ids, which are read as `row_id`.
macro_rules! by_row {
    ($columns:literal, $table:literal) => {
        concat!(
            "SELECT ",
            $table,
            ".rowid AS row_id, ",
            $columns,
            " FROM ",
            $table,
            " WHERE ",
            $table,
            ".rowid > ?2 ORDER BY ",
            $table,
            ".rowid LIMIT ?1"
        )
    };
}

/// Rows of a table that has no row ids.
macro_rules! by_place {
    ($table:literal) => {
        concat!("SELECT * FROM ", $table, " LIMIT ?1 OFFSET ?2")
    };
}

const TABLES: [Table; 26] = [
    Table {
        name: "accounts",
        rows: by_row!("*", "accounts"),
        read: account,
    },
    Table {
        name: "principals",
        rows: by_row!("*", "principals"),
        read: |row| {
            identity::principal(row, AccountId::generate())
                .map(drop)
                .and(owner(row))
        },
    },
    Table {
        name: "tokens",
        rows: by_row!("*", "tokens"),
        read: token,
    },
    Table {
        name: "servers",
        rows: by_row!("*", "servers"),
        read: |row| servers::read(row).map(drop).and(owner(row)),
    },
    Table {
        name: "programs",
        rows: by_row!(
            "digest, CASE typeof(bytes) WHEN 'blob' THEN zeroblob(0) ELSE bytes END AS bytes",
            "programs"
        ),
        read: |row| row.digest("digest").map(drop).and(blob(row, "bytes")),
    },
    Table {
        name: "sources",
        rows: by_row!("*", "sources"),
        read: |row| sources::read(row).map(drop).and(owner(row)),
    },
    Table {
        name: "apps",
        rows: by_row!("*", "apps"),
        read: |row| apps::read(row).map(drop).and(owner(row)),
    },
    Table {
        name: "hooks",
        rows: by_row!("*", "hooks"),
        read: hook,
    },
    Table {
        name: "overrides",
        rows: by_row!("*", "overrides"),
        read: |row| overrides::read(row).map(drop).and(owner(row)),
    },
    Table {
        name: "recipes",
        rows: by_row!("*", "recipes"),
        read: recipe,
    },
    Table {
        name: "tasks",
        rows: by_row!("*, total AS complete", "tasks"),
        read: task,
    },
    Table {
        name: "executions",
        rows: by_row!(
            "account, id, task, hook, hook_number, recipe, server_number, server_name, container, lane, state, \
             attempt, failures, crashes, due_at, wait_us, outcome, error, usage, dropped_bytes, verdict, verdict_fault, recording, dead, \
             started_at, ended_at, \
             CASE typeof(stdout) WHEN 'blob' THEN zeroblob(0) ELSE stdout END AS stdout, \
             CASE typeof(stderr) WHEN 'blob' THEN zeroblob(0) ELSE stderr END AS stderr, \
             zeroblob(16) AS task_id, 1 AS task_number, 0 AS created_at, '' AS name, zeroblob(32) AS digest, \
             'open' AS failure_policy, NULL AS set_aside, NULL AS set_aside_at, NULL AS warnings",
            "executions"
        ),
        read: execution,
    },
    Table {
        name: "attempts",
        rows: by_row!(
            "account, execution, attempt, outcome, error, usage, dropped_bytes, verdict, verdict_fault, recording, \
             started_at, ended_at, 0 AS stdout_bytes, 0 AS stderr_bytes, \
             CASE typeof(stdout) WHEN 'blob' THEN zeroblob(0) ELSE stdout END AS stdout, \
             CASE typeof(stderr) WHEN 'blob' THEN zeroblob(0) ELSE stderr END AS stderr",
            "attempts"
        ),
        read: attempt,
    },
    Table {
        name: "sessions",
        rows: by_row!("*, zeroblob(16) AS account_id", "sessions"),
        read: |row| sessions::read(row).map(drop).and(owner(row)),
    },
    Table {
        name: "session_steps",
        rows: by_row!("*", "session_steps"),
        read: step,
    },
    Table {
        name: "instance_constraints",
        rows: by_row!("*", "instance_constraints"),
        read: |row| named::<InstanceConstraint>(row),
    },
    Table {
        name: "group_constraints",
        rows: by_row!("*", "group_constraints"),
        read: |row| named::<GroupConstraint>(row),
    },
    Table {
        name: "webhooks",
        rows: by_row!("*, zeroblob(16) AS account_id", "webhooks"),
        read: webhook,
    },
    Table {
        name: "deliveries",
        rows: by_row!("*", "deliveries"),
        read: delivery,
    },
    Table {
        name: "set_aside",
        rows: by_row!("*", "set_aside"),
        read: |row| {
            row.read::<i64>("task")?;
            row.read::<&str>("reason")?;
            row.time("at").map(drop)
        },
    },
    Table {
        name: "clock",
        rows: by_row!("*", "clock"),
        read: |row| one(row).and(row.time("seen_at").map(drop)),
    },
    Table {
        name: "probe",
        rows: by_row!("*", "probe"),
        read: |row| one(row).and(row.bool("flip").map(drop)),
    },
    Table {
        name: "disk",
        rows: by_row!("*", "disk"),
        read: |row| {
            owner(row)?;
            row.int::<u64>("bytes")?;
            row.int::<u64>("tasks_over")?;
            row.int::<u64>("seen").map(drop)
        },
    },
    Table {
        name: "account_recipes",
        rows: by_place!("account_recipes"),
        read: |row| {
            row.id("recipe", RecipeId::from_uuid)?;
            brought(row)
        },
    },
    Table {
        name: "account_programs",
        rows: by_place!("account_programs"),
        read: brought,
    },
    Table {
        name: "seen",
        rows: by_place!("seen"),
        read: |row| {
            seen::check_content(row, "content")?;
            seen::task(row).map(drop).and(owner(row))
        },
    },
];

/// Reports what is wrong with up to `most` rows, each in one line.
pub(crate) async fn faults(
    conn: &mut SqliteConnection,
    most: u32,
) -> Result<Vec<String>, sqlx::Error> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut faults = Vec::new();
    for table in &TABLES {
        let has_row_ids = !table.rows.contains("OFFSET");
        let mut from = if has_row_ids { i64::MIN } else { 0 };
        while faults.len() < most {
            let rows = sqlx::query(table.rows)
                .bind(PAGE)
                .bind(from)
                .fetch_all(&mut *conn)
                .await;
            let rows = match rows.map_err(cannot("read the table")) {
                Ok(rows) => rows,
                Err(error) if is_damage(&error) => {
                    faults.push(format!(
                        "`{}` cannot be read to its end: {}",
                        table.name,
                        damage(&error)
                    ));
                    break;
                }
                Err(error) => return Err(sqlx::Error::Decode(Box::new(error))),
            };
            for row in &rows {
                if let Err(error) = (table.read)(row) {
                    faults.push(format!(
                        "the row of `{}` with {} cannot be read: {}",
                        table.name,
                        damaged::key(row),
                        damage(&error)
                    ));
                }
            }
            let Some(last) = rows.last() else {
                break;
            };
            from = match has_row_ids {
                true => sqlx::Row::try_get(last, "row_id")?,
                false => from + PAGE,
            };
        }
    }
    faults.truncate(most);
    Ok(faults)
}

/// The number of the account that a row belongs to.
fn owner(row: &SqliteRow) -> Result<(), Error> {
    match row.read::<i64>("account")? {
        number if number > 0 => Ok(()),
        other => Err(unreadable("account", Impossible(other.to_string()))),
    }
}

/// The key of a table of one row.
fn one(row: &SqliteRow) -> Result<(), Error> {
    match row.read::<i64>("id")? {
        1 => Ok(()),
        other => Err(unreadable("id", Impossible(other.to_string()))),
    }
}

/// Bytes or none: what a column for outputs can hold. They are not read.
pub(super) fn blob(row: &SqliteRow, column: &'static str) -> Result<(), Error> {
    use sqlx::{Row as _, TypeInfo as _, ValueRef as _};
    let value = row
        .try_get_raw(column)
        .map_err(|source| unreadable(column, source))?;
    let kind = value.type_info().name().to_owned();
    match kind.as_str() {
        "BLOB" | "NULL" => Ok(()),
        _ => Err(unreadable(column, Impossible(kind))),
    }
}

fn account(row: &SqliteRow) -> Result<(), Error> {
    accounts::read(row)?;
    for last in [
        "last_server",
        "last_source",
        "last_hook",
        "last_task",
        "last_app",
    ] {
        match row.int::<i32>(last)? {
            0.. => {}
            other => return Err(unreadable(last, Impossible(other.to_string()))),
        }
    }
    Ok(())
}

fn token(row: &SqliteRow) -> Result<(), Error> {
    identity::token(row, AccountId::generate())?;
    row.digest("hash")?;
    owner(row)
}

fn hook(row: &SqliteRow) -> Result<(), Error> {
    hooks::read(row)?;
    row.json::<Vec<Number>>("servers")?;
    row.json::<Vec<Criterion>>("criteria")?;
    row.id_opt("app", |app| app)?;
    owner(row)
}

fn recipe(row: &SqliteRow) -> Result<(), Error> {
    row.id("id", RecipeId::from_uuid)?;
    row.digest("digest")?;
    row.read::<&str>("name")?;
    row.word("failure_policy", &POLICIES)?;
    row.json::<RecipeContent>("content").map(drop)
}

fn task(row: &SqliteRow) -> Result<(), Error> {
    tasks::read(row)?;
    claim::event(row)?;
    blob(row, "event")?;
    seen::check_content(row, "event_content")?;
    row.json_opt::<Vec<String>>("warnings")?;
    row.id_opt("owner", NodeId::from_uuid)?;
    row.time("due_at")?;
    owner(row)
}

fn execution(row: &SqliteRow) -> Result<(), Error> {
    let mut read = executions::read(row)?;
    // Those without which it can still be shown.
    read.container = row.json_opt("container")?;
    read.latest.outcome = row.json_opt("outcome")?;
    read.latest.usage = row.json_opt("usage")?;
    read.latest.verdict = row.json_opt("verdict")?;
    read.latest.recording = row.json_opt("recording")?;
    row.read::<i64>("task")?;
    row.id("recipe", RecipeId::from_uuid)?;
    row.id_opt("hook", HookId::from_uuid)?;
    row.int::<u32>("lane")?;
    row.int::<u32>("failures")?;
    row.int::<u32>("crashes")?;
    row.wait_opt("wait_us")?;
    row.read::<Option<i32>>("hook_number")?;
    row.read::<Option<i32>>("server_number")?;
    row.read::<Option<&str>>("server_name")?;
    blob(row, "stdout")?;
    blob(row, "stderr")?;
    row.id("id", ExecutionId::from_uuid)?;
    owner(row)
}

fn attempt(row: &SqliteRow) -> Result<(), Error> {
    let (mut read, _) = attempts::read(row)?;
    // Those without which it can still be shown.
    read.outcome = row.json_opt("outcome")?;
    read.usage = row.json_opt("usage")?;
    read.verdict = row.json_opt("verdict")?;
    read.recording = row.json_opt("recording")?;
    row.read::<i64>("execution")?;
    blob(row, "stdout")?;
    blob(row, "stderr")?;
    owner(row)
}

fn step(row: &SqliteRow) -> Result<(), Error> {
    sessions::step(row)?;
    row.id("session", |id| id)?;
    row.int::<u64>("serial")?;
    owner(row)
}

fn named<T: serde::de::DeserializeOwned>(row: &SqliteRow) -> Result<(), Error> {
    row.json::<T>("document")?;
    row.read::<&str>("id")?;
    owner(row)
}

fn webhook(row: &SqliteRow) -> Result<(), Error> {
    webhooks::read(row)?;
    row.time_opt("paused_until")?;
    row.wait_opt("pause_us")?;
    owner(row)
}

fn delivery(row: &SqliteRow) -> Result<(), Error> {
    deliveries::read(row)?;
    row.id("webhook", SubscriptionId)?;
    row.wait_opt("wait_us")?;
    if row.time_opt("due_at")?.is_some() {
        // What is still to be sent has something to be sent.
        row.read::<&[u8]>("body")?;
    }
    blob(row, "body")
}

fn brought(row: &SqliteRow) -> Result<(), Error> {
    row.digest("digest")?;
    row.int::<u64>("bytes")?;
    owner(row)
}
