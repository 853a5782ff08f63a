//! A database that is damaged, and a server on it.

use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;
use tenterhook_dispatch::{
    AccountId, Dispatcher, HookStore as _, NewTask, Recipe, Store, Targets, TaskStore as _,
};
use tenterhook_engine::{AskedLimits, Engine};
use tenterhook_sdk::Event;
use tenterhook_store::Sqlite;

use crate::every_cell::template::{loosen, open, tighten};
use crate::support::{Shop, new_task};

/// Longer than anything takes here.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// What the database's pages take.
const PAGE_BYTES: usize = 4_096;

/// An open store, and a second way to its file.
pub(crate) struct Damaged {
    pub(crate) store: Sqlite,
    pub(crate) shop: Shop,
    pub(crate) conn: SqliteConnection,
    pub(crate) folder: TempDir,
}

impl Damaged {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let store = Sqlite::open(&path).await.unwrap();
        let shop = Shop::open(&store).await;
        let conn = SqliteConnectOptions::new()
            .filename(&path)
            .pragma("ignore_check_constraints", "on")
            .connect()
            .await
            .unwrap();
        Self {
            store,
            shop,
            conn,
            folder,
        }
    }

    /// Stores a task that has a recipe of its own.
    pub(crate) async fn task(&self, name: &str) -> NewTask {
        let mut task = new_task(&self.shop, "custom.x", 1);
        let mut source = self.shop.source.clone();
        source.name = name.into();
        task.executions[0].recipe = Arc::new(Recipe::of(&self.shop.hook, &source));
        self.store.insert_tasks(vec![task.clone()]).await.unwrap();
        task
    }

    /// Changes rows to what their columns do not allow.
    pub(crate) async fn loosely(&mut self, sql: &str) {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut self.conn)
            .await
            .unwrap();
        let path = self.folder.path().join("test.db");
        let mut conn = open(&path).await;
        let strict = loosen(&mut conn).await;
        conn.close().await.unwrap();
        let mut conn = open(&path).await;
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
            .execute(&mut conn)
            .await
            .unwrap();
        tighten(&mut conn, &strict).await;
        conn.close().await.unwrap();
    }

    /// Writes over the first page of a table or an index.
    pub(crate) async fn break_page(&mut self, name: &str) {
        let page = self.first_page(name).await;
        self.overwrite(page).await;
    }

    /// Writes over a page in the middle of a table or an index that has several.
    pub(crate) async fn break_leaf(&mut self, name: &str) {
        let first = self.first_page(name).await;
        let bytes = std::fs::read(self.folder.path().join("test.db")).unwrap();
        let at = PAGE_BYTES * (usize::try_from(first).unwrap() - 1);
        let number = |at: usize, length: usize| {
            let bytes = bytes[at..at + length].iter();
            bytes.fold(0, |sum, byte| sum << 8 | usize::from(*byte))
        };
        assert!(matches!(bytes[at], 2 | 5), "{name} has one page");
        let cells = number(at + 3, 2);
        let cell = number(at + 12 + 2 * (cells / 2), 2);
        let leaf = number(at + cell, 4);
        self.overwrite(i64::try_from(leaf).unwrap()).await;
    }

    async fn first_page(&mut self, name: &str) -> i64 {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut self.conn)
            .await
            .unwrap();
        let find = sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = ?");
        find.bind(name).fetch_one(&mut self.conn).await.unwrap()
    }

    async fn overwrite(&mut self, page: i64) {
        let find = sqlx::query_scalar("PRAGMA page_size");
        let size: i64 = find.fetch_one(&mut self.conn).await.unwrap();
        assert_eq!(size, PAGE_BYTES as i64);
        let file = std::fs::File::options()
            .write(true)
            .open(self.folder.path().join("test.db"))
            .unwrap();
        let at = u64::try_from((page - 1) * size).unwrap();
        file.write_all_at(&[0xff; PAGE_BYTES], at).unwrap();
    }

    pub(crate) async fn damage(&mut self, sql: &'static str) {
        let done = sqlx::query(sql).execute(&mut self.conn).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{sql}");
    }

    /// A second account whose hook for `custom.x` ends well, whatever is damaged of the first.
    pub(crate) async fn other(&self) -> Shop {
        let mut shop = Shop::named(&self.store, "other").await;
        shop.hook.targets = Targets::Once;
        shop.hook.limits = AskedLimits::default();
        let (account, hook) = (shop.account.id, shop.hook.clone());
        self.store.update_hook(account, hook).await.unwrap();
        shop
    }

    /// What `check-data` reports of one kind.
    pub(crate) async fn faults(&self, name: &str) -> Vec<String> {
        let path = self.folder.path().join("test.db");
        let checked = tenterhook_store::check(&path).await.unwrap();
        let checked = checked.into_iter().find(|checked| checked.name == name);
        checked.unwrap().faults
    }

    /// A server on the damaged database.
    pub(crate) async fn serve(&self) -> Dispatcher {
        let path = self.folder.path().join("test.db");
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&path).await.unwrap());
        let engine = Engine::start(tenterhook_engine::Settings::default()).unwrap();
        let settings = tenterhook_dispatch::Settings::default();
        Dispatcher::start(store, engine, settings).await.unwrap()
    }

    /// What an event of the first account comes to on such a server.
    pub(crate) async fn ruling(&self, event: &str) -> (usize, Option<bool>) {
        let dispatcher = self.serve().await;
        let ruling = ruling(&dispatcher, self.shop.account.id, event).await;
        dispatcher.drain(LONG).await;
        ruling
    }
}

/// How many executions an event causes, and whether what it announces may proceed.
pub(crate) async fn ruling(
    dispatcher: &Dispatcher,
    account: AccountId,
    event: &str,
) -> (usize, Option<bool>) {
    let event = Event::new(uuid::Uuid::new_v4().to_string(), "/test", event, None);
    let (_, detail) = dispatcher
        .events()
        .accept_and_wait(account, "tester", event, LONG)
        .await
        .unwrap();
    assert!(detail.task.state.is_over(), "{detail:?}");
    let allow = detail.ruling().map(|ruling| ruling.allow);
    (detail.executions.len(), allow)
}
