//! Rows that can be read, as far as they are needed, and not be written.

use tenterhook_delivery::Outbox as _;
use tenterhook_dispatch::{
    Attempt, AttemptRecord, ClaimStore as _, ControlStore as _, DamageStore as _, Error, Execution,
    ExecutionFilter, ExecutionStore as _, NewTask, NodeId, Number, Outputs, Page, ResultStore as _,
    Settlement, State, TaskChange, TaskFilter, TaskStore as _,
};
use tenterhook_engine::Outcome;
use tenterhook_maintenance::SessionStore as _;
use time::OffsetDateTime;

use crate::damaged::{Damaged, LONG, ruling};
use crate::support::{at, ended_well, new_task};

/// What makes an execution one of which the outcome cannot be stored, or that cannot be read.
const DAMAGES: [&str; 9] = [
    "lane = 'zap'",
    "lane = NULL",
    "failures = 'zap'",
    "server_number = 'zap', server_name = NULL",
    "hook_number = 'zap', hook = NULL",
    "dropped_bytes = 'zap'",
    "stdout = 'zap'",
    "account = 'zap'",
    "account = 2",
];

async fn list(damaged: &Damaged, filter: &ExecutionFilter) -> Vec<Execution> {
    let account = damaged.shop.account.id;
    let page = Page::first(9);
    let listed = damaged
        .store
        .executions(account, filter, page, Outputs::Omit);
    listed.await.unwrap()
}

async fn claimed_ids(damaged: &Damaged) -> Vec<tenterhook_dispatch::TaskId> {
    let account = damaged.shop.account.id;
    let claimed = damaged.store.claim(account, NodeId::generate(), at(50), 9);
    claimed
        .await
        .unwrap()
        .tasks
        .iter()
        .map(|task| task.id)
        .collect()
}

#[tokio::test]
async fn an_execution_whose_outcome_could_not_be_stored_is_not_run_and_is_dead_with_a_reason() {
    for damage in DAMAGES {
        let mut damaged = Damaged::open().await;
        let (first, second) = (damaged.task("first").await, damaged.task("second").await);
        damaged
            .loosely(&format!(
                "UPDATE executions SET {damage} WHERE seq = (SELECT min(seq) FROM executions)"
            ))
            .await;

        assert_eq!(claimed_ids(&damaged).await, [second.id], "{damage}");

        let account = damaged.shop.account.id;
        let all = TaskFilter::default();
        let tasks = damaged
            .store
            .tasks(account, &all, Page::first(9))
            .await
            .unwrap();
        let shown = tasks.iter().find(|task| task.id == first.id).unwrap();
        assert_eq!(shown.state, State::Failed, "{damage}");
        assert!(shown.ended_at.is_some(), "{damage}");
        let dead = ExecutionFilter {
            dead: true,
            ..ExecutionFilter::default()
        };
        for one in list(&damaged, &dead).await {
            assert_eq!(one.state, State::Failed, "{damage}");
            let error = one.latest.error.unwrap();
            assert!(error.contains("database"), "{damage}: {error}");
        }
        // One of another account or of none is in no list of this account.
        if !damage.starts_with("account") && !damage.starts_with("dropped_bytes") {
            assert_eq!(list(&damaged, &dead).await.len(), 1, "{damage}");
            let failed = ExecutionFilter {
                state: Some(State::Failed),
                ..ExecutionFilter::default()
            };
            assert_eq!(list(&damaged, &failed).await.len(), 1, "{damage}");
        }
        let waiting = ExecutionFilter {
            state: Some(State::Waiting),
            ..ExecutionFilter::default()
        };
        assert_eq!(list(&damaged, &waiting).await.len(), 1, "{damage}");
    }
}

#[tokio::test]
async fn a_task_set_aside_that_cannot_be_changed_is_redriven_only_once_it_is_repaired() {
    let mut damaged = Damaged::open().await;
    let task = damaged.task("first").await;
    let account = damaged.shop.account.id;
    let id = task.executions[0].id;
    damaged.loosely("UPDATE executions SET lane = 'zap'").await;
    assert!(claimed_ids(&damaged).await.is_empty());

    let refused = damaged.store.redrive(account, id).await.unwrap_err();
    assert!(
        matches!(&refused, Error::WrongState { state, .. } if state.contains("damaged")),
        "{refused:?}"
    );
    damaged.loosely("UPDATE executions SET lane = 0").await;
    assert!(damaged.store.redrive(account, id).await.unwrap());

    assert_eq!(claimed_ids(&damaged).await, [task.id]);
}

#[tokio::test]
async fn a_task_without_a_time_is_claimed() {
    let mut damaged = Damaged::open().await;
    let task = damaged.task("first").await;
    damaged.loosely("UPDATE tasks SET due_at = NULL").await;

    assert_eq!(claimed_ids(&damaged).await, [task.id]);

    assert!(damaged.store.unreadable_rows().contains(&("tasks", 1)));
    let fault = damaged.faults("rows").await;
    assert!(
        fault[0].contains("number 1") && fault[0].contains("due_at"),
        "{fault:?}"
    );
}

/// A task with two executions, of which the first is damaged after it was stored.
async fn damaged_while_it_runs() -> (Damaged, NewTask) {
    let mut damaged = Damaged::open().await;
    let task = new_task(&damaged.shop, "custom.x", 2);
    damaged
        .store
        .insert_tasks(vec![task.clone()])
        .await
        .unwrap();
    damaged
        .loosely("UPDATE executions SET lane = 'zap' WHERE seq = (SELECT min(seq) FROM executions)")
        .await;
    (damaged, task)
}

fn attempt(task: &NewTask, lane: usize) -> Attempt {
    Attempt {
        record: AttemptRecord {
            outcome: Some(Outcome::Exited { status: 0 }),
            ..ended_well(task.executions[lane].id).record
        },
        ..ended_well(task.executions[lane].id)
    }
}

#[tokio::test]
async fn an_outcome_that_its_damaged_row_does_not_take_is_given_up_and_its_task_ends() {
    let (damaged, task) = damaged_while_it_runs().await;
    let ended = TaskChange::Ended {
        state: State::Finished,
        started_at: Some(at(11)),
        at: at(12),
    };
    for (lane, task_change) in [(0, TaskChange::None), (1, ended)] {
        let settlement = Settlement {
            account: task.account,
            task: task.id,
            execution: Some(attempt(&task, lane)),
            task_change,
        };
        damaged.store.record_result(settlement).await.unwrap();
    }

    let shown = damaged
        .store
        .task(task.account, tenterhook_dispatch::Key::Id(task.id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(shown.state, State::Failed);
    let all = list(&damaged, &ExecutionFilter::default()).await;
    let states: Vec<_> = all.iter().map(|one| (one.state, one.dead)).collect();
    assert!(states.contains(&(State::Failed, true)), "{states:?}");
    assert!(states.contains(&(State::Finished, false)), "{states:?}");
    assert!(claimed_ids(&damaged).await.is_empty());
}

#[tokio::test]
async fn what_waits_beside_an_outcome_that_was_given_up_is_not_left_waiting_for_ever() {
    let (damaged, task) = damaged_while_it_runs().await;
    let parked = TaskChange::Parked {
        until: at(60),
        open: 1,
    };
    let mut again = attempt(&task, 1);
    again.state = State::Waiting;
    again.due_at = Some(at(60));
    again.record.ended_at = None;
    for (attempt, task_change) in [(attempt(&task, 0), TaskChange::None), (again, parked)] {
        let settlement = Settlement {
            account: task.account,
            task: task.id,
            execution: Some(attempt),
            task_change,
        };
        damaged.store.record_result(settlement).await.unwrap();
    }

    let waiting = ExecutionFilter {
        state: Some(State::Waiting),
        ..ExecutionFilter::default()
    };
    assert!(list(&damaged, &waiting).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_cannot_be_read_fails_every_hook_that_runs_it_by_its_own_policy() {
    for damage in [
        "UPDATE programs SET bytes = NULL",
        "UPDATE programs SET bytes = 7",
        "UPDATE programs SET bytes = 'no bytes'",
        "UPDATE programs SET digest = x'00'",
        "DELETE FROM programs",
    ] {
        let mut damaged = Damaged::open().await;
        let other = damaged.other().await;
        damaged
            .loosely("UPDATE hooks SET targets = 'once', limits = '{}'")
            .await;
        damaged
            .loosely("UPDATE hooks SET failure_policy = 'open' WHERE account = 2")
            .await;
        damaged.loosely(damage).await;

        let server = damaged.serve().await;

        let own = ruling(&server, damaged.shop.account.id, "custom.x").await;
        assert_eq!(own, (1, Some(false)), "{damage}");
        let others = ruling(&server, other.account.id, "custom.x").await;
        assert_eq!(others, (1, Some(true)), "{damage}");
        server.drain(LONG).await;
        let faults = [
            damaged.faults("rows").await,
            damaged.faults("programs").await,
        ];
        assert!(faults.iter().any(|faults| !faults.is_empty()), "{damage}");
    }
}

#[tokio::test]
async fn the_number_of_an_account_that_is_gone_is_given_to_no_other() {
    let mut damaged = Damaged::open().await;
    let other = damaged.other().await;
    damaged
        .loosely("DELETE FROM accounts WHERE number = 2")
        .await;
    let server = damaged.serve().await;

    let new = server.accounts().create("new").await.unwrap();

    assert_eq!(new.number, Number::new(3));
    assert!(server.hooks().list(new.id).await.unwrap().is_empty());
    assert!(server.accounts().get(other.account.id).await.is_err());
    server.drain(LONG).await;
}

#[tokio::test]
async fn a_database_that_has_lost_its_accounts_is_not_taken_for_a_new_one() {
    let mut damaged = Damaged::open().await;
    damaged.loosely("DELETE FROM accounts").await;
    let path = damaged.folder.path().join("test.db");

    let refused = tenterhook_store::Sqlite::open(&path).await.err().unwrap();

    let text = format!("{:?}", refused);
    assert!(
        text.contains("accounts are gone") && text.contains("restore"),
        "{text}"
    );
    assert!(!damaged.faults("references").await.is_empty());
}

#[tokio::test]
async fn amounts_that_no_sum_can_hold_are_faults_and_keep_no_check_from_its_end() {
    for wrong in ["9223372036854775807", "-9223372036854775808"] {
        let mut damaged = Damaged::open().await;
        damaged.task("first").await;
        damaged.task("second").await;
        for table in ["account_recipes", "account_programs"] {
            damaged
                .loosely(&format!("UPDATE {table} SET bytes = {wrong}"))
                .await;
        }

        let faults = damaged.faults("disk").await;

        assert!(
            faults[0].starts_with("the account 1 is charged"),
            "{faults:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_the_server_can_do_without_keeps_neither_a_start_nor_an_event_from_its_end() {
    for page in ["clock", "sources_without_md5", "executions_dead"] {
        let mut damaged = Damaged::open().await;
        damaged
            .loosely("UPDATE hooks SET targets = 'once', limits = '{}'")
            .await;
        damaged.break_page(page).await;

        let server = damaged.serve().await;

        let account = damaged.shop.account.id;
        let own = ruling(&server, account, "custom.x").await;
        assert_eq!(own, (1, Some(true)), "{page}");
        server.drain(LONG).await;
        assert!(!damaged.faults("integrity").await.is_empty(), "{page}");
    }
}

#[tokio::test]
async fn sessions_and_webhooks_whose_page_is_damaged_are_left_out() {
    let mut damaged = Damaged::open().await;
    for page in [
        "sessions",
        "sqlite_autoindex_sessions_1",
        "webhooks",
        "sqlite_autoindex_webhooks_1",
        "webhooks_account",
    ] {
        damaged.break_page(page).await;
    }
    let path = damaged.folder.path().join("test.db");
    let store = tenterhook_store::Sqlite::open(&path).await.unwrap();

    assert!(store.sessions().await.unwrap().is_empty());
    assert!(store.subscriptions().await.unwrap().is_empty());

    let told = store.unreadable_rows();
    assert!(
        told.contains(&("sessions", 1)) && told.contains(&("webhooks", 1)),
        "{told:?}"
    );
}

#[tokio::test]
async fn waits_of_webhooks_whose_page_is_damaged_keep_no_server_from_starting() {
    for page in ["webhooks", "deliveries", "deliveries_due"] {
        let mut damaged = Damaged::open().await;
        damaged.break_page(page).await;
        let path = damaged.folder.path().join("test.db");
        let store = tenterhook_store::Sqlite::open(&path).await.unwrap();

        let shortened = store
            .shorten_delivery_waits(OffsetDateTime::now_utc())
            .await;

        assert!(shortened.is_ok(), "{page}: {shortened:?}");
    }
}

#[tokio::test]
async fn a_fault_names_what_is_null_as_null() {
    let mut damaged = Damaged::open().await;
    damaged.loosely("UPDATE hooks SET account = NULL").await;

    let faults = damaged.faults("rows").await;

    assert!(
        faults[0].contains("`hooks` with account NULL, number 1"),
        "{faults:?}"
    );
}
