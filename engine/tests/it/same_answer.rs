//! Runs with equal start and seed use the same fuel and print the same bytes. The harness
//! asserts it of most runs of all tests; these are about what the two decide.

use std::time::{Duration, Instant, UNIX_EPOCH};

use tenterhook_engine::{Invocation, Limit, Pace, Seed};

use crate::guests;
use crate::harness::{Finished, Run, SUCCESS, stopped};

const HOUR: Duration = Duration::from_secs(3_600);

const SCRIPT: &str = "echo $RANDOM $RANDOM; date +%s; mktemp; jq -c .a; sleep 0.01; date +%s; for i in 1 2 3; do echo $i; done | sort -r";

fn runs() -> [fn() -> Run; 3] {
    [
        || Run::guest(guests::FRIENDLY_RANDOM),
        || Run::component_of(guests::FRIENDLY_RANDOM),
        || Run::script(SCRIPT).stdin(r#"{"a":[1]}"#),
    ]
}

fn fixed(seed: u64) -> impl FnOnce(&mut Invocation) {
    move |invocation| {
        invocation.start = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        invocation.seed = Seed::from(seed);
        invocation.pace = Pace::Skip;
    }
}

fn answer(run: &Finished) -> (String, String, u64) {
    (run.text(), run.errors(), run.usage.fuel)
}

#[tokio::test]
async fn equal_starts_and_seeds_give_equal_output_and_fuel() {
    for run in runs() {
        let first = run().with(fixed(7)).go().await;
        assert_eq!(first.outcome, SUCCESS);
        for _ in 0..5 {
            let again = run().with(fixed(7)).go().await;
            assert_eq!(answer(&again), answer(&first));
        }
    }
}

#[tokio::test]
async fn another_seed_gives_other_output() {
    for run in runs() {
        let (one, two) = (
            run().with(fixed(1)).go().await,
            run().with(fixed(2)).go().await,
        );
        assert_ne!(one.text(), two.text());
    }
}

#[tokio::test]
async fn without_a_seed_no_two_runs_are_alike() {
    for run in runs() {
        let (one, two) = (run().go().await, run().go().await);
        assert_ne!(one.text().lines().next(), two.text().lines().next());
    }
}

#[tokio::test]
async fn a_clock_starts_where_it_is_told_to() {
    let run = Run::script("date -u +%Y-%m-%dT%H:%M:%S")
        .with(fixed(1))
        .go()
        .await;
    assert_eq!(run.text(), "2001-09-09T01:46:40\n");
    for run in [
        Run::guest(guests::FRIENDLY_RANDOM),
        Run::component_of(guests::FRIENDLY_RANDOM),
    ] {
        let run = run.with(fixed(1)).go().await;
        assert!(run.text().contains("wall Ok(1000000000."), "{}", run.text());
    }
}

#[tokio::test]
async fn an_hour_of_sleep_may_be_skipped() {
    for how in ["", "until"] {
        for run in [
            Run::guest(guests::LIMITS_SLEEP_AN_HOUR),
            Run::component_of(guests::LIMITS_SLEEP_AN_HOUR),
        ] {
            let run = run
                .arg(how)
                .with(fixed(1))
                .limits(|limits| limits.wall = 2 * HOUR);
            let run = run.go().await;
            assert_eq!(
                (&run.outcome, run.text().as_str()),
                (&SUCCESS, "sleeping\nwoke with 0\n")
            );
        }
    }
    let run = Run::script("sleep 2m; date +%s").with(fixed(1));
    let run = run.limits(|limits| limits.wall = HOUR).go().await;
    assert_eq!(
        (&run.outcome, run.text().as_str()),
        (&SUCCESS, "1000000120\n")
    );
}

#[tokio::test]
async fn the_clock_moves_with_the_work_and_by_the_sleep_that_was_asked_for() {
    const SCRIPT: &str = "t() { date +%s%N; }; a=$(t); for i in $(seq 2000); do :; done; \
        b=$(t); sleep 0.05; c=$(t); echo $((b - a)) $((c - b))";
    let run = Run::script(SCRIPT).go().await;
    let text = run.text();
    let (work, sleep) = text.trim().split_once(' ').unwrap();
    let (work, sleep): (u64, u64) = (work.parse().unwrap(), sleep.parse().unwrap());
    assert!((100_000..run.usage.fuel / 10).contains(&work), "{text}");
    // The rest is what `date` and `sleep` themselves have to do.
    assert!((50_000_000..55_000_000).contains(&sleep), "{text}");
}

#[tokio::test]
async fn a_sleep_takes_its_time_and_no_more_by_the_guests_clock() {
    let began_at = Instant::now();
    let run =
        Run::script("a=$(date +%s%N); sleep 0.2; b=$(date +%s%N); echo $(((b - a) / 1000000))")
            .go()
            .await;
    assert!(began_at.elapsed() >= Duration::from_millis(200));
    let shown: u64 = run.text().trim().parse().unwrap();
    assert!((200..205).contains(&shown), "{shown}");
}

#[tokio::test]
async fn a_sleep_that_is_skipped_is_bounded_as_one_that_is_not() {
    for run in [
        Run::guest(guests::LIMITS_SLEEP_AN_HOUR),
        Run::component_of(guests::LIMITS_SLEEP_AN_HOUR),
        Run::script("echo sleeping; sleep 1h"),
    ] {
        let run = run.with(fixed(1)).go().await;
        assert_eq!(
            (&run.outcome, run.text().as_str()),
            (&stopped(Limit::Wall), "sleeping\n")
        );
    }
}

#[tokio::test]
async fn nan_has_one_bit_pattern() {
    let run = Run::guest(guests::FRIENDLY_RANDOM).go().await;
    assert!(
        run.text().contains("nan 7ff8000000000000\n"),
        "{}",
        run.text()
    );
}
