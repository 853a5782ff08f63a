//! Hooks, servers and overrides that stand under an account that cannot be theirs: what
//! the row has as its account was damaged.
//!
//! Such a row is not found by its account, so a hook that denies would be gone with its
//! account's number. Whose it is the rows tell that it refers to and that refer to it: any
//! of them may be damaged as well, so the account counts that most of them name, several
//! if as many name each, and every account if nothing names one. What cannot be read must
//! not allow more. Strays are looked for when the database is opened; nothing is changed
//! in them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use parking_lot::RwLock;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tenterhook_dispatch::{AppId, DamagedHook, Error, HookId, OverrideId, Unreadable};

use super::convert::{Impossible, Read as _, cannot, unreadable};
use super::damaged::{self, Damaged};
use super::salvage;

const DOING: &str = "look for rows that stand under a wrong account";

/// Rows whose account is damaged, as they were when the database was opened. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Strays(Arc<RwLock<StrayRows>>);

#[derive(Debug, Default)]
struct StrayRows {
    hooks: Vec<Stray<DamagedHook>>,
    servers: Vec<Stray<()>>,
    overrides: Vec<Stray<Override>>,
}

/// What can be read of an override.
#[derive(Debug)]
struct Override {
    id: Option<OverrideId>,
    app: Option<AppId>,
    hook: Option<HookId>,
}

#[derive(Debug)]
struct Stray<T> {
    row: i64,
    owners: Owners,
    is: T,
}

/// Whose a row may be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owners {
    These(BTreeSet<i64>),
    /// Nothing shows it.
    Any,
}

/// One table in which they are looked for.
struct Table {
    name: &'static str,
    /// Rows of which the account is none, or one that they cannot belong to.
    strays: &'static str,
    /// How much names which account as that of a row: `row_id`, `account`, `votes`.
    owners: &'static str,
}

/// An account that is there, or was: its own row may be what is damaged.
macro_rules! known {
    ($account:literal) => {
        concat!(
            "typeof(",
            $account,
            ") = 'integer' AND (",
            $account,
            " IN (SELECT number FROM accounts) OR ",
            $account,
            " IN (SELECT disk.account FROM disk))"
        )
    };
}

macro_rules! strays {
    ($table:literal, $belongs:literal) => {
        concat!(
            "SELECT rowid AS row_id, * FROM ",
            $table,
            " WHERE NOT (",
            known!("account"),
            $belongs,
            ")"
        )
    };
}

macro_rules! hooks {
    () => {
        strays!(
            "hooks",
            " AND EXISTS (SELECT 1 FROM sources WHERE sources.account = hooks.account AND sources.id = hooks.source)"
        )
    };
}
macro_rules! servers {
    () => {
        strays!("servers", "")
    };
}
macro_rules! overrides {
    () => {
        strays!(
            "overrides",
            " AND EXISTS (SELECT 1 FROM hooks WHERE hooks.account = overrides.account AND hooks.id = overrides.hook) \
              AND EXISTS (SELECT 1 FROM apps WHERE apps.account = overrides.account AND apps.id = overrides.app)"
        )
    };
}

macro_rules! votes {
    ($strays:expr, $votes:literal) => {
        concat!(
            "WITH stray AS MATERIALIZED (",
            $strays,
            "), vote (row_id, by, account) AS (",
            $votes,
            " UNION SELECT row_id, 'own', account FROM stray) \
             SELECT row_id, account, count(*) AS votes FROM vote WHERE ",
            known!("account"),
            " GROUP BY row_id, account"
        )
    };
}

const HOOKS: Table = Table {
    name: "hooks",
    strays: hooks!(),
    owners: votes!(
        hooks!(),
        "SELECT row_id, 'source', sources.account FROM stray CROSS JOIN sources ON sources.id = stray.source \
         UNION SELECT row_id, 'by', principals.account FROM stray CROSS JOIN principals \
         ON principals.id IN (stray.created_by, stray.modified_by, stray.values_by) \
         UNION SELECT row_id, 'app', apps.account FROM stray CROSS JOIN apps ON apps.id = stray.app \
         UNION SELECT row_id, 'override', overrides.account FROM stray CROSS JOIN overrides \
         ON overrides.hook = stray.id"
    ),
};

/// Nothing that must be there names a server: it may be one that an account lacks.
const SERVERS: Table = Table {
    name: "servers",
    strays: servers!(),
    owners: votes!(
        servers!(),
        "SELECT row_id, 'gap', accounts.number FROM stray CROSS JOIN accounts \
         ON typeof(stray.number) <> 'integer' OR NOT stray.number > accounts.last_server \
         WHERE NOT EXISTS (SELECT 1 FROM servers AS own WHERE own.account = accounts.number \
         AND own.number = stray.number)"
    ),
};

const OVERRIDES: Table = Table {
    name: "overrides",
    strays: overrides!(),
    owners: votes!(
        overrides!(),
        "SELECT row_id, 'hook', hooks.account FROM stray CROSS JOIN hooks ON hooks.id = stray.hook \
         UNION SELECT row_id, 'app', apps.account FROM stray CROSS JOIN apps ON apps.id = stray.app"
    ),
};

impl Strays {
    /// Looks for them, and logs each. A table that cannot be read to its end has none that
    /// are known: reading it reports that.
    pub(super) async fn find(
        conn: &mut SqliteConnection,
        damaged: &Damaged,
    ) -> Result<Self, Error> {
        let mut found = StrayRows::default();
        for (row, owners) in rows(conn, damaged, &HOOKS).await? {
            if !salvage::may_run(&row) {
                continue;
            }
            let hook = salvage::hook(&row);
            found.hooks.push(Stray::of(&row, owners, hook)?);
        }
        for (row, owners) in rows(conn, damaged, &SERVERS).await? {
            found.servers.push(Stray::of(&row, owners, ())?);
        }
        for (row, owners) in rows(conn, damaged, &OVERRIDES).await? {
            let is = Override {
                id: row.id("id", OverrideId::from_uuid).ok(),
                app: row.id("app", AppId::from_uuid).ok(),
                hook: row.id("hook", HookId::from_uuid).ok(),
            };
            found.overrides.push(Stray::of(&row, owners, is)?);
        }
        Ok(Self(Arc::new(RwLock::new(found))))
    }

    /// Adds what may be this account's to what of it cannot be read.
    pub(super) fn add_to(&self, unreadable: &mut Unreadable, account: i64) {
        let found = self.0.read();
        let hooks = found.hooks.iter().filter(|stray| stray.may_be_of(account));
        unreadable.hooks.extend(hooks.map(|stray| DamagedHook {
            // No account is shown the identifiers of another.
            id: stray.is.id.filter(|_| stray.owners != Owners::Any),
            number: stray.is.number.filter(|_| stray.owners != Owners::Any),
            ..stray.is.clone()
        }));
        let servers = found.servers.iter();
        unreadable.servers += servers.filter(|stray| stray.may_be_of(account)).count();
        let overrides = found.overrides.iter();
        let overrides = overrides.filter(|stray| stray.may_be_of(account));
        let both = overrides.map(|stray| (stray.is.app, stray.is.hook));
        unreadable.overrides.extend(both);
    }

    /// Whether a hook that stands under an account is another's.
    pub(super) fn is_hook_of_another(&self, account: i64, id: HookId) -> bool {
        let found = self.0.read();
        let mut hooks = found.hooks.iter();
        hooks.any(|stray| stray.is.id == Some(id) && !stray.may_be_of(account))
    }

    /// The same of an override.
    pub(super) fn is_override_of_another(&self, account: i64, id: OverrideId) -> bool {
        let found = self.0.read();
        let mut overrides = found.overrides.iter();
        overrides.any(|stray| stray.is.id == Some(id) && !stray.may_be_of(account))
    }

    /// The row of a hook that an account is known to own, so that it can be removed.
    pub(super) fn row_of_hook(&self, account: i64, id: HookId) -> Option<i64> {
        let found = self.0.read();
        let mut hooks = found.hooks.iter();
        let is_own = |stray: &&Stray<DamagedHook>| {
            stray.is.id == Some(id) && stray.owners != Owners::Any && stray.may_be_of(account)
        };
        hooks.find(is_own).map(|stray| stray.row)
    }

    /// Forgets a hook that was removed.
    pub(super) fn forget_hook(&self, row: i64) {
        self.0.write().hooks.retain(|stray| stray.row != row);
    }
}

impl<T> Stray<T> {
    fn of(row: &SqliteRow, owners: Owners, is: T) -> Result<Self, Error> {
        let row = row.read("row_id")?;
        Ok(Self { row, owners, is })
    }

    fn may_be_of(&self, account: i64) -> bool {
        match &self.owners {
            Owners::These(accounts) => accounts.contains(&account),
            Owners::Any => true,
        }
    }
}

/// The stray rows of a table, each with whose it may be.
async fn rows(
    conn: &mut SqliteConnection,
    damaged: &Damaged,
    table: &Table,
) -> Result<Vec<(SqliteRow, Owners)>, Error> {
    // Reading a table that is damaged itself reports that, and an event that needs it fails.
    let found = sqlx::query(table.strays)
        .fetch_all(&mut *conn)
        .await
        .map_err(cannot(DOING));
    let found = damaged.spare(table.name, found)?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    // Where that cannot be read, no account can be ruled out.
    let named = sqlx::query(table.owners)
        .fetch_all(&mut *conn)
        .await
        .map_err(cannot(DOING));
    let named = damaged.spare(table.name, named)?;
    let mut votes: HashMap<i64, BTreeMap<i64, BTreeSet<i64>>> = HashMap::new();
    for one in &named {
        let of_row = votes.entry(one.read("row_id")?).or_default();
        let accounts = of_row.entry(one.read("votes")?).or_default();
        accounts.insert(one.read("account")?);
    }
    let mut strays = Vec::new();
    for row in found {
        let of_row = votes.remove(&row.read("row_id")?).unwrap_or_default();
        let owners = of_row.into_values().next_back();
        // What it lacks is damaged then, and not its account.
        let is_at_home = |owners: &BTreeSet<i64>| {
            owners.len() == 1
                && row
                    .read("account")
                    .is_ok_and(|own: i64| owners.contains(&own))
        };
        if owners.as_ref().is_some_and(is_at_home) {
            continue;
        }
        let owners = owners.map_or(Owners::Any, Owners::These);
        report(damaged, table.name, &row, &owners);
        strays.push((row, owners));
    }
    Ok(strays)
}

fn report(damaged: &Damaged, table: &'static str, row: &SqliteRow, owners: &Owners) {
    let whose = match owners {
        Owners::These(accounts) => {
            format!("another than {accounts:?}, whose it is by what it refers to")
        }
        Owners::Any => "none that it can belong to; it counts for every account".to_owned(),
    };
    let error = match row.read::<i64>("account") {
        Ok(_) => unreadable("account", Impossible(whose)),
        Err(error) => error,
    };
    damaged.report(table, damaged::key(row), &error);
}
