//! Hooks, which bind sources to hook points.

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{
    AccountId, AppId, Criterion, Error, FailurePolicy, Hook, HookId, HookPointName, HookStore,
    Noun, Number, ServerId, SourceId, Targets,
};

use super::accounts::{self, Numbered};
use super::columns::{self, Column, Plain, Values, columns};
use super::convert::{
    Impossible, Read as _, cannot, is_damage, is_missing, is_taken, json, unreadable,
};
use super::{Sqlite, apps};

columns! {
    Hook in "hooks", read by read();
    #[fixed] id,
    #[fixed] number,
    name,
    description,
    source,
    event,
    targets: "targets" "servers" "app" "criteria",
    args as Json,
    env as Json,
    limits as Json,
    order: "position",
    enabled,
    failure_policy,
    retry as Json,
    managed,
    labels as Json,
    #[fixed] created_by,
    modified_by,
    values_by,
    #[fixed] created_at,
    modified_at,
}

#[async_trait]
impl HookStore for Sqlite {
    async fn insert_hook(&self, account: AccountId, hook: Hook) -> Result<Hook, Error> {
        self.write(account, move |conn, account| {
            Box::pin(insert(conn, account, hook))
        })
        .await
    }

    async fn update_hook(&self, account: AccountId, hook: Hook) -> Result<(), Error> {
        self.write_to_free(account, move |conn, account| {
            Box::pin(async move {
                match columns::update(&mut *conn, account, &hook).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(Error::not_found(Noun::Hook, hook.id)),
                    Err(error) => Err(refused(conn, account, error, &hook).await?),
                }
            })
        })
        .await
    }

    /// The schema removes its overrides with it. One that stands under a wrong account is
    /// found by its row.
    async fn delete_hook(&self, account: AccountId, id: HookId) -> Result<bool, Error> {
        let number = self.number_of(account).await?;
        let stray = self.strays.row_of_hook(number, id);
        let deleted = self
            .write_to_free(account, move |conn, account| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM hooks WHERE id = ?2 AND (account = ?1 OR rowid = ?3)")
                        .bind(account)
                        .bind(id.as_uuid())
                        .bind(stray)
                        .execute(conn)
                        .await
                        .map(|done| done.rows_affected() > 0)
                        .map_err(cannot("delete the hook"))
                })
            })
            .await?;
        if let Some(row) = stray.filter(|_| deleted) {
            self.strays.forget_hook(row);
        }
        Ok(deleted)
    }

    async fn hooks(&self, account: AccountId) -> Result<Vec<Hook>, Error> {
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        let rows = sqlx::query("SELECT * FROM hooks WHERE account = ? ORDER BY number")
            .bind(account)
            .fetch_all(&mut *reader)
            .await
            .map_err(cannot("read the hooks"))?;
        let mut hooks = self.damaged.sift("hooks", &rows, read)?;
        hooks.retain(|hook| !self.strays.is_hook_of_another(account, hook.id));
        Ok(hooks)
    }
}

/// Gives a hook its number and inserts it.
async fn insert(conn: &mut SqliteConnection, account: i64, hook: Hook) -> Result<Hook, Error> {
    let number = accounts::next(conn, account, Numbered::Hook).await?;
    let hook = Hook { number, ..hook };
    match columns::insert(account, &hook).execute(&mut *conn).await {
        Ok(_) => Ok(hook),
        Err(error) => Err(refused(conn, account, error, &hook).await?),
    }
}

pub(super) async fn insert_all(
    conn: &mut SqliteConnection,
    account: i64,
    hooks: Vec<Hook>,
) -> Result<Vec<Hook>, Error> {
    let mut inserted = Vec::with_capacity(hooks.len());
    for hook in hooks {
        inserted.push(insert(conn, account, hook).await?);
    }
    Ok(inserted)
}

/// The numbers of the hooks that run a source.
pub(super) async fn of_source(
    conn: &mut SqliteConnection,
    account: i64,
    source: SourceId,
) -> Result<Vec<Number>, Error> {
    sqlx::query("SELECT number FROM hooks WHERE account = ? AND source = ? ORDER BY number")
        .bind(account)
        .bind(source.as_uuid())
        .fetch_all(conn)
        .await
        .map_err(cannot("read the hooks of the source"))?
        .iter()
        .map(number_or_none)
        .collect()
}

/// The numbers of the hooks that run for one application alone.
pub(super) async fn of_app(
    conn: &mut SqliteConnection,
    account: i64,
    app: AppId,
) -> Result<Vec<Number>, Error> {
    sqlx::query("SELECT number FROM hooks WHERE account = ? AND app = ? ORDER BY number")
        .bind(account)
        .bind(app.as_uuid())
        .fetch_all(conn)
        .await
        .map_err(cannot("read the hooks of the app"))?
        .iter()
        .map(number_or_none)
        .collect()
}

/// The numbers of the hooks that name a server.
pub(super) async fn of_server(
    conn: &mut SqliteConnection,
    account: i64,
    server: ServerId,
) -> Result<Vec<Number>, Error> {
    sqlx::query(
        "SELECT DISTINCT hooks.number AS number FROM servers, hooks, \
         json_each(CASE WHEN json_valid(hooks.servers) THEN hooks.servers ELSE '[]' END) AS named \
         WHERE servers.account = ? AND servers.id = ? AND hooks.account = servers.account \
         AND named.value = servers.number ORDER BY 1",
    )
    .bind(account)
    .bind(server.as_uuid())
    .fetch_all(conn)
    .await
    .map_err(cannot("read the hooks of the server"))?
    .iter()
    .map(number_or_none)
    .collect()
}

/// A hook's number; [`Number::UNASSIGNED`] where it cannot be read. The hook is there all
/// the same, and what it refers to stays.
fn number_or_none(row: &SqliteRow) -> Result<Number, Error> {
    match row.number("number") {
        Err(error) if is_damage(&error) => Ok(Number::UNASSIGNED),
        number => number,
    }
}

/// Which kind they are, and in the other columns what that kind needs.
impl Column<Targets, 4> for Plain {
    fn bind<'q>(query: Values<'q>, targets: &Targets) -> Values<'q> {
        let (kind, servers, app, criteria): (_, &[Number], _, &[Criterion]) = match targets {
            Targets::Once => ("once", &[], None, &[]),
            Targets::All => ("all", &[], None, &[]),
            Targets::These(servers) => ("these", servers, None, &[]),
            Targets::Containers { app, criteria } => ("containers", &[], *app, criteria),
        };
        query
            .bind(kind)
            .bind(json(&servers))
            .bind(app.map(|app| app.as_uuid()))
            .bind(json(&criteria))
    }

    fn read(
        row: &SqliteRow,
        [kind, servers, app, criteria]: [&'static str; 4],
    ) -> Result<Targets, Error> {
        Ok(match row.read(kind)? {
            "once" => Targets::Once,
            "all" => Targets::All,
            "these" => Targets::These(row.json(servers)?),
            "containers" => Targets::Containers {
                app: row.id_opt(app, AppId::from_uuid)?,
                criteria: row.json(criteria)?,
            },
            other => return Err(unreadable(kind, Impossible(other.to_owned()))),
        })
    }
}

/// The event that a hook waits for.
pub(super) fn event(row: &SqliteRow) -> Result<HookPointName, Error> {
    Plain::read(row, ["event"])
}

/// Reads a failure policy; what is not `open` is the stricter one.
pub(super) fn policy(text: &str) -> FailurePolicy {
    if text == "open" {
        FailurePolicy::Open
    } else {
        FailurePolicy::Closed
    }
}

/// Why the database did not take a hook.
async fn refused(
    conn: &mut SqliteConnection,
    account: i64,
    error: sqlx::Error,
    hook: &Hook,
) -> Result<Error, Error> {
    if is_missing(&error) {
        // The database does not say which of the two references leads nowhere.
        if let Targets::Containers { app: Some(app), .. } = hook.targets
            && !apps::exists(conn, account, app).await?
        {
            return Ok(Error::not_found(Noun::App, app));
        }
        return Ok(Error::not_found(Noun::Source, hook.source));
    }
    Ok(match &hook.name {
        Some(name) if is_taken(&error, "hooks.account, hooks.name") => Error::NameTaken {
            what: Noun::Hook,
            name: name.clone(),
        },
        _ => cannot("store the hook")(error),
    })
}
