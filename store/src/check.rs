//! Whether a database is as it must be: its pages, its references, the digests of its
//! programs, and what is counted of it. It changes nothing, and may be used beside a
//! server that writes.

use std::path::Path;

use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;
use tenterhook_engine::Digest;

use crate::copy;
use crate::error::Error;
use crate::sqlite::schema::{self, Version};
use crate::sqlite::{LATEST, every_row, found};

/// Most faults that are reported of one sort; the first ones say enough.
const FAULTS: u32 = 100;

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What it is.
    pub name: &'static str,
    /// What is wrong with it; the first hundred.
    pub faults: Vec<String>,
}

const DAMAGED_NOTES: &str = "the table of migrations (`_sqlx_migrations`) is damaged; the next start of the server \
    writes it again";

/// Statements that find faults, each one line of text.
const RULES: [(&str, &str); 3] = [
    (
        "orphans",
        "SELECT 'the account ' || quote(number) || ' has no row in `disk`' FROM accounts \
         WHERE NOT EXISTS (SELECT 1 FROM disk WHERE disk.account = accounts.number) \
         UNION ALL SELECT 'no account has brought the recipe ' || hex(id) FROM recipes \
         WHERE NOT EXISTS (SELECT 1 FROM account_recipes WHERE recipe = recipes.id) \
         UNION ALL SELECT 'no account has brought the program ' || lower(hex(digest)) FROM programs \
         WHERE NOT EXISTS (SELECT 1 FROM account_programs WHERE digest = programs.digest) \
         UNION ALL SELECT 'the account ' || quote(account) || ' has not brought the program of its source ' || quote(number) \
         FROM sources WHERE NOT EXISTS (SELECT 1 FROM account_programs AS brought \
         WHERE brought.account = sources.account AND brought.digest = sources.digest) \
         UNION ALL SELECT 'the account ' || quote(executions.account) || ' has not brought the recipe of its execution ' \
         || lower(hex(executions.id)) FROM executions JOIN recipes ON recipes.id = executions.recipe \
         WHERE NOT EXISTS (SELECT 1 FROM account_recipes AS brought WHERE brought.account = executions.account \
         AND brought.digest = recipes.digest AND brought.recipe = recipes.id) LIMIT ?",
    ),
    (
        "tasks",
        "SELECT 'the task ' || quote(number) || ' of the account ' || quote(account) || ' is over, and not all of its executions' \
         FROM tasks WHERE ended_at IS NOT NULL \
         AND EXISTS (SELECT 1 FROM executions WHERE task = tasks.seq AND executions.state = 'WAITING') \
         UNION ALL SELECT 'the task ' || quote(number) || ' of the account ' || quote(account) \
         || ' waits, and none of its executions' FROM tasks WHERE ended_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM executions WHERE task = tasks.seq AND executions.state = 'WAITING') \
         UNION ALL SELECT 'the execution ' || lower(hex(executions.id)) || ' stands under the account ' \
         || quote(executions.account) || ', and its task ' || quote(tasks.number) || ' under ' || quote(tasks.account) \
         FROM executions JOIN tasks ON tasks.seq = executions.task WHERE executions.account IS NOT tasks.account \
         UNION ALL SELECT 'the attempt ' || quote(attempts.attempt) || ' of the execution ' || lower(hex(executions.id)) \
         || ' stands under the account ' || quote(attempts.account) || ', and the execution under ' \
         || quote(executions.account) FROM executions JOIN attempts ON attempts.execution = executions.seq \
         WHERE attempts.account IS NOT executions.account LIMIT ?",
    ),
    (
        "disk",
        concat!(
            "SELECT 'the account ' || account || ' is charged ' || quote(disk.bytes) || ' bytes, ' || quote(disk.tasks_over) \
         || ' tasks and ' || quote(disk.seen) || ' events, and has ' || found.bytes || ', ' || found.tasks || ' and ' \
         || found.events FROM disk JOIN (",
            found!(),
            ") AS found ON found.number = disk.account WHERE (disk.bytes, disk.tasks_over, disk.seen) \
         <> (found.bytes, found.tasks, found.events) LIMIT ?",
        ),
    ),
];

/// Checks a database.
///
/// # Errors
///
/// [`Error::Unusable`] if it cannot be read at all, which is worse than any fault.
pub async fn check(path: &Path) -> Result<Vec<Checked>, Error> {
    let mut conn = copy::open(path).await?;
    let all = async {
        // Everything is seen as it was at one moment.
        sqlx::query("BEGIN").execute(&mut conn).await?;
        let version = schema::version(&mut conn).await?;
        let mut checked = vec![
            Checked::of("integrity", integrity(&mut conn).await),
            Checked::of("references", references(&mut conn).await),
            Checked::of("programs", programs(&mut conn).await),
        ];
        let (version, fault) = match version {
            Version::Damaged(version) => (version, Some(DAMAGED_NOTES.to_owned())),
            Version::Is(version) if version < LATEST => (version, Some(older(version))),
            _ => (LATEST, None),
        };
        checked.push(Checked {
            name: "schema",
            faults: fault.into_iter().collect(),
        });
        if version < LATEST {
            return Ok(checked);
        }
        let faults = every_row::faults(&mut conn, FAULTS).await;
        checked.push(Checked::of("rows", faults));
        for (name, rule) in RULES {
            let faults = sqlx::query_scalar(rule)
                .bind(FAULTS)
                .fetch_all(&mut conn)
                .await;
            checked.push(Checked::of(name, faults));
        }
        Ok(checked)
    };
    all.await
        .map_err(|error: sqlx::Error| Error::unusable(path, error))
}

fn older(version: i64) -> String {
    format!(
        "an older version has written it (schema {version}, not {LATEST}): start the server on it once, then check \
         again"
    )
}

impl Checked {
    /// What one check has found; that it could not be carried out is a fault as well, and
    /// the others go on.
    fn of(name: &'static str, faults: Result<Vec<String>, sqlx::Error>) -> Self {
        let faults = faults
            .unwrap_or_else(|error| vec![format!("it cannot be checked to its end: {error}")]);
        Self { name, faults }
    }
}

async fn integrity(conn: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let mut faults: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(100)")
        .fetch_all(conn)
        .await?;
    if faults == ["ok"] {
        faults.clear();
    }
    Ok(faults)
}

async fn references(conn: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT ?")
        .bind(FAULTS)
        .fetch_all(conn)
        .await?;
    let fault = |row: &sqlx::sqlite::SqliteRow| -> Result<String, sqlx::Error> {
        let (table, parent): (&str, &str) = (row.try_get(0)?, row.try_get(2)?);
        // Tables without row ids have none to name.
        Ok(match row.try_get::<Option<i64>, _>(1)? {
            Some(row) => {
                format!("row {row} of `{table}` refers to a row of `{parent}` that is not there")
            }
            None => format!("a row of `{table}` refers to a row of `{parent}` that is not there"),
        })
    };
    rows.iter().map(fault).collect()
}

/// Reads every program, one at a time, and compares its digest.
async fn programs(conn: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let mut faults = Vec::new();
    let mut last = Vec::new();
    loop {
        let row = sqlx::query(
            "SELECT digest, bytes FROM programs WHERE digest > ? AND typeof(digest) = 'blob' ORDER BY digest LIMIT 1",
        )
        .bind(&last)
        .fetch_optional(&mut *conn)
        .await?;
        let Some(row) = row else {
            break;
        };
        last = row.try_get(0)?;
        // One that is not a blob is reported with the other rows.
        let Ok(bytes) = row.try_get(1) else {
            continue;
        };
        let found = Digest::of(bytes);
        if found.as_bytes()[..] != last[..] && faults.len() < 100 {
            let kept = <[u8; 32]>::try_from(&last[..]).map(Digest::from_bytes);
            faults.push(match kept {
                Ok(kept) => {
                    format!("the program {kept} is damaged: its bytes have the digest {found}")
                }
                Err(_) => format!("a program has a key that is not a digest; its own is {found}"),
            });
        }
    }
    Ok(faults)
}
