//! New tasks with their executions: the way of every event into the database.

use std::collections::HashMap;
use std::sync::LazyLock;

use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;
use tenterhook_dispatch::{Error, Inserted, NewExecution, NewTask, Number, Recipe, TaskId};
use tenterhook_engine::Digest;
use uuid::Uuid;

use super::convert::{cannot, json, micros};
use super::rows::Rows;
use super::seen;
use super::writer::Writing;

const DOING: &str = "store the event";

static TASKS: LazyLock<Rows> = LazyLock::new(|| {
    Rows::insert(
        "tasks",
        &[
            "account",
            "id",
            "number",
            "name",
            "started_by",
            "object",
            "event_source",
            "event_id",
            "event_type",
            "event",
            "event_content",
            "warnings",
            "total",
            "owner",
            "due_at",
            "state",
            "created_at",
            "ended_at",
        ],
        " ON CONFLICT (account, event_source, event_id) DO NOTHING RETURNING id, seq",
    )
});

static EXECUTIONS: LazyLock<Rows> = LazyLock::new(|| {
    Rows::insert(
        "executions",
        &[
            "account",
            "id",
            "task",
            "hook",
            "hook_number",
            "recipe",
            "server_number",
            "server_name",
            "container",
            "lane",
        ],
        "",
    )
});

/// Most recipes remembered as stored; a recipe more only costs a statement more.
const RECIPES_KNOWN: usize = 50_000;

/// Writes tasks with their executions; a task whose event was accepted before is
/// left out, and the first one named. Fails if the content of one is not what it was then.
pub(super) async fn tasks(
    writing: &mut Writing,
    tasks: &[&(i64, NewTask)],
) -> Result<Vec<Inserted>, Error> {
    let keys: Vec<_> = tasks
        .iter()
        .filter_map(|(account, task)| Some((*account, &task.event.as_ref()?.key)))
        .collect();
    let known = seen::of(&mut writing.conn, &writing.damaged, &keys).await?;
    let known = |account: i64, task: &NewTask| {
        let key = &task.event.as_ref().filter(|_| !known.is_empty())?.key;
        known.get(&(account, key.source.clone(), key.id.clone()))
    };
    for (index, (account, task)) in tasks.iter().enumerate() {
        if let Some((_, first)) = known(*account, task) {
            seen::compare(content(task), *first, index)?;
        }
    }
    let new: Vec<_> = tasks
        .iter()
        .copied()
        .filter(|(account, task)| known(*account, task).is_none())
        .collect();
    programs(writing, &new).await?;
    let numbered = number(writing, &new).await?;
    let seqs = rows(&mut writing.conn, &numbered).await?;
    executions(&mut writing.conn, &numbered, &seqs).await?;
    let mut numbered = numbered.into_iter();
    let mut inserted = Vec::with_capacity(tasks.len());
    for (index, (account, task)) in tasks.iter().enumerate() {
        if let Some((first, _)) = known(*account, task) {
            inserted.push(Inserted::Remembered(Box::new(first.clone())));
            continue;
        }
        let (_, _, number) = numbered.next().expect("the others were given numbers");
        inserted.push(match seqs.contains_key(&task.id) {
            true => Inserted::New(Number::new(number)),
            false => {
                let (id, content_then) = first(&mut writing.conn, *account, task).await?;
                seen::compare(content(task), content_then, index)?;
                Inserted::Repeated(id)
            }
        });
    }
    Ok(inserted)
}

/// Keeps the programs and recipes that the executions refer to.
async fn programs(writing: &mut Writing, tasks: &[&(i64, NewTask)]) -> Result<(), Error> {
    if writing.recipes.len() > RECIPES_KNOWN {
        writing.recipes.clear();
    }
    for (account, task) in tasks {
        if let Some(bytes) = &task.program {
            program(&mut writing.conn, *account, Digest::of(bytes), bytes).await?;
        }
        for execution in &task.executions {
            if writing.recipes.insert((*account, execution.recipe.id)) {
                recipe(&mut writing.conn, *account, &execution.recipe).await?;
            }
        }
    }
    Ok(())
}

/// Keeps the bytes of a program and that the account has brought it. If other bytes are
/// there under its digest, which are damaged then, they are replaced.
pub(super) async fn program(
    conn: &mut SqliteConnection,
    account: i64,
    digest: Digest,
    bytes: &[u8],
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO programs (digest, bytes) VALUES (?, ?) \
         ON CONFLICT (digest) DO UPDATE SET bytes = excluded.bytes WHERE bytes IS NOT excluded.bytes",
    )
    .bind(&digest.as_bytes()[..])
    .bind(bytes)
    .execute(&mut *conn)
    .await
    .map_err(cannot("store the program"))?;
    brought(conn, account, digest).await
}

/// Keeps that an account has brought a program, so that it stays and is charged for.
async fn brought(conn: &mut SqliteConnection, account: i64, digest: Digest) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO account_programs (account, digest, bytes) \
         SELECT ?, digest, 256 + coalesce(octet_length(bytes), 0) FROM programs WHERE digest = ? \
         ON CONFLICT (account, digest) DO NOTHING",
    )
    .bind(account)
    .bind(&digest.as_bytes()[..])
    .execute(conn)
    .await
    .map(|_| ())
    .map_err(cannot("store the program"))
}

/// Holds the place of a program that must be there and is not: its row was damaged. It has
/// not the bytes that its digest demands, so what needs it fails as it does with any other
/// program that is damaged, and bringing the program again mends it.
async fn hold_place(conn: &mut SqliteConnection, digest: Digest) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO programs (digest, bytes) VALUES (?, x'') ON CONFLICT (digest) DO NOTHING",
    )
    .bind(&digest.as_bytes()[..])
    .execute(conn)
    .await
    .map(|_| ())
    .map_err(cannot(DOING))
}

/// Keeps a recipe and that the account has brought it. If other content is there under its
/// id, which is made from the content and so is damaged then, it is replaced.
async fn recipe(conn: &mut SqliteConnection, account: i64, recipe: &Recipe) -> Result<(), Error> {
    hold_place(conn, recipe.digest).await?;
    brought(conn, account, recipe.digest).await?;
    let content = json(&recipe.content);
    sqlx::query(
        "INSERT INTO recipes (id, digest, name, failure_policy, content) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, name = excluded.name, \
         failure_policy = excluded.failure_policy, content = excluded.content \
         WHERE (digest, name, failure_policy, content) \
         IS NOT (excluded.digest, excluded.name, excluded.failure_policy, excluded.content)",
    )
    .bind(recipe.id.as_uuid())
    .bind(&recipe.digest.as_bytes()[..])
    .bind(&recipe.content.name)
    .bind(recipe.content.failure_policy.as_str())
    .bind(&content)
    .execute(&mut *conn)
    .await
    .map_err(cannot(DOING))?;
    let bytes = 256 + recipe.content.name.len() + content.len();
    sqlx::query(
        "INSERT INTO account_recipes (account, digest, recipe, bytes) VALUES (?, ?, ?, ?) \
         ON CONFLICT (account, digest, recipe) DO NOTHING",
    )
    .bind(account)
    .bind(&recipe.digest.as_bytes()[..])
    .bind(recipe.id.as_uuid())
    .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
    .execute(conn)
    .await
    .map(|_| ())
    .map_err(cannot(DOING))
}

/// Gives every task its number.
///
/// After 2,147,483,647 they start again at 1: what had those numbers is long swept.
async fn number<'t>(
    writing: &mut Writing,
    tasks: &[&'t (i64, NewTask)],
) -> Result<Vec<(i64, &'t NewTask, i32)>, Error> {
    let mut touched = HashMap::new();
    let mut numbered = Vec::with_capacity(tasks.len());
    for (account, task) in tasks {
        if !writing.last_task.contains_key(account) {
            let row = sqlx::query("SELECT last_task FROM accounts WHERE number = ?")
                .bind(account)
                .fetch_one(&mut writing.conn)
                .await
                .map_err(cannot(DOING))?;
            let last = row.try_get::<i64, _>(0).ok();
            let last = last.and_then(|last| i32::try_from(last).ok());
            let last = match last.filter(|last| *last >= 0) {
                Some(last) => last,
                // It was damaged; no task may have the number of another.
                None => highest(&mut writing.conn, *account).await?,
            };
            writing.last_task.insert(*account, last);
        }
        let last = writing
            .last_task
            .get_mut(account)
            .expect("it was put there above");
        *last = last.checked_add(1).unwrap_or(1);
        touched.insert(*account, *last);
        numbered.push((*account, task, *last));
    }
    for (account, last) in touched {
        sqlx::query("UPDATE accounts SET last_task = ? WHERE number = ?")
            .bind(last)
            .bind(account)
            .execute(&mut writing.conn)
            .await
            .map_err(cannot(DOING))?;
    }
    Ok(numbered)
}

/// The highest number that a task of an account has.
async fn highest(conn: &mut SqliteConnection, account: i64) -> Result<i32, Error> {
    sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM tasks WHERE account = ? AND number BETWEEN 1 AND 2147483647")
        .bind(account)
        .fetch_one(conn)
        .await
        .map_err(cannot(DOING))
}

/// Writes the rows of the tasks; returns those that are new.
async fn rows(
    conn: &mut SqliteConnection,
    tasks: &[(i64, &NewTask, i32)],
) -> Result<HashMap<TaskId, i64>, Error> {
    let mut seqs = HashMap::with_capacity(tasks.len());
    for (text, piece) in TASKS.cut(tasks) {
        let mut query = sqlx::query(text);
        for (account, task, number) in piece {
            let key = task.event.as_ref().map(|event| &event.key);
            // First attempts are due whatever the clock says.
            let due_at = 0;
            let created_at = micros(task.created_at);
            let over = task.executions.is_empty();
            query = query
                .bind(account)
                .bind(task.id.as_uuid())
                .bind(number)
                .bind(&task.name)
                .bind(&task.started_by)
                .bind(task.object.as_deref())
                .bind(key.map(|key| key.source.as_str()))
                .bind(key.map(|key| key.id.as_str()))
                .bind(key.map(|key| key.kind.as_str()))
                .bind(task.event.as_ref().map(|event| &event.json[..]))
                .bind(content(task).map(|content| content.as_bytes().to_vec()))
                .bind((!task.warnings.is_empty()).then(|| json(&task.warnings)))
                .bind(i64::try_from(task.executions.len()).unwrap_or(i64::MAX))
                .bind(task.owner.filter(|_| !over).map(|owner| owner.as_uuid()))
                .bind(due_at)
                .bind(over.then_some("FINISHED"))
                .bind(created_at)
                .bind(over.then_some(created_at));
        }
        for row in query.fetch_all(&mut *conn).await.map_err(cannot(DOING))? {
            seqs.insert(TaskId::from_uuid(row.get::<Uuid, _>(0)), row.get(1));
        }
    }
    Ok(seqs)
}

async fn executions(
    conn: &mut SqliteConnection,
    tasks: &[(i64, &NewTask, i32)],
    seqs: &HashMap<TaskId, i64>,
) -> Result<(), Error> {
    let all: Vec<(i64, i64, &NewExecution)> = tasks
        .iter()
        .filter_map(|(account, task, _)| seqs.get(&task.id).map(|seq| (*account, *seq, task)))
        .flat_map(|(account, seq, task)| {
            task.executions
                .iter()
                .map(move |execution| (account, seq, execution))
        })
        .collect();
    for (text, piece) in EXECUTIONS.cut(&all) {
        let mut query = sqlx::query(text);
        for (account, task, execution) in piece {
            let server = execution.server.as_ref();
            query = query
                .bind(account)
                .bind(execution.id.as_uuid())
                .bind(task)
                .bind(execution.hook.map(|hook| hook.id.as_uuid()))
                .bind(execution.hook.map(|hook| hook.number.get()))
                .bind(execution.recipe.id.as_uuid())
                .bind(server.map(|server| server.number.get()))
                .bind(server.map(|server| server.name.as_str()))
                .bind(execution.container.as_ref().map(json))
                .bind(i64::from(execution.lane));
        }
        query.execute(&mut *conn).await.map_err(cannot(DOING))?;
    }
    Ok(())
}

fn content(task: &NewTask) -> Option<Digest> {
    task.event.as_ref()?.content
}

/// The task that an event caused when it was first accepted, and its content then.
async fn first(
    conn: &mut SqliteConnection,
    account: i64,
    task: &NewTask,
) -> Result<(TaskId, Option<Digest>), Error> {
    let key = &task
        .event
        .as_ref()
        .expect("only events can be repeated")
        .key;
    seen::kept(conn, account, key)
        .await?
        .ok_or_else(|| Error::store(DOING, sqlx::Error::RowNotFound))
}
