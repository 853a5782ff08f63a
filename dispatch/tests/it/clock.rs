//! A wall clock that somebody sets: nothing waits for it, and nothing is lost by it.

use std::time::Duration;

use serde_json::json;
use tenterhook_dispatch::{
    Clock as _, Error, Key, Retention, RetryPolicy, Settings, State, SteppedClock, TaskId,
};
use time::OffsetDateTime;

use crate::support::{LONG, Yard, event, settings, stdout};

fn noon() -> SteppedClock {
    SteppedClock::at(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap())
}

fn years(years: i64) -> time::Duration {
    time::Duration::days(365 * years)
}

fn set(clock: &SteppedClock, by: time::Duration) {
    clock.set_wall(clock.now().wall + by);
}

async fn is_over(yard: &Yard, task: Key<TaskId>) -> bool {
    let detail = yard.dispatcher.task(yard.account, task).await.unwrap();
    detail.task.state.is_over()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_run_although_the_clock_was_set_back_while_they_waited_for_room() {
    let clock = noon();
    let one_by_one = Settings {
        account_loaded: 1,
        ..settings()
    };
    let yard = Yard::at(&clock, one_by_one).await;
    yard.hook("custom.long", "echo begun; sleep 3600\n").await;
    yard.hook("custom.x", "echo done\n").await;
    let long = yard.send(event("custom.long", json!({}))).await;
    let mut tasks = Vec::new();
    for _ in 0..5 {
        tasks.push(yard.send(event("custom.x", json!({}))).await);
    }

    set(&clock, -years(1));
    yard.dispatcher
        .cancel_task(yard.account, long)
        .await
        .unwrap();

    for task in tasks {
        assert_eq!(yard.end(task).await.task.state, State::Finished);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_run_although_the_clock_was_set_back_while_the_server_was_off() {
    let clock = noon();
    let yard = Yard::at(&clock, settings()).await;
    yard.hook("custom.x", "echo done\n").await;
    let task = crate::recovery::stored(&yard, None).await;
    yard.dispatcher.drain(LONG).await;
    set(&clock, -years(20));

    let restarted = yard.restarted_at(&clock).await;

    let detail = restarted
        .wait(yard.account, Key::Id(task), LONG)
        .await
        .unwrap();
    assert_eq!(stdout(&detail.executions[0]), "done\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_does_not_wait_for_the_old_time_to_come_again() {
    let clock = noon();
    let yard = Yard::at(&clock, settings()).await;
    yard.hook_with("custom.x", "[ $HOOK_ATTEMPT = 2 ]\n", |hook| {
        hook.retry = RetryPolicy {
            attempts: 2,
            backoff_ms: 3_600_000,
            backoff_max_ms: 3_600_000,
            ..RetryPolicy::default()
        };
    })
    .await;
    let task = yard.send(event("custom.x", json!({}))).await;
    while yard
        .dispatcher
        .task(yard.account, task)
        .await
        .unwrap()
        .executions[0]
        .due_at
        .is_none()
    {}

    set(&clock, -years(1));

    // An hour is what its policy allows; a year would be ten times as many steps.
    for _ in 0..1_000 {
        clock.pass(Duration::from_secs(60));
        if is_over(&yard, task).await {
            break;
        }
    }
    assert_eq!(yard.end(task).await.task.state, State::Finished);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_not_swept_when_the_clock_is_set_forward() {
    let clock = noon();
    let keep_an_hour = Settings {
        retention: Retention {
            age: Duration::from_secs(3_600),
            ..Retention::default()
        },
        ..settings()
    };
    let yard = Yard::at(&clock, keep_an_hour).await;
    let minutes = |minutes: u64| clock.pass(Duration::from_secs(60 * minutes));
    let old = Key::Id(yard.fire(event("custom.x", json!({}))).await.task.id);
    minutes(50);
    let new = Key::Id(yard.fire(event("custom.x", json!({}))).await.task.id);

    set(&clock, years(10));

    // The old one is removed when its hour is over, so sweeps go on.
    minutes(11);
    loop {
        match yard.dispatcher.task(yard.account, old).await {
            Ok(_) => clock.pass(Duration::from_millis(100)),
            Err(Error::NotFound { .. }) => break,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(is_over(&yard, new).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_that_was_seen_is_kept_for_the_next_start() {
    let clock = noon();
    let yard = Yard::at(&clock, settings()).await;
    while yard.store.clock_seen().await.unwrap().is_none() {
        clock.pass(Duration::from_secs(60));
    }
    assert!(yard.store.clock_seen().await.unwrap() <= Some(clock.now().wall));
}
