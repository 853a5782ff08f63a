//! What can be read of hooks, servers and overrides that cannot be read whole, so that
//! they do not allow more by having been damaged.

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{
    AccountId, AppId, DamageStore, DamagedHook, Error, FailurePolicy, HookId, Unreadable,
};

use super::columns::POLICIES;
use super::convert::{Read as _, cannot, is_damage};
use super::strays::Strays;
use super::{Sqlite, hooks, overrides, servers};

const DOING: &str = "read the damaged rows of an account";

/// Tables of which something is salvaged.
const TABLES: [&str; 3] = ["hooks", "servers", "overrides"];

#[async_trait]
impl DamageStore for Sqlite {
    async fn unreadable(&self, account: AccountId) -> Result<Unreadable, Error> {
        // What is damaged has been found by reading it.
        if !self.damaged.has_any(&TABLES) {
            return Ok(Unreadable::default());
        }
        let account = self.number_of(account).await?;
        let mut reader = self.readers.of(account).await?;
        of(&mut reader, &self.strays, account).await
    }

    fn unreadable_rows(&self) -> Vec<(&'static str, u64)> {
        self.damaged.counts()
    }
}

async fn of(
    conn: &mut SqliteConnection,
    strays: &Strays,
    account: i64,
) -> Result<Unreadable, Error> {
    let mut rows = async |sql: &'static str| {
        sqlx::query(sql)
            .bind(account)
            .fetch_all(&mut *conn)
            .await
            .map_err(cannot(DOING))
    };
    let mut unreadable = Unreadable::default();
    for row in rows("SELECT * FROM hooks WHERE account = ?").await? {
        let is_anothers = row
            .id("id", HookId::from_uuid)
            .is_ok_and(|id| strays.is_hook_of_another(account, id));
        if is_damaged(hooks::read(&row))? && may_run(&row) && !is_anothers {
            unreadable.hooks.push(hook(&row));
        }
    }
    for row in rows("SELECT * FROM servers WHERE account = ?").await? {
        unreadable.servers += usize::from(is_damaged(servers::read(&row))?);
    }
    for row in rows("SELECT * FROM overrides WHERE account = ?").await? {
        if is_damaged(overrides::read(&row))? {
            let app = row.id("app", AppId::from_uuid).ok();
            let hook = row.id("hook", HookId::from_uuid).ok();
            unreadable.overrides.push((app, hook));
        }
    }
    strays.add_to(&mut unreadable, account);
    Ok(unreadable)
}

fn is_damaged<T>(read: Result<T, Error>) -> Result<bool, Error> {
    match read {
        Ok(_) => Ok(false),
        Err(error) if is_damage(&error) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Whether it may be switched on: one that surely is not fails nothing.
pub(super) fn may_run(row: &SqliteRow) -> bool {
    let off = row.bool("enabled").is_ok_and(|enabled| !enabled);
    let own = row.bool("managed").is_ok_and(|managed| !managed);
    !(off && own)
}

pub(super) fn hook(row: &SqliteRow) -> DamagedHook {
    DamagedHook {
        id: row.id("id", HookId::from_uuid).ok(),
        number: row.number("number").ok(),
        event: hooks::event(row).ok(),
        failure_policy: row
            .word("failure_policy", &POLICIES)
            .unwrap_or(FailurePolicy::Closed),
    }
}
