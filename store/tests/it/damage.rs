//! Rows that cannot be read, a log that is left behind, a disk that takes nothing.

use tenterhook_dispatch::{
    ClaimStore as _, ControlStore as _, Error, ExecutionFilter, ExecutionStore as _, Inserted,
    LifecycleStore as _, NodeId, NotReady, Number, Outputs, Page, Retention, RetentionStore as _,
    State, TaskFilter, TaskStore as _, Unavailable,
};
use tenterhook_store::Sqlite;

use crate::damaged::Damaged;
use crate::support::{at, new_task};

#[tokio::test]
async fn a_task_that_cannot_be_read_is_set_aside_and_the_others_are_claimed() {
    for damage in [
        "UPDATE recipes SET content = '{' WHERE name = 'first'",
        "UPDATE executions SET container = '{' WHERE seq = (SELECT min(seq) FROM executions)",
        "UPDATE executions SET lane = -1 WHERE seq = (SELECT min(seq) FROM executions)",
        "UPDATE tasks SET created_at = 9223372036854775807 WHERE seq = (SELECT min(seq) FROM tasks)",
        "UPDATE tasks SET number = 99999999999 WHERE seq = (SELECT min(seq) FROM tasks)",
        "UPDATE tasks SET id = x'00' WHERE seq = (SELECT min(seq) FROM tasks)",
    ] {
        let mut damaged = Damaged::open().await;
        let (_first, second) = (damaged.task("first").await, damaged.task("second").await);
        damaged.damage(damage).await;
        let account = damaged.shop.account.id;
        let node = NodeId::generate();

        let claimed = damaged.store.claim(account, node, at(50), 9).await.unwrap();

        let ids: Vec<_> = claimed.tasks.iter().map(|task| task.id).collect();
        assert_eq!(ids, [second.id], "{damage}");
        assert_eq!(claimed.set_aside.len(), 1, "{damage}");
        assert_eq!(claimed.next_due_at, None, "{damage}");
        assert_eq!(damaged.store.backlog().await.unwrap(), [], "{damage}");
        let again = damaged.store.claim(account, node, at(51), 9).await.unwrap();
        assert!(
            again.tasks.is_empty() && again.set_aside.is_empty(),
            "{damage}"
        );
    }
}

#[tokio::test]
async fn a_task_that_was_set_aside_is_listed_with_the_reason_and_redriven_once_it_is_repaired() {
    let mut damaged = Damaged::open().await;
    let task = damaged.task("first").await;
    let account = damaged.shop.account.id;
    damaged
        .damage("UPDATE recipes SET content = '!' || content WHERE name = 'first'")
        .await;
    let node = NodeId::generate();
    let claimed = damaged.store.claim(account, node, at(50), 9).await.unwrap();
    assert_eq!(claimed.set_aside[0].task, Some(task.id));
    let dead = ExecutionFilter {
        dead: true,
        ..ExecutionFilter::default()
    };

    let listed = damaged
        .store
        .executions(account, &dead, Page::first(9), Outputs::Omit)
        .await
        .unwrap();

    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].id, listed[0].state),
        (task.executions[0].id, State::Failed)
    );
    let error = listed[0].latest.error.as_deref().unwrap();
    assert!(
        error.contains("cannot be read from the database: content"),
        "{error}"
    );
    damaged
        .damage("UPDATE recipes SET content = substr(content, 2) WHERE name = 'first'")
        .await;
    assert!(damaged.store.redrive(account, listed[0].id).await.unwrap());
    let claimed = damaged.store.claim(account, node, at(52), 9).await.unwrap();
    assert_eq!((claimed.tasks.len(), claimed.set_aside.len()), (1, 0));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_does_not_hide_the_others_in_lists() {
    let mut damaged = Damaged::open().await;
    let (first, second) = (damaged.task("first").await, damaged.task("second").await);
    let account = damaged.shop.account.id;
    damaged
        .damage("UPDATE tasks SET number = 99999999999 WHERE seq = (SELECT min(seq) FROM tasks)")
        .await;
    damaged
        .damage(
            "UPDATE executions SET container = '{' WHERE seq = (SELECT max(seq) FROM executions)",
        )
        .await;

    let tasks = damaged
        .store
        .tasks(account, &TaskFilter::default(), Page::first(9))
        .await
        .unwrap();
    let executions = damaged
        .store
        .executions(
            account,
            &ExecutionFilter::default(),
            Page::first(9),
            Outputs::Omit,
        )
        .await
        .unwrap();

    let ids: Vec<_> = tasks.iter().map(|task| task.id).collect();
    assert_eq!(ids, [second.id], "a task without a number cannot be told");
    assert_ne!(first.id, second.id);
    assert_eq!(executions.len(), 1);
    let error = executions[0].latest.error.as_deref().unwrap();
    assert!(error.contains("container is not readable"), "{error}");
}

#[tokio::test]
async fn a_closed_store_leaves_nothing_in_its_log() {
    let damaged = Damaged::open().await;
    damaged.task("first").await;
    let log = damaged.folder.path().join("test.db-wal");
    assert!(std::fs::metadata(&log).unwrap().len() > 0);
    drop(damaged.conn);

    damaged.store.close().await.unwrap();

    assert!(std::fs::metadata(&log).map_or(0, |log| log.len()) == 0);
    let again = Sqlite::open(&damaged.folder.path().join("test.db"))
        .await
        .unwrap();
    assert_eq!(again.backlog().await.unwrap().len(), 1);
}

#[tokio::test]
async fn readiness_reports_that_another_process_holds_the_lock() {
    let mut damaged = Damaged::open().await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut damaged.conn)
        .await
        .unwrap();
    // What was committed just now answers in its place for a moment.
    let ready = loop {
        let ready = damaged.store.ready().await;
        if ready.is_err() {
            break ready;
        }
    };
    assert_eq!(ready, Err(NotReady::Locked));
    let task = new_task(&damaged.shop, "custom.x", 1);
    let refused = damaged.store.insert_tasks(vec![task]).await.unwrap_err();
    assert!(
        matches!(
            &refused,
            Error::Unavailable {
                why: Unavailable::Locked,
                ..
            }
        ),
        "{refused:?}"
    );
    sqlx::query("ROLLBACK")
        .execute(&mut damaged.conn)
        .await
        .unwrap();
    while damaged.store.ready().await.is_err() {}
}

#[tokio::test]
async fn a_damaged_last_number_ends_no_writer_and_gives_no_number_twice() {
    let mut damaged = Damaged::open().await;
    damaged.task("one").await;
    let last = "UPDATE accounts SET last_task = 900000000000000000 \
         WHERE number = (SELECT account FROM tasks)";
    damaged.damage(last).await;
    let path = damaged.folder.path().join("test.db");
    let reopened = Sqlite::open(&path).await.unwrap();

    let task = new_task(&damaged.shop, "custom.y", 1);
    let inserted = reopened.insert_tasks(vec![task]).await.unwrap();

    assert_eq!(inserted, [Inserted::New(Number::new(2))]);
}

#[tokio::test]
async fn what_lies_in_the_log_of_a_database_is_restored_too() {
    let damaged = Damaged::open().await;
    let task = damaged.task("one").await;
    let from = damaged.folder.path().join("test.db");
    let to = damaged.folder.path().join("restored.db");
    assert!(from.with_extension("db-wal").metadata().unwrap().len() > 0);

    tenterhook_store::restore(&from, &to).await.unwrap();

    let restored = Sqlite::open(&to).await.unwrap();
    let event = restored.event(task.account, task.id).await.unwrap();
    assert!(event.is_some(), "it is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_cannot_be_read_fails_by_its_policy_for_its_event_and_no_other() {
    for (damage, of_own, of_another) in [
        ("env = '{'", (1, Some(false)), (0, None)),
        ("limits = x'00'", (1, Some(false)), (0, None)),
        (
            "env = '{', failure_policy = 'open'",
            (1, Some(true)),
            (0, None),
        ),
        ("failure_policy = 'ajar'", (1, Some(false)), (0, None)),
        ("targets = 'some'", (1, Some(false)), (0, None)),
        // It may be the one.
        ("event = '!'", (1, Some(false)), (1, Some(false))),
        ("env = '{', enabled = 0, managed = 0", (0, None), (0, None)),
        (
            "env = '{', enabled = 7, managed = 0",
            (1, Some(false)),
            (0, None),
        ),
    ] {
        let mut damaged = Damaged::open().await;
        damaged.loosely(&format!("UPDATE hooks SET {damage}")).await;

        let own = damaged.ruling("custom.x").await;
        let another = damaged.ruling("custom.y").await;

        let denied = |(count, allow): (usize, Option<bool>)| (count, allow.filter(|_| count > 0));
        assert_eq!(denied(own), of_own, "{damage}");
        assert_eq!(denied(another), of_another, "{damage}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_whose_source_cannot_be_read_denies() {
    let mut damaged = Damaged::open().await;
    damaged.loosely("UPDATE sources SET kind = 'poem'").await;
    assert_eq!(damaged.ruling("custom.x").await, (1, Some(false)));
}

#[tokio::test]
async fn a_sum_that_cannot_be_right_is_counted_again_and_one_that_is_too_high_before_a_sweep() {
    for wrong in ["'x'", "-5", "9223372036854775807", "x'00'"] {
        let mut damaged = Damaged::open().await;
        let before = damaged.store.disk_usage().await.unwrap();
        damaged
            .loosely(&format!("UPDATE disk SET bytes = {wrong}"))
            .await;
        let path = damaged.folder.path().join("test.db");
        let reopened = Sqlite::open(&path).await.unwrap();
        assert_eq!(reopened.disk_usage().await.unwrap(), before, "{wrong}");
    }

    let mut damaged = Damaged::open().await;
    let before = damaged.store.disk_usage().await.unwrap();
    let task = damaged.task("one").await;
    let more = damaged.store.disk_usage().await.unwrap();
    assert!(more[0].1 > before[0].1);
    damaged
        .damage("UPDATE disk SET bytes = bytes + 100000000, tasks_over = tasks_over + 1000000")
        .await;
    let little = Retention {
        bytes_per_account: 1_000_000,
        tasks_per_account: 10,
        ..Retention::default()
    };
    damaged.store.sweep(&little, at(20)).await.unwrap();
    assert_eq!(damaged.store.disk_usage().await.unwrap(), more);
    let event = damaged.store.event(task.account, task.id).await.unwrap();
    assert!(event.is_some());
}

#[tokio::test]
async fn an_execution_with_another_account_than_its_task_is_shown_to_neither() {
    let mut damaged = Damaged::open().await;
    let other = damaged.other().await.account.id;
    let task = damaged.task("first").await;
    damaged
        .loosely("UPDATE executions SET account = 2, stdout = x'61'")
        .await;
    let path = damaged.folder.path().join("test.db");
    let store = Sqlite::open(&path).await.unwrap();
    let id = task.executions[0].id;

    for account in [damaged.shop.account.id, other] {
        let all = ExecutionFilter::default();
        let listed = store.executions(account, &all, Page::first(9), Outputs::Include);
        assert_eq!(listed.await.unwrap(), []);
        let found = store.execution(account, id).await;
        assert!(found.unwrap().is_none());
    }
    let faults = damaged.faults("tasks").await;
    assert!(
        faults[0].contains("stands under the account 2"),
        "{faults:?}"
    );
}
