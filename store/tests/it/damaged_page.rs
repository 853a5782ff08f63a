//! A page of the database that is damaged while others use it.

use tenterhook_dispatch::{
    AppStore as _, LifecycleStore as _, NotReady, ServerStore as _, TaskStore as _,
};
use tenterhook_store::Sqlite;

use crate::damaged::{Damaged, LONG};
use crate::support::{app, new_task, server};

/// A store on a database one page of which is damaged.
async fn with_damaged(page: &str) -> (Damaged, Sqlite) {
    let mut damaged = Damaged::open().await;
    damaged.task("first").await;
    damaged.break_page(page).await;
    let path = damaged.folder.path().join("test.db");
    let store = Sqlite::open(&path).await.unwrap();
    (damaged, store)
}

#[tokio::test]
async fn what_needs_a_damaged_page_fails_and_no_concurrent_write_does() {
    let (damaged, store) = with_damaged("apps").await;
    let shop = &damaged.shop;
    let account = shop.account.id;
    let event = || vec![new_task(shop, "custom.x", 1)];
    // From now on the account is known, and all of them are queued at once.
    store.insert_tasks(event()).await.unwrap();

    for round in 0..2 {
        let (first, second, failed, after) = tokio::join!(
            store.insert_tasks(event()),
            store.insert_tasks(event()),
            store.insert_app(account, app("a")),
            store.insert_server(account, server(&format!("s{round}"))),
        );

        assert!(failed.is_err(), "{failed:?}");
        for stored in [first, second] {
            assert!(stored.is_ok(), "{stored:?}");
        }
        assert!(after.is_ok(), "{after:?}");
    }
    assert_eq!(store.ready().await, Ok(()), "events are stored");
}

#[tokio::test]
async fn a_server_is_not_ready_where_a_page_is_damaged_that_every_event_or_call_needs() {
    let (damaged, store) = with_damaged("sqlite_autoindex_tasks_1").await;
    let event = vec![new_task(&damaged.shop, "custom.x", 1)];
    assert!(store.insert_tasks(event).await.is_err());
    assert_eq!(store.ready().await, Err(NotReady::Damaged));

    for page in [
        "tokens",
        "sqlite_autoindex_tokens_2",
        "sqlite_autoindex_principals_1",
        "hooks",
        "sources",
        "programs",
        "sqlite_autoindex_recipes_1",
        "executions_recipe",
        "tasks_over",
    ] {
        let (_damaged, store) = with_damaged(page).await;
        assert_eq!(store.ready().await, Err(NotReady::Damaged), "{page}");
    }
    for page in ["probe", "webhooks", "executions_dead"] {
        let (_damaged, store) = with_damaged(page).await;
        assert_eq!(store.ready().await, Ok(()), "{page}");
    }
}

#[tokio::test]
async fn a_damaged_page_of_finished_tasks_keeps_no_server_from_starting() {
    for page in [
        "tasks",
        "executions",
        "sqlite_autoindex_tasks_1",
        "sqlite_autoindex_executions_1",
    ] {
        let mut damaged = Damaged::open().await;
        let shop = &damaged.shop;
        for _ in 0..300 {
            let task = new_task(shop, "custom.x", 1);
            damaged.store.insert_tasks(vec![task]).await.unwrap();
        }
        damaged
            .loosely(
                "UPDATE executions SET state = 'FINISHED', started_at = 1, ended_at = 2, attempt = 1; \
                 UPDATE tasks SET state = 'FINISHED', ended_at = 2",
            )
            .await;
        damaged.break_leaf(page).await;

        let server = damaged.serve().await;

        server.drain(LONG).await;
    }
}
