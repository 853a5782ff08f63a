//! Every attempt of an execution is kept, not the last one alone.

use std::time::Duration;

use tenterhook_dispatch::{
    Attempt, AttemptRecord, EARLIER_ATTEMPTS_MAX, ExecutionId, NewTask, NodeId, Output, OutputPart,
    OutputSizes, State, Store,
};
use tenterhook_engine::{Outcome, Stream};

use super::disk::{bytes_of, forget_all};
use super::tasks::{NO_CHANGE, ended, settlement};
use crate::support::{Shop, at, ended_well, new_task};

/// One that has failed and is tried again; it began at `10 * number` and took a second.
fn failed(id: ExecutionId, number: u32) -> Attempt {
    let begun = 10 * i64::from(number);
    Attempt {
        state: State::Waiting,
        failures: number,
        due_at: Some(at(begun + 5)),
        wait: Some(Duration::from_secs(4)),
        record: AttemptRecord {
            attempt: number,
            outcome: Some(Outcome::Exited { status: 1 }),
            output: Output {
                stdout: format!("out {number}").into(),
                stderr: format!("err {number}").into(),
                dropped_bytes: number.into(),
            },
            started_at: Some(at(begun)),
            ended_at: None,
            ..ended_well(id).record
        },
        ..ended_well(id)
    }
}

/// A task of one execution.
async fn insert(store: &dyn Store, shop: &Shop) -> (NewTask, ExecutionId) {
    let task = new_task(shop, "custom.x", 1);
    store.insert_tasks(vec![task.clone()]).await.unwrap();
    let id = task.executions[0].id;
    (task, id)
}

async fn record(store: &dyn Store, shop: &Shop, task: &NewTask, attempt: Attempt) {
    let change = match attempt.record.ended_at {
        None => NO_CHANGE,
        Some(_) => ended(attempt.state),
    };
    let settlement = settlement(shop, task, attempt, change);
    store.record_result(settlement).await.unwrap();
}

async fn numbers(store: &dyn Store, shop: &Shop, id: ExecutionId) -> Vec<u32> {
    let attempts = store.attempts(shop.account.id, id).await.unwrap();
    attempts.iter().map(|(one, _)| one.attempt).collect()
}

pub(crate) async fn every_attempt_is_kept_whole(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let other = Shop::named(store, "other").await;
    let (task, id) = insert(store, &shop).await;
    for number in 1..=2 {
        record(store, &shop, &task, failed(id, number)).await;
    }
    let mut last = ended_well(id);
    last.record.attempt = 3;
    record(store, &shop, &task, last.clone()).await;

    let account = shop.account.id;
    let listed = store.attempts(account, id).await.unwrap();
    assert_eq!(numbers(store, &shop, id).await, [1, 2, 3]);
    for (number, (one, sizes)) in (1..).zip(&listed) {
        let recorded = match number {
            3 => last.clone(),
            number => failed(id, number),
        };
        assert_eq!(*sizes, OutputSizes::of(&recorded.record.output));
        assert!(one.output.stdout.is_empty() && one.output.stderr.is_empty());
        let whole = store.attempt_within(account, id, number, 1_000).await;
        let (whole, sizes) = whole.unwrap().unwrap();
        assert_eq!(sizes, OutputSizes::of(&recorded.record.output));
        assert_eq!(whole.output, recorded.record.output);
        assert_eq!(
            (&whole.outcome, &whole.error, &whole.usage),
            (
                &recorded.record.outcome,
                &recorded.record.error,
                &recorded.record.usage
            )
        );
        assert_eq!(whole.recording, recorded.record.recording);
        assert!(whole.recording.is_some());
        assert_eq!(
            (&whole.verdict, &whole.verdict_fault, whole.started_at),
            (
                &recorded.record.verdict,
                &recorded.record.verdict_fault,
                recorded.record.started_at
            )
        );
        let ended_at = recorded
            .record
            .ended_at
            .unwrap_or(at(10 * i64::from(number) + 1));
        assert_eq!(
            (whole.ended_at, one.ended_at),
            (Some(ended_at), Some(ended_at))
        );
        let part = OutputPart {
            execution: id,
            attempt: number,
            stream: Stream::Stdout,
            offset: 1,
            most: 2,
        };
        let part = store.output_part(account, part).await.unwrap().unwrap();
        assert_eq!(part, recorded.record.output.stdout.slice(1..3));
    }
    let left_out = store.attempt_within(account, id, 1, 9).await.unwrap();
    assert!(left_out.unwrap().0.output.stdout.is_empty());
    for (account, number) in [(account, 4), (account, 0), (other.account.id, 1)] {
        let found = store.attempt_within(account, id, number, 9).await;
        assert_eq!(found.unwrap(), None);
    }
    assert!(
        store
            .attempts(other.account.id, id)
            .await
            .unwrap()
            .is_empty()
    );
}

pub(crate) async fn an_execution_is_read_with_what_its_attempts_are_given(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let other = Shop::named(store, "other").await;
    let (task, id) = insert(store, &shop).await;
    let found = store
        .repeatable(shop.account.id, id)
        .await
        .unwrap()
        .unwrap();
    let wanted = &task.executions[0];
    assert_eq!(found.execution.recipe, wanted.recipe);
    assert_eq!(
        (
            found.execution.id,
            &found.execution.hook,
            &found.execution.server
        ),
        (wanted.id, &wanted.hook, &wanted.server)
    );
    assert_eq!(found.event, task.event.map(|event| event.json));
    for (account, id) in [
        (other.account.id, id),
        (shop.account.id, ExecutionId::generate()),
    ] {
        assert!(store.repeatable(account, id).await.unwrap().is_none());
    }
}

pub(crate) async fn attempts_are_charged_and_removed_with_their_execution(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let before = bytes_of(store, shop.account.id).await;
    let (task, id) = insert(store, &shop).await;
    let inserted = bytes_of(store, shop.account.id).await;
    for number in 1..=3 {
        let mut attempt = failed(id, number);
        attempt.record.output.stdout = vec![b'x'; 50_000].into();
        record(store, &shop, &task, attempt).await;
    }
    let charged = bytes_of(store, shop.account.id).await - inserted;
    assert!((150_000..154_000).contains(&charged), "{charged}");
    let mut last = ended_well(id);
    last.record.attempt = 4;
    record(store, &shop, &task, last).await;

    forget_all(store, 300).await;

    assert!(numbers(store, &shop, id).await.is_empty());
    assert_eq!(bytes_of(store, shop.account.id).await, before);
}

pub(crate) async fn a_redriven_execution_keeps_the_newest_attempts(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let (task, id) = insert(store, &shop).await;
    let most = EARLIER_ATTEMPTS_MAX;
    for number in 1..=most + 8 {
        let mut attempt = failed(id, number);
        attempt.state = State::Failed;
        attempt.due_at = None;
        attempt.wait = None;
        attempt.record.ended_at = Some(at(12));
        record(store, &shop, &task, attempt).await;
        let kept: Vec<_> = (number.saturating_sub(most).max(1)..=number).collect();
        assert_eq!(numbers(store, &shop, id).await, kept);
        assert!(store.redrive(shop.account.id, id).await.unwrap());
        let kept: Vec<_> = (number.saturating_sub(most - 1).max(1)..=number).collect();
        assert_eq!(numbers(store, &shop, id).await, kept, "once redriven");
    }
}

pub(crate) async fn an_attempt_killed_with_the_server_takes_nothing_from_the_others(
    store: &dyn Store,
) {
    let shop = Shop::open(store).await;
    let old = NodeId::generate();
    store.take_over(old).await.unwrap();
    let mut task = new_task(&shop, "custom.x", 1);
    task.owner = Some(old);
    store.insert_tasks(vec![task.clone()]).await.unwrap();
    let id = task.executions[0].id;
    record(store, &shop, &task, failed(id, 1)).await;
    store.note_begun(shop.account.id, id, 2);

    store.take_over(NodeId::generate()).await.unwrap();

    let waits = store.execution(shop.account.id, id).await.unwrap().unwrap();
    assert_eq!((waits.latest.attempt, waits.state), (2, State::Waiting));
    assert_eq!(
        (waits.latest.outcome, waits.latest.output),
        (None, Output::default())
    );
    assert_eq!(numbers(store, &shop, id).await, [1]);
    let mut last = ended_well(id);
    last.record.attempt = 3;
    record(store, &shop, &task, last).await;
    assert_eq!(numbers(store, &shop, id).await, [1, 3]);
    let first = store.attempt_within(shop.account.id, id, 1, 99).await;
    assert_eq!(
        first.unwrap().unwrap().0.output,
        failed(id, 1).record.output
    );
}
