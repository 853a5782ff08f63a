//! A copy of the template with wrong values, and a server on it.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tempfile::TempDir;
use tenterhook_delivery::Webhooks;
use tenterhook_dispatch::{
    AccountId, AccountStore as _, AppStore as _, Dispatcher, Error, ExecutionFilter, Identity, Key,
    Lookup, Outputs, OverrideStore as _, Page, Settings, TaskDetail, TaskFilter, TaskId,
};
use tenterhook_engine::Engine;
use tenterhook_maintenance::Maintenance;
use tenterhook_sdk::Event;
use tenterhook_store::Sqlite;

use super::Case;
use super::template::{self, Template};

const LONG: Duration = Duration::from_secs(60);

pub(super) static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    Engine::start(tenterhook_engine::Settings::default()).expect("the engine starts")
});

/// A database with a wrong value in each of the accounts that are damaged.
pub(super) struct Home<'c> {
    folder: TempDir,
    /// The cases that the database has taken, each with the place of its account.
    pub(super) made: Vec<(usize, &'c Case)>,
}

/// A server on it.
pub(super) struct Server {
    store: Sqlite,
    dispatcher: Dispatcher,
    delivery: Webhooks,
    maintenance: Maintenance,
}

/// How much an account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) hooks: usize,
    pub(super) sources: usize,
    pub(super) servers: usize,
    pub(super) apps: usize,
    pub(super) overrides: usize,
    pub(super) principals: usize,
    pub(super) tokens: usize,
    pub(super) tasks: usize,
    pub(super) executions: usize,
    pub(super) webhooks: usize,
    pub(super) deliveries: usize,
    pub(super) sessions: usize,
}

/// Which row of a table is damaged: one of the account with this number.
fn row_of(table: &str, account: usize) -> String {
    let own = format!("account = {account}");
    match table {
        "account_recipes" | "account_programs" => {
            format!("{own} AND digest = (SELECT digest FROM sources WHERE {own} AND preloaded = 0)")
        }
        "sources" => format!("{own} AND preloaded = 0"),
        "programs" => {
            format!("digest = (SELECT digest FROM sources WHERE {own} AND preloaded = 0)")
        }
        "session_steps" => {
            format!("{own} AND serial = (SELECT min(serial) FROM session_steps WHERE {own})")
        }
        "deliveries" => format!(
            "seq = (SELECT min(deliveries.seq) FROM deliveries JOIN webhooks ON webhooks.id = deliveries.webhook \
             WHERE webhooks.{own})"
        ),
        "recipes" => format!("id = (SELECT recipe FROM executions WHERE {own})"),
        "accounts" => format!("number = {account}"),
        "set_aside" => format!("task IN (SELECT seq FROM tasks WHERE {own})"),
        "clock" | "probe" => "1".into(),
        "tasks" | "executions" => format!("seq = (SELECT max(seq) FROM {table} WHERE {own})"),
        "tokens" => format!("{own} AND kind = 'issued'"),
        _ => own,
    }
}

impl<'c> Home<'c> {
    /// Damages a copy, as far as the database takes the values.
    pub(super) async fn damaged(template: &Template, cases: &[&'c Case]) -> Self {
        let mut home = Self {
            folder: template::folder(),
            made: Vec::new(),
        };
        std::fs::copy(template.path(), home.path()).unwrap();
        let mut conn = template::open(&home.path()).await;
        for (own, case) in cases.iter().enumerate() {
            let (table, column, value) = (&case.table, &case.column, case.value);
            let text = format!(
                "UPDATE \"{table}\" SET \"{column}\" = {value} WHERE {}",
                row_of(table, own + 1)
            );
            let done = sqlx::query(sqlx::AssertSqlSafe(text))
                .execute(&mut conn)
                .await;
            let is_done = done.is_ok_and(|done| done.rows_affected() > 0);
            if is_done && home.exists(&mut conn, case).await {
                home.made.push((own, case));
            }
        }
        template::tighten(&mut conn, &template.strict).await;
        sqlx::Connection::close(conn).await.unwrap();
        home
    }

    /// Whether the value is there, in the row itself: an index may have what the row had.
    async fn exists(&self, conn: &mut sqlx::SqliteConnection, case: &Case) -> bool {
        let (table, column, value) = (&case.table, &case.column, case.value);
        let text = format!(
            "SELECT count(*) FROM \"{table}\" NOT INDEXED WHERE \"{column}\" IS {value} \
             AND typeof(\"{column}\") = typeof({value})"
        );
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(text))
            .fetch_one(conn)
            .await
            .unwrap();
        count > 0
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    pub(super) async fn start(&self) -> Server {
        let store = Sqlite::open(&self.path()).await.unwrap();
        let shared = Arc::new(store.clone());
        let dispatcher = Dispatcher::start(shared.clone(), ENGINE.clone(), Settings::default())
            .await
            .unwrap();
        dispatcher.ready().await.unwrap();
        let delivery = Webhooks::start(
            shared.clone(),
            tenterhook_delivery::Settings::default(),
            tenterhook_ledger::Ledger::default(),
        )
        .await
        .unwrap();
        let maintenance = Maintenance::start(
            dispatcher.clone(),
            delivery.clone(),
            shared,
            tenterhook_maintenance::Settings::default(),
        )
        .await
        .unwrap();
        Server {
            store,
            dispatcher,
            delivery,
            maintenance,
        }
    }

    /// The cases whose values are there still.
    pub(super) async fn left(&self) -> Vec<&'c Case> {
        let mut conn = template::open(&self.path()).await;
        let mut left = Vec::new();
        for (_, case) in &self.made {
            if self.exists(&mut conn, case).await {
                left.push(*case);
            }
        }
        left
    }

    /// What `check-data` reports of rows, and of what they refer to.
    pub(super) async fn faults(&self) -> Vec<String> {
        let checked = tenterhook_store::check(&self.path()).await.unwrap();
        let told = checked
            .into_iter()
            .filter(|checked| ["rows", "references"].contains(&checked.name));
        told.flat_map(|checked| checked.faults).collect()
    }
}

impl Server {
    /// Fires an event and waits for its end.
    pub(super) async fn fire(&self, account: AccountId) -> Result<TaskId, Error> {
        let id = uuid::Uuid::new_v4().to_string();
        let event = Event::new(id, "/fired", "custom.x", None);
        let fired = self
            .dispatcher
            .events()
            .accept_and_wait(account, "tester", event, LONG)
            .await?;
        assert!(fired.1.task.state.is_over(), "{fired:?}");
        Ok(fired.0.task.id)
    }

    async fn detail(&self, account: AccountId, task: &TaskId) -> Option<TaskDetail> {
        self.dispatcher
            .tasks()
            .get(account, Key::Id(*task))
            .await
            .ok()
    }

    pub(super) async fn stdout_of(&self, account: AccountId, task: &TaskId) -> String {
        let detail = self.detail(account, task).await.unwrap();
        let stdout = detail.executions[0].latest.output.stdout.to_vec();
        String::from_utf8(stdout).unwrap()
    }

    /// Whether what the event announces may go on.
    pub(super) async fn allows(&self, account: AccountId, task: &TaskId) -> bool {
        let detail = self.detail(account, task).await;
        detail.is_some_and(|detail| detail.ruling().is_some_and(|ruling| ruling.allow))
    }

    pub(super) async fn counts(&self, account: AccountId) -> Counts {
        let dispatcher = &self.dispatcher;
        let sources = dispatcher.sources().list(account).await.unwrap();
        let webhooks = self.delivery.subscriptions(account.as_uuid());
        let mut deliveries = 0;
        for webhook in &webhooks {
            let of_one = self
                .delivery
                .deliveries(account.as_uuid(), webhook.id, None, 50);
            deliveries += of_one.await.unwrap().len();
        }
        let events = TaskFilter {
            event: Some("custom.x".into()),
            ..TaskFilter::default()
        };
        Counts {
            hooks: dispatcher.hooks().list(account).await.unwrap().len(),
            sources: sources.iter().filter(|source| !source.preloaded).count(),
            servers: dispatcher.servers().list(account).await.unwrap().len(),
            apps: self.store.apps(account).await.unwrap().len(),
            overrides: self.store.overrides(account).await.unwrap().len(),
            principals: dispatcher.principals().list(account).await.unwrap().len(),
            tokens: dispatcher.tokens().list(account).await.unwrap().len(),
            tasks: dispatcher
                .tasks()
                .list(account, &events, Page::first(50))
                .await
                .unwrap()
                .len(),
            executions: self.executions(account).await.unwrap(),
            webhooks: webhooks.len(),
            deliveries,
            sessions: self.maintenance.sessions(account).len(),
        }
    }

    async fn executions(&self, account: AccountId) -> Result<usize, Error> {
        let all = ExecutionFilter::default();
        let page = Page::first(50);
        let found = self
            .dispatcher
            .executions()
            .list(account, &all, page, Outputs::Omit);
        Ok(found.await?.len())
    }

    /// Reads all that an account has. A row that cannot be read is left out; an account
    /// that cannot be read itself is told so.
    pub(super) async fn look_at_all(&self, account: AccountId) -> Option<Counts> {
        self.dispatcher.accounts().list().await.unwrap();
        let mut counts = None;
        if self.store.account(account).await.ok().flatten().is_some() {
            counts = Some(self.counts(account).await);
            let lookup = Lookup::All;
            let found = self
                .dispatcher
                .sources()
                .find(account, &lookup, Some(9), |_| true);
            found.await.unwrap();
        }
        self.dispatcher.sweep().await;
        counts
    }

    pub(super) async fn identity(&self, template: &Template, own: usize) -> Option<Identity> {
        let found = self
            .dispatcher
            .identities()
            .authenticate(&template.own[own].1)
            .await;
        found.unwrap()
    }

    pub(super) async fn knows_other(&self, template: &Template) -> bool {
        let found = self
            .dispatcher
            .identities()
            .authenticate(&template.other_secret)
            .await;
        found
            .unwrap()
            .is_some_and(|identity| identity.account == template.other)
    }

    /// Rows that were left out, by table.
    pub(super) fn unreadable(&self) -> Vec<(&'static str, u64)> {
        self.dispatcher.stats().unreadable_rows
    }

    pub(super) async fn stop(self) {
        self.maintenance.drain().await;
        self.delivery.drain().await;
        self.dispatcher.drain(LONG).await;
        self.dispatcher.close().await.unwrap();
    }
}
