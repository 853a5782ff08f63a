//! Which recipes and programs no account needs any more.
//!
//! They are looked at in the order of their keys, some with each sweep, since nothing
//! says at once that the last that needed one is gone. Rows of recipes and programs
//! themselves go with the last account that has brought them: triggers do that.

use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::Error;

use super::DOING;
use crate::sqlite::convert::cannot;
use crate::sqlite::writer::Writing;

/// Rows that are looked at by one sweep: a few milliseconds.
const LOOKED_AT: i64 = 1_024;

/// The last of the recipes that a sweep looks at, if there are as many.
const LAST_RECIPE: &str = "SELECT account, digest, recipe FROM account_recipes \
    WHERE (account, digest, recipe) > (?1, ?2, ?3) ORDER BY account, digest, recipe LIMIT 1 OFFSET ?4 - 1";

const RECIPES: &str = "DELETE FROM account_recipes WHERE (account, digest, recipe) IN (\
    SELECT account, digest, recipe FROM (SELECT account, digest, recipe FROM account_recipes \
    WHERE (account, digest, recipe) > (?1, ?2, ?3) ORDER BY account, digest, recipe LIMIT ?4) AS some \
    WHERE NOT EXISTS (SELECT 1 FROM executions WHERE executions.recipe = some.recipe \
    AND executions.account = some.account))";

const LAST_PROGRAM: &str = "SELECT account, digest FROM account_programs WHERE (account, digest) > (?1, ?2) \
    ORDER BY account, digest LIMIT 1 OFFSET ?3 - 1";

const PROGRAMS: &str = "DELETE FROM account_programs WHERE (account, digest) IN (\
    SELECT account, digest FROM (SELECT account, digest FROM account_programs \
    WHERE (account, digest) > (?1, ?2) ORDER BY account, digest LIMIT ?3) AS some \
    WHERE NOT EXISTS (SELECT 1 FROM sources WHERE sources.digest = some.digest \
    AND sources.account = some.account) \
    AND NOT EXISTS (SELECT 1 FROM account_recipes AS brought WHERE brought.account = some.account \
    AND brought.digest = some.digest))";

/// Where the last sweep has stopped looking.
#[derive(Default)]
pub(super) struct Progress {
    recipe: (i64, Vec<u8>, Vec<u8>),
    program: (i64, Vec<u8>),
}

/// What a sweep has removed.
#[derive(Default)]
pub(super) struct Removed {
    pub(super) recipes: u64,
    pub(super) programs: u64,
    /// Whether there is more to look at, and it is worth it.
    pub(super) more: bool,
}

pub(super) async fn sweep(writing: &mut Writing) -> Result<Removed, Error> {
    let conn = &mut writing.conn;
    let progress = &mut writing.swept.programs;
    let (recipes, more_recipes) = recipes(conn, &mut progress.recipe).await?;
    let (programs, more_programs) = programs(conn, &mut progress.program).await?;
    if recipes > 0 {
        writing.recipes.clear();
    }
    Ok(Removed {
        recipes,
        programs,
        more: (recipes > 0 && more_recipes) || (programs > 0 && more_programs),
    })
}

async fn recipes(
    conn: &mut SqliteConnection,
    from: &mut (i64, Vec<u8>, Vec<u8>),
) -> Result<(u64, bool), Error> {
    let last = sqlx::query(LAST_RECIPE)
        .bind(from.0)
        .bind(&from.1)
        .bind(&from.2)
        .bind(LOOKED_AT)
        .fetch_optional(&mut *conn)
        .await
        .map_err(cannot(DOING))?;
    let done = sqlx::query(RECIPES)
        .bind(from.0)
        .bind(&from.1)
        .bind(&from.2)
        .bind(LOOKED_AT)
        .execute(conn)
        .await
        .map_err(cannot(DOING))?;
    let more = last.is_some();
    // A key that cannot be read is none: the next sweep begins again.
    let key = |row: SqliteRow| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
    let key: Option<Result<_, sqlx::Error>> = last.map(key);
    *from = key.and_then(Result::ok).unwrap_or_default();
    Ok((done.rows_affected(), more))
}

async fn programs(
    conn: &mut SqliteConnection,
    from: &mut (i64, Vec<u8>),
) -> Result<(u64, bool), Error> {
    let last = sqlx::query(LAST_PROGRAM)
        .bind(from.0)
        .bind(&from.1)
        .bind(LOOKED_AT)
        .fetch_optional(&mut *conn)
        .await
        .map_err(cannot(DOING))?;
    let done = sqlx::query(PROGRAMS)
        .bind(from.0)
        .bind(&from.1)
        .bind(LOOKED_AT)
        .execute(conn)
        .await
        .map_err(cannot(DOING))?;
    let more = last.is_some();
    let key = |row: SqliteRow| Ok((row.try_get(0)?, row.try_get(1)?));
    let key: Option<Result<_, sqlx::Error>> = last.map(key);
    *from = key.and_then(Result::ok).unwrap_or_default();
    Ok((done.rows_affected(), more))
}
