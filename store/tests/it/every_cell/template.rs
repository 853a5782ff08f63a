//! A database with a row in every table of each account: those that are damaged, of which the
//! first is the operator's, and another one.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sqlx::ConnectOptions as _;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use tempfile::TempDir;
use tenterhook_delivery::{
    NewDelivery, Outbox as _, QueueLimit, Secret as Signing, Subscription, SubscriptionId,
};
use tenterhook_dispatch::{
    Account, AccountId, AppStore as _, ClockStore as _, Dispatcher, Hook, IdentityStore as _,
    LifecycleStore as _, NodeId, OverrideStore as _, Recipe, ResultStore as _, Role, Secret,
    ServerStore as _, Settings, Settlement, Source, SourceStore as _, State, Targets, TaskChange,
    TaskStore as _, Token, TokenId, TokenKind,
};
use tenterhook_engine::{AskedLimits, Digest};
use tenterhook_maintenance::{SessionStore as _, Stored};
use tenterhook_session::{
    GroupConstraint, Host, InstanceAction, InstanceConstraint, Inventory, Metadata, Plan, Session,
    State as Stage, Workflow,
};
use tenterhook_store::Sqlite;
use uuid::Uuid;

use super::home::ENGINE;
use crate::damaged::LONG;
use crate::support::{
    Shop, app, at, ended_well, hook, hook_override, new_task, principal, server, source,
};

/// Accounts that are damaged.
pub(super) const OWN: usize = 16;

/// A closed database whose schema takes any value, and what is in it.
pub(super) struct Template {
    folder: TempDir,
    /// The accounts that are damaged, each with the secret of a token. Their numbers count
    /// from one.
    pub(super) own: Vec<(AccountId, String)>,
    pub(super) other: AccountId,
    pub(super) other_secret: String,
    /// The schema as it was, by table.
    pub(super) strict: HashMap<String, String>,
    kinds: HashMap<(String, String), (String, bool)>,
}

impl Template {
    pub(super) async fn create() -> Self {
        let folder = folder();
        let path = folder.path().join("test.db");
        let store = Sqlite::open(&path).await.unwrap();
        let mut accounts = accounts(&store).await;
        let other = accounts.pop().unwrap();
        let mut own = Vec::new();
        for account in accounts {
            let script = format!("echo {}\n", account.name);
            own.push(fill(&store, account, script.into()).await);
        }
        let (other, other_secret) = fill(&store, other, "echo hi\n".into()).await;
        store.see_clock(at(20)).await.unwrap();
        store.close().await.unwrap();
        drop(store);
        let mut conn = open(&path).await;
        for sql in [
            "INSERT INTO set_aside (task, reason, at) SELECT min(seq), 'why', 0 FROM tasks \
             WHERE account < (SELECT max(number) FROM accounts) GROUP BY account",
            "INSERT INTO seen (account, source, id, type, task, number, started_by, total, cancelled, state, \
             created_at, ended_at) SELECT number, '/s', 'i', 'custom.x', zeroblob(16), 77, 'ada', 1, 0, 'FINISHED', \
             1700000000000000, 1700000000000000 FROM accounts",
        ] {
            sqlx::query(sql).execute(&mut conn).await.unwrap();
        }
        let kinds = kinds(&mut conn).await;
        let strict = loosen(&mut conn).await;
        drop(conn);
        Self {
            folder,
            own,
            other,
            other_secret,
            strict,
            kinds,
        }
    }

    pub(super) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("test.db")
    }

    pub(super) async fn open(&self) -> SqliteConnection {
        open(&self.path()).await
    }

    /// The type that a column is declared with, and whether it must have a value.
    pub(super) fn kind_of(&self, table: String, column: String) -> (String, bool) {
        self.kinds[&(table, column)].clone()
    }
}

/// A folder for databases of which nothing needs to outlive the machine: in memory, if the
/// system has a place there.
pub(super) fn folder() -> TempDir {
    let in_memory = tempfile::tempdir_in("/dev/shm");
    in_memory.or_else(|_| tempfile::tempdir()).unwrap()
}

/// Opens a database to change what may not be changed.
pub(crate) async fn open(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(false)
        .synchronous(SqliteSynchronous::Off)
        .pragma("ignore_check_constraints", "on")
        .pragma("writable_schema", "on")
        .connect()
        .await
        .unwrap()
}

async fn kinds(conn: &mut SqliteConnection) -> HashMap<(String, String), (String, bool)> {
    let rows = sqlx::query(
        "SELECT tables.name AS table_name, columns.name AS name, columns.type AS type, \
         columns.\"notnull\" AS required FROM sqlite_schema AS tables, \
         pragma_table_xinfo(tables.name) AS columns WHERE tables.type = 'table'",
    )
    .fetch_all(conn)
    .await
    .unwrap();
    rows.iter()
        .map(|row| {
            let is_required = row.get::<i64, _>("required") != 0;
            let place = (row.get("table_name"), row.get("name"));
            (place, (row.get("type"), is_required))
        })
        .collect()
}

/// Puts the schema back as it was.
pub(crate) async fn tighten(conn: &mut SqliteConnection, strict: &HashMap<String, String>) {
    for (name, sql) in strict {
        sqlx::query("UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?")
            .bind(sql)
            .bind(name)
            .execute(&mut *conn)
            .await
            .unwrap();
    }
}

/// Lets every column take every value, for who opens the database after this; returns the
/// schema as it was.
pub(crate) async fn loosen(conn: &mut SqliteConnection) -> HashMap<String, String> {
    let rows = sqlx::query(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%'",
    )
    .fetch_all(&mut *conn)
    .await
    .unwrap();
    let strict: HashMap<String, String> = rows
        .iter()
        .map(|row| (row.get("name"), row.get("sql")))
        .collect();
    for (name, sql) in &strict {
        let loose = sql
            .replace("STRICT, WITHOUT ROWID", "WITHOUT ROWID")
            .replace(") STRICT", ")")
            .replace(" IS NOT NULL", " IS_NOT_NULL")
            .replace(" NOT NULL", "")
            .replace(" IS_NOT_NULL", " IS NOT NULL")
            .replace("TEXT", "BLOB");
        sqlx::query("UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?")
            .bind(loose)
            .bind(name)
            .execute(&mut *conn)
            .await
            .unwrap();
    }
    strict
}

/// Makes the accounts, each with the sources that come with it: no server has to give it
/// those again.
async fn accounts(store: &Sqlite) -> Vec<Account> {
    let shared = Arc::new(store.clone());
    let dispatcher = Dispatcher::start(shared, ENGINE.clone(), Settings::default())
        .await
        .unwrap();
    let mut accounts = Vec::new();
    for number in 1..=OWN {
        let made = dispatcher.accounts().create(&format!("own-{number}")).await;
        accounts.push(made.unwrap());
    }
    accounts.push(dispatcher.accounts().create("other").await.unwrap());
    dispatcher.drain(LONG).await;
    accounts
}

/// Gives an account one of everything; returns it and the secret of its token.
async fn fill(store: &Sqlite, account: Account, script: Bytes) -> (AccountId, String) {
    let id = account.id;
    let principal = principal(&account, "ada");
    store.insert_principal(principal.clone()).await.unwrap();
    let secret = Secret::generate();
    let token = Token {
        id: TokenId::generate(),
        account: id,
        principal: principal.id,
        name: "owner".into(),
        role: Role::Admin,
        kind: TokenKind::Issued,
        parent: None,
        created_at: at(1),
        expires_at: None,
        used_at: Some(at(2)),
    };
    store
        .insert_token(token.clone(), secret.hash())
        .await
        .unwrap();
    let session = Token {
        id: TokenId::generate(),
        kind: TokenKind::Session,
        parent: Some(token.id),
        expires_at: Some(at(1_000_000_000)),
        ..token
    };
    let bounds = tenterhook_dispatch::SessionBounds::DEFAULT;
    store
        .insert_login(session, Secret::generate().hash(), bounds)
        .await
        .unwrap();
    store.insert_server(id, server("node-1")).await.unwrap();
    let source = Source {
        digest: Digest::of(&script),
        size_bytes: script.len() as u64,
        ..source("a.sh")
    };
    let bound = Hook {
        targets: Targets::Once,
        limits: AskedLimits::default(),
        ..hook(source.id)
    };
    let (source, mut hooks) = store
        .insert_source(id, source, script, vec![bound])
        .await
        .unwrap();
    let shop = Shop {
        account,
        principal,
        source,
        hook: hooks.swap_remove(0),
    };
    let app = store.insert_app(id, app("shop")).await.unwrap();
    store
        .insert_override(id, hook_override(app.id, shop.hook.id))
        .await
        .unwrap();
    tasks(store, &shop).await;
    webhooks(store, id).await;
    sessions(store, id).await;
    (id, secret.reveal().to_owned())
}

/// One that is over, one that waits, one that another run of the server has begun.
async fn tasks(store: &Sqlite, shop: &Shop) {
    let node = NodeId::generate();
    for (number, state) in [(0, "waits"), (1, "is over"), (2, "has begun")] {
        let mut task = new_task(shop, "custom.x", 1);
        task.executions[0].recipe = Arc::new(Recipe::of(&shop.hook, &shop.source));
        task.created_at = at(10 + number);
        if state == "has begun" {
            task.owner = Some(node);
        }
        store.insert_tasks(vec![task.clone()]).await.unwrap();
        if state == "is over" {
            let mut first = ended_well(task.executions[0].id);
            first.state = State::Waiting;
            first.due_at = Some(at(13));
            first.wait = Some(Duration::from_secs(1));
            first.record.ended_at = None;
            let mut second = ended_well(task.executions[0].id);
            second.record.attempt = 2;
            let settlement = Settlement {
                account: task.account,
                task: task.id,
                execution: Some(first),
                task_change: TaskChange::None,
            };
            store.record_result(settlement).await.unwrap();
            let settlement = Settlement {
                account: task.account,
                task: task.id,
                execution: Some(second),
                task_change: TaskChange::Ended {
                    state: State::Finished,
                    started_at: Some(at(11)),
                    at: at(12),
                },
            };
            store.record_result(settlement).await.unwrap();
        }
    }
}

async fn webhooks(store: &Sqlite, account: AccountId) {
    let own = Subscription {
        id: SubscriptionId(Uuid::new_v4()),
        account: account.as_uuid(),
        url: "http://127.0.0.1:1/".into(),
        events: vec!["maintenance.host".into()],
        project: Some("blue".into()),
        secret: Signing::from_bytes((0..24).collect()).unwrap(),
        enabled: true,
        paused_until: Some(at(0)),
        created_at: at(1),
    };
    store.insert_subscription(own.clone()).await.unwrap();
    let deliveries = (0..2).map(|_| NewDelivery {
        id: Uuid::new_v4(),
        subscription: own.id,
        kind: "maintenance.host".into(),
        body: b"{}".into(),
        // Not old enough to be forgotten.
        created_at: tenterhook_dispatch::now(),
        due_at: tenterhook_dispatch::now(),
        refused: None,
    });
    let limit = QueueLimit {
        max_waiting: 100,
        reason: "evicted",
    };
    store
        .insert_deliveries(deliveries.collect(), limit)
        .await
        .unwrap();
}

async fn sessions(store: &Sqlite, account: AccountId) {
    let mut inventory = Inventory::default();
    inventory.hosts.insert("node-1".into(), Host::default());
    let plan = Plan {
        hosts: vec!["node-1".into()],
        state: Stage::Maintenance,
        maintenance_at: at(1_000_000_000),
        workflow: Workflow::Source("mine".into()),
        metadata: Metadata::default(),
        download: Vec::new(),
        actions: Vec::new(),
    };
    let mut session = Session::new(Uuid::new_v4(), plan, &inventory, at(1));
    let steps = session.take_steps();
    let stored = Stored {
        account,
        session,
        created_by: "ada".into(),
        base_url: "http://10.0.0.5:8080".into(),
        created_at: at(1),
    };
    store.insert_session(stored, steps, 9).await.unwrap();
    let group = GroupConstraint {
        group_id: "g".into(),
        project_id: "blue".into(),
        group_name: "pair".into(),
        anti_affinity_group: true,
        max_instances_per_host: 0,
        max_impacted_members: 1,
        recovery_time: 60,
        resource_mitigation: false,
    };
    store.put_group_constraint(account, group).await.unwrap();
    let instance = InstanceConstraint {
        instance_id: "i".into(),
        project_id: "blue".into(),
        group_id: "g".into(),
        instance_name: "vm".into(),
        max_interruption_time: 120,
        migration_type: InstanceAction::LiveMigrate,
        resource_mitigation: true,
        lead_time: 40,
    };
    store
        .put_instance_constraint(account, instance)
        .await
        .unwrap();
}
