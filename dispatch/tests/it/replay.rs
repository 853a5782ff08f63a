//! Attempts that are run again from what was recorded of them.
//!
//! The harness replays every attempt of every task that a test waits for.

use std::time::Duration;

use serde_json::json;
use tenterhook_dispatch::{
    Aspect, Error, ExecutionFilter, Noun, Outputs, Page, Place, RetryPolicy, Settings, State,
};
use tenterhook_engine::{Limit, Limits, Outcome};
use tenterhook_ledger::{Capacities, Resource};

use crate::support::{LONG, Yard, event, settings, stdout};

/// What two runs of it never have in common.
const CHANCE: &str = "date +%s%N; echo $RANDOM; mktemp; head -c 8 /dev/urandom | base64; sleep 0.02; date +%s%N >&2\n\
    cat /event.json > /tmp/copy; echo '{\"allow\":false,\"reason\":\"'$RANDOM'\"}' > /verdict.json; exit 3\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_has_the_clock_the_chance_and_the_input_of_its_attempt() {
    let yard = Yard::new().await;
    yard.hook("custom.x", CHANCE).await;
    let first = yard.fire(event("custom.x", json!({"a": 1}))).await;
    let second = yard.fire(event("custom.x", json!({"a": 1}))).await;
    let (first, second) = (&first.executions[0], &second.executions[0]);
    assert_ne!(stdout(first), stdout(second));
    for execution in [first, second] {
        let replay = yard.replay(execution.id, None).await.unwrap();
        assert_eq!(replay.differences, []);
        assert_eq!(replay.notes, [""; 0]);
        assert_eq!(replay.replayed.output, execution.latest.output);
        assert_eq!(replay.replayed.verdict, execution.latest.verdict);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_replayed_as_itself() {
    let yard = Yard::new().await;
    yard.hook_with("custom.x", "echo $HOOK_ATTEMPT $RANDOM; exit 1\n", |hook| {
        hook.retry = RetryPolicy {
            attempts: 3,
            backoff_ms: 1,
            ..RetryPolicy::default()
        };
    })
    .await;
    let detail = yard.fire(event("custom.x", json!({}))).await;
    let id = detail.executions[0].id;
    for attempt in 1..=3 {
        let replay = yard.replay(id, Some(attempt)).await.unwrap();
        assert_eq!(replay.differences, [], "attempt {attempt}");
        let printed = replay.replayed.output.stdout;
        assert!(printed.starts_with(format!("{attempt} ").as_bytes()));
    }
    let unknown = yard.replay(id, Some(4)).await.unwrap_err();
    assert!(
        matches!(
            unknown,
            Error::NotFound {
                what: Noun::Attempt,
                ..
            }
        ),
        "{unknown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_changes_nothing_and_takes_no_time_to_sleep() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo $RANDOM\n").await;
    let detail = yard.fire(event("custom.x", json!({}))).await;
    let before = yard.all_executions().await;
    let sleeps = Some("sleep 9; date +%s\n".into());
    let executions = yard.dispatcher.executions();
    let id = detail.executions[0].id;
    let replay = executions
        .replay(yard.account, id, None, sleeps)
        .await
        .unwrap();
    assert_eq!(replay.replayed.outcome, Some(Outcome::Exited { status: 0 }));
    let shown: u64 = std::str::from_utf8(&replay.replayed.output.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let began = detail.executions[0]
        .latest
        .started_at
        .unwrap()
        .unix_timestamp();
    assert!(shown >= u64::try_from(began).unwrap() + 9);
    assert_eq!(yard.all_executions().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_on_the_same_input_shows_where_it_differs() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo one; echo two; echo $RANDOM\n")
        .await;
    let detail = yard.fire(event("custom.x", json!({}))).await;
    let id = detail.executions[0].id;
    let with = async |program: &'static str| {
        let executions = yard.dispatcher.executions();
        let program = Some(program.into());
        executions.replay(yard.account, id, None, program).await
    };
    let other = with("echo one; echo three; echo $RANDOM; exit 4\n")
        .await
        .unwrap();
    let aspects: Vec<_> = other.differences.iter().map(|one| one.aspect).collect();
    assert_eq!(aspects[..2], [Aspect::Outcome, Aspect::Stdout]);
    assert!(aspects.contains(&Aspect::Fuel));
    let stdout = &other.differences[1];
    assert_eq!(stdout.place, Some(Place { byte: 5, line: 2 }));
    assert_eq!((&*stdout.recorded, &*stdout.replayed), ("`two`", "`three`"));
    assert_eq!(other.replayed.outcome, Some(Outcome::Exited { status: 4 }));
    let shorter = with("echo one\n").await.unwrap();
    let stdout = &shorter.differences[0];
    assert_eq!(
        (stdout.place, &*stdout.replayed),
        (Some(Place { byte: 4, line: 2 }), "the end")
    );
    let refused = with("if then fi\0").await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_attempt_is_replayed_as_far_as_it_went() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo begun; sleep 1h; echo never\n")
        .await;
    let task = yard.send(event("custom.x", json!({}))).await;
    let execution = yard.all_executions().await.remove(0);
    yard.printed(&execution).await;
    let refused = yard.replay(execution.id, None).await.unwrap_err();
    assert!(matches!(refused, Error::WrongState { .. }), "{refused}");
    yard.dispatcher
        .executions()
        .cancel(yard.account, execution.id)
        .await
        .unwrap();
    let detail = yard.end(task).await;
    assert_eq!(detail.executions[0].state, State::Canceled);
    let replay = yard.replay(execution.id, None).await.unwrap();
    assert_eq!(replay.differences, []);
    assert!(
        replay.notes[0].contains("interrupted"),
        "{:?}",
        replay.notes
    );
    assert_eq!(&*replay.replayed.output.stdout, b"begun\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_printed_until_its_deadline_printed_what_its_replay_prints() {
    let yard = Yard::new().await;
    for wall_ms in [20, 35, 50] {
        let name = format!("custom.x{wall_ms}");
        yard.hook_with(&name, "while :; do echo x; done\n", |hook| {
            hook.limits.wall_ms = Some(wall_ms);
            hook.limits.fuel = Some(100_000_000_000);
        })
        .await;
        let detail = yard.fire(event(&name, json!({}))).await;
        let replay = yard.replay(detail.executions[0].id, None).await.unwrap();
        assert_eq!(replay.differences, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_that_would_oversleep_is_stopped_as_it_would_be() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo x\n").await;
    let detail = yard.fire(event("custom.x", json!({}))).await;
    let sleeps = Some("echo x; sleep 1h; echo never\n".into());
    let executions = yard.dispatcher.executions();
    let replay = executions.replay(yard.account, detail.executions[0].id, None, sleeps);
    let replay = replay.await.unwrap();
    let stopped = Outcome::Stopped { limit: Limit::Wall };
    assert_eq!(replay.replayed.outcome, Some(stopped));
    assert_eq!(&*replay.replayed.output.stdout, b"x\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_keeps_the_limits_that_it_had() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo $HOOK_LIMIT_FUEL $HOOK_LIMIT_WALL_MS\n")
        .await;
    let detail = yard.fire(event("custom.x", json!({}))).await;
    yard.dispatcher.drain(LONG).await;
    let lower = Settings {
        default_limits: Limits {
            fuel: 1_000_000_000,
            wall: Duration::from_secs(3),
            ..Limits::for_testing()
        },
        ..settings()
    };
    let later = yard.restarted_as(lower).await;
    let replay = later
        .executions()
        .replay(yard.account, detail.executions[0].id, None, None)
        .await
        .unwrap();
    assert_eq!(replay.differences, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_cannot_replay_it() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo x\n").await;
    let detail = yard.fire(event("custom.x", json!({}))).await;
    let other = yard.dispatcher.accounts().create("other").await.unwrap();
    let other = yard.as_account(other.id);
    let found = other.replay(detail.executions[0].id, None).await;
    assert!(
        matches!(
            found,
            Err(Error::NotFound {
                what: Noun::Execution,
                ..
            })
        ),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_nobody_waits_for_ends() {
    let yard = Yard::sharing(Capacities::default()).await;
    yard.hook_with("custom.x", "echo x\n", |hook| {
        // Half a minute and more.
        hook.limits.fuel = Some(200_000_000_000);
    })
    .await;
    let detail = yard.fire(event("custom.x", json!({}))).await;
    let endless = Some("while :; do :; done\n".into());
    let executions = yard.dispatcher.executions();
    let replay = executions.replay(yard.account, detail.executions[0].id, None, endless);
    let waited = tokio::time::timeout(Duration::from_millis(50), replay).await;
    assert!(waited.is_err());
    while yard.dispatcher.ledger().taken(Resource::RunSlots) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Yard {
    async fn all_executions(&self) -> Vec<tenterhook_dispatch::Execution> {
        let executions = self.dispatcher.executions();
        let filter = ExecutionFilter::default();
        executions
            .list(self.account, &filter, Page::first(10), Outputs::Omit)
            .await
            .unwrap()
    }
}
