//! The suite on `SQLite`, and what only a file can show.

use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use tenterhook_dispatch::{
    AccountStore as _, AppStore as _, ControlStore as _, Error, ExecutionStore as _,
    HookStore as _, IdentityStore as _, Key, Outputs, OverrideStore as _, Page, Retention,
    RetentionStore as _, SourceStore as _, Store, Switch, TaskFilter, TaskStore as _,
};
use tenterhook_maintenance::SessionStore as _;
use tenterhook_store::Sqlite;

use crate::conformance::{for_group, for_instance};
use crate::support::{Shop, account, app, at, container, container_hook, hook_override, new_task};

async fn open() -> (tempfile::TempDir, Arc<dyn Store>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("test.db")).await.unwrap();
    (folder, Arc::new(store))
}

async fn open_whole() -> (tempfile::TempDir, Arc<Sqlite>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("test.db")).await.unwrap();
    (folder, Arc::new(store))
}

crate::conformance::suite!(crate::sqlite::open);
crate::conformance::session_suite!(crate::sqlite::open_whole);
crate::conformance::webhook_suite!(crate::sqlite::open_whole);

#[tokio::test]
async fn an_account_has_no_more_constraints_than_servers() {
    let (folder, store) = open_whole().await;
    let tenant = store.insert_account(account("acme")).await.unwrap().id;
    let first = for_instance("first");
    store
        .put_instance_constraint(tenant, first.clone())
        .await
        .unwrap();
    let mut conn = SqliteConnectOptions::new()
        .filename(folder.path().join("test.db"))
        .connect()
        .await
        .unwrap();
    sqlx::query(
        "WITH RECURSIVE counted (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM counted WHERE n < 20000) \
         INSERT INTO instance_constraints (account, id, document) \
         SELECT account, id || n, document FROM instance_constraints, counted",
    )
    .execute(&mut conn)
    .await
    .unwrap();

    let refused = store
        .put_instance_constraint(tenant, for_instance("one more"))
        .await;
    assert!(
        matches!(&refused, Err(tenterhook_maintenance::Error::Invalid { field, .. }) if field == "instance_id"),
        "{refused:?}"
    );
    // One that is there can be changed still, and groups have a bound of their own.
    store.put_instance_constraint(tenant, first).await.unwrap();
    store
        .put_group_constraint(tenant, for_group("g"))
        .await
        .unwrap();
    assert_eq!(store.constraints(tenant).await.unwrap().0.len(), 20_000);
}

#[tokio::test]
async fn acknowledged_writes_are_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = Sqlite::open(&path).await.unwrap();
    let shop = Shop::open(&store).await;
    let mut task = new_task(&shop, "custom.x", 2);
    task.executions[0].container = Some(container("postgres"));
    store.insert_tasks(vec![task.clone()]).await.unwrap();
    let app = store.insert_app(shop.account.id, app("a")).await.unwrap();
    let hook = container_hook(shop.source.id, "quiesce", Some(app.id));
    let hook = store.insert_hook(shop.account.id, hook).await.unwrap();
    let switched = hook_override(app.id, hook.id);
    store
        .insert_override(shop.account.id, switched.clone())
        .await
        .unwrap();
    let mut account = shop.account.clone();
    account.app_hooks = Switch::Off;
    store.update_account(account.clone()).await.unwrap();

    // No shutdown: the first one still is open, as it is when a process is killed.
    let again = Sqlite::open(&path).await.unwrap();

    assert_eq!(
        again.sources(shop.account.id).await.unwrap(),
        std::slice::from_ref(&shop.source)
    );
    assert_eq!(
        again.hooks(shop.account.id).await.unwrap(),
        [shop.hook.clone(), hook]
    );
    assert_eq!(again.accounts().await.unwrap(), [account]);
    assert_eq!(
        again.principals(shop.account.id).await.unwrap(),
        std::slice::from_ref(&shop.principal)
    );
    assert_eq!(again.apps(shop.account.id).await.unwrap(), [app]);
    assert_eq!(again.overrides(shop.account.id).await.unwrap(), [switched]);
    let execution = again
        .execution(shop.account.id, task.executions[0].id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(execution.container, task.executions[0].container);
    let found = again
        .task(shop.account.id, Key::Id(task.id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.progress.total, 2);
}

#[tokio::test]
async fn many_callers_share_commits_and_each_gets_its_own_result() {
    let (_folder, store) = open().await;
    let shop = Shop::open(&*store).await;
    let shop = Arc::new(shop);
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..200 {
        let (store, shop) = (Arc::clone(&store), Arc::clone(&shop));
        callers.spawn(async move {
            let mut task = new_task(&shop, "custom.x", 1);
            // Every tenth belongs to no account, and must fail alone.
            if caller % 10 == 0 {
                task.executions[0].id =
                    tenterhook_dispatch::ExecutionId::from_uuid(uuid::Uuid::nil());
            }
            store.insert_tasks(vec![task]).await
        });
    }
    let answers = callers.join_all().await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.is_err()).collect();
    // The same execution id twenty times: one is first.
    assert_eq!(refused.len(), 19);
    assert!(
        refused
            .iter()
            .all(|answer| matches!(answer, Err(Error::Store { .. })))
    );
    let tasks = store
        .tasks(shop.account.id, &TaskFilter::default(), Page::first(1_000))
        .await
        .unwrap();
    assert_eq!(tasks.len(), 181);
    let executions = store
        .executions(
            shop.account.id,
            &Default::default(),
            Page::first(1_000),
            Outputs::Omit,
        )
        .await
        .unwrap();
    assert_eq!(executions.len(), 181);
}

#[tokio::test]
async fn freed_pages_go_back_to_the_file_system() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = Sqlite::open(&path).await.unwrap();
    let shop = Shop::open(&store).await;
    for _ in 0..12 {
        let mut tasks: Vec<_> = (0..10).map(|_| new_task(&shop, "custom.x", 0)).collect();
        for task in &mut tasks {
            task.event.as_mut().unwrap().json = vec![b'x'; 250_000].into();
        }
        store.insert_tasks(tasks).await.unwrap();
    }
    let pages = async || {
        let mut conn = SqliteConnectOptions::new()
            .filename(&path)
            .connect()
            .await
            .unwrap();
        sqlx::query_scalar::<_, i64>("PRAGMA page_count")
            .fetch_one(&mut conn)
            .await
            .unwrap()
    };
    let full = pages().await;
    assert!(full > 7_000, "{full}");

    let nothing = Retention {
        age: Duration::ZERO,
        ..Retention::default()
    };
    while store.sweep(&nothing, at(300)).await.unwrap().more {}

    let left = pages().await;
    assert!(left < 3_500, "{left} of {full}");
}

#[tokio::test]
async fn what_cannot_be_removed_of_one_account_keeps_no_other_waiting() {
    let (folder, store) = open().await;
    let shops = [
        Shop::named(&*store, "damaged").await,
        Shop::named(&*store, "sound").await,
    ];
    for shop in &shops {
        store
            .insert_tasks(vec![new_task(shop, "custom.x", 0)])
            .await
            .unwrap();
    }
    let mut conn = SqliteConnectOptions::new()
        .filename(folder.path().join("test.db"))
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(
        "CREATE TRIGGER damage BEFORE DELETE ON tasks WHEN OLD.account = 1 \
         BEGIN SELECT RAISE(ABORT, 'as if its page were damaged'); END",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    let nothing = Retention {
        age: Duration::ZERO,
        ..Retention::default()
    };
    while store.sweep(&nothing, at(300)).await.unwrap().more {}

    let mut left = Vec::new();
    for shop in &shops {
        let all = TaskFilter::default();
        let tasks = store.tasks(shop.account.id, &all, Page::first(9)).await;
        left.push(tasks.unwrap().len());
    }
    assert_eq!(left, [1, 0]);
}

#[tokio::test]
async fn a_log_that_grew_beside_a_long_read_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = Sqlite::open(&path).await.unwrap();
    let shop = Shop::open(&store).await;
    let length = || {
        let log = folder.path().join("test.db-wal");
        log.metadata().unwrap().len()
    };
    let mut reader = SqliteConnectOptions::new()
        .filename(&path)
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql("BEGIN; SELECT * FROM accounts")
        .execute(&mut reader)
        .await
        .unwrap();
    for _ in 0..30 {
        let mut tasks: Vec<_> = (0..10).map(|_| new_task(&shop, "custom.x", 0)).collect();
        for task in &mut tasks {
            task.event.as_mut().unwrap().json = vec![b'x'; 250_000].into();
        }
        store.insert_tasks(tasks).await.unwrap();
    }
    let keep = Retention::default();
    store.sweep(&keep, at(300)).await.unwrap();
    assert!(length() > 64 << 20, "it is read: {}", length());

    sqlx::raw_sql("COMMIT").execute(&mut reader).await.unwrap();
    store.sweep(&keep, at(300)).await.unwrap();
    assert!(length() <= 64 << 20, "{}", length());
}

#[tokio::test]
async fn what_is_charged_equals_what_is_stored_after_any_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = Sqlite::open(&path).await.unwrap();
    let shop = Shop::open(&store).await;
    let well = async || {
        let checked = tenterhook_store::check(&path).await.unwrap();
        let faults: Vec<_> = checked
            .into_iter()
            .flat_map(|checked| checked.faults)
            .collect();
        assert_eq!(faults, [""; 0]);
    };
    well().await;
    let mut tasks: Vec<_> = (0..20)
        .map(|n| new_task(&shop, "custom.x", n % 4))
        .collect();
    tasks[7].program = Some("echo ad hoc".into());
    tasks[7].executions[0].recipe = {
        let mut inline = shop.source.clone();
        inline.digest = tenterhook_engine::Digest::of(b"echo ad hoc");
        Arc::new(tenterhook_dispatch::Recipe::of(&shop.hook, &inline))
    };
    store.insert_tasks(tasks.clone()).await.unwrap();
    well().await;
    for task in tasks.iter().step_by(3) {
        store
            .cancel_task(shop.account.id, task.id, at(50))
            .await
            .unwrap();
    }
    well().await;
    let redriven = tasks[3].executions[0].id;
    assert!(store.redrive(shop.account.id, redriven).await.unwrap());
    well().await;
    let source = shop.source.clone();
    let other = tenterhook_dispatch::Source {
        digest: tenterhook_engine::Digest::of(b"echo other"),
        ..source
    };
    store
        .update_source(shop.account.id, other, Some("echo other".into()), None)
        .await
        .unwrap();
    well().await;
    for age in [45, 10, 0] {
        let retention = Retention {
            age: Duration::from_secs(age),
            ..Retention::default()
        };
        while store.sweep(&retention, at(70)).await.unwrap().more {}
        well().await;
    }
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    std::fs::write(
        &path,
        "this is not a database, and it is long enough to be read as one".repeat(20),
    )
    .unwrap();
    assert!(Sqlite::open(&path).await.is_err());
}
