//! A wall clock that is set: nothing waits for it, and nothing is lost by it.

use std::time::Duration;

use serde_json::json;
use tenterhook_dispatch::{
    AccountId, Clock as _, Dispatcher, Error, Key, Retention, RetryPolicy, Settings, State,
    SteppedClock, TaskId,
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
    let detail = yard
        .dispatcher
        .tasks()
        .get(yard.account, task)
        .await
        .unwrap();
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
        .tasks()
        .cancel(yard.account, long)
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
        .tasks()
        .wait(yard.account, Key::Id(task), LONG)
        .await
        .unwrap();
    assert_eq!(stdout(&detail.executions[0]), "done\n");
}

/// The amounts by which a clock may be set.
fn settings_of_the_wall() -> [time::Duration; 6] {
    let seconds = time::Duration::seconds;
    [
        seconds(-9),
        seconds(-30),
        seconds(-3_600),
        -years(1),
        seconds(3_600),
        years(1),
    ]
}

/// A task that has failed once and is tried again within a minute, though its hook would
/// have it wait for an hour later on; and how long it waits.
async fn retry(yard: &Yard, clock: &SteppedClock) -> (Key<TaskId>, Duration) {
    yard.hook_with("custom.x", "[ $HOOK_ATTEMPT = 2 ]\n", |hook| {
        hook.retry = RetryPolicy {
            attempts: 2,
            backoff_ms: 60_000,
            backoff_max_ms: 3_600_000,
            ..RetryPolicy::default()
        };
    })
    .await;
    let task = yard.send(event("custom.x", json!({}))).await;
    loop {
        if let Some(wait) = wait(&yard.dispatcher, yard.account, task, clock).await {
            return (task, wait);
        }
    }
}

/// How long a task waits to be tried again, as the server shows it.
async fn wait(
    dispatcher: &Dispatcher,
    account: AccountId,
    task: Key<TaskId>,
    clock: &SteppedClock,
) -> Option<Duration> {
    let detail = dispatcher.tasks().get(account, task).await.unwrap();
    let wait = detail.executions[0].due_at? - clock.now().wall;
    Some(wait.try_into().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_comes_when_its_wait_has_passed_however_the_clock_is_set() {
    for set_by in settings_of_the_wall() {
        let clock = noon();
        let yard = Yard::at(&clock, settings()).await;
        let (task, wait) = retry(&yard, &clock).await;

        set(&clock, set_by);

        clock.pass(wait / 2);
        let shown = self::wait(&yard.dispatcher, yard.account, task, &clock).await;
        let differs = shown.unwrap().abs_diff(wait - wait / 2);
        assert!(differs <= Duration::from_secs(10), "{set_by}: {differs:?}");
        clock.pass(wait - wait / 2);
        assert_eq!(yard.end(task).await.task.state, State::Finished, "{set_by}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_retry_waits_longer_than_it_was_to_after_a_restart_with_a_clock_that_was_set() {
    for set_by in settings_of_the_wall() {
        let clock = noon();
        let yard = Yard::at(&clock, settings()).await;
        let (task, wait) = retry(&yard, &clock).await;
        yard.dispatcher.drain(LONG).await;
        set(&clock, set_by);

        let restarted = yard.restarted_at(&clock).await;

        let shown = self::wait(&restarted, yard.account, task, &clock).await;
        assert!(
            shown.is_none_or(|shown| shown <= wait),
            "{set_by}: {shown:?}"
        );
        clock.pass(wait);
        let detail = restarted
            .tasks()
            .wait(yard.account, task, LONG)
            .await
            .unwrap();
        assert_eq!(detail.task.state, State::Finished, "{set_by}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_after_the_clock_was_set_is_due_at_once() {
    for set_by in settings_of_the_wall() {
        let clock = noon();
        let yard = Yard::at(&clock, settings()).await;
        yard.hook("custom.x", "[ $HOOK_ATTEMPT = 2 ]\n").await;
        let task = yard.send(event("custom.x", json!({}))).await;
        let failed = yard.end(task).await.executions.remove(0);
        set(&clock, set_by);

        let again = yard
            .dispatcher
            .executions()
            .redrive(yard.account, failed.id)
            .await;

        again.unwrap();
        assert_eq!(yard.end(task).await.task.state, State::Finished, "{set_by}");
    }
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

    // The old one is removed after its hour, so sweeps continue.
    minutes(11);
    loop {
        match yard.dispatcher.tasks().get(yard.account, old).await {
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
