//! With equal input, seed and clock a run uses the same fuel and prints the same
//! bytes.

use std::time::{Duration, UNIX_EPOCH};

use tenterhook_engine::{Clock, Invocation, Seed};

use crate::guests;
use crate::harness::{Finished, Run, SUCCESS};

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
        invocation.seed = Seed::Fixed(seed);
        invocation.clock = Clock::Frozen(UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    }
}

fn answer(run: &Finished) -> (String, String, u64) {
    (run.text(), run.errors(), run.usage.fuel)
}

#[tokio::test]
async fn equal_seeds_and_clocks_give_equal_output_and_fuel() {
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
async fn a_frozen_clock_shows_the_requested_time() {
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
        assert!(
            run.text().contains("wall Ok(1000000000s)\nmonotonic 0\n"),
            "{}",
            run.text()
        );
    }
}

#[tokio::test]
async fn with_a_frozen_clock_an_hour_of_sleep_passes_at_once() {
    for how in ["", "until"] {
        for run in [
            Run::guest(guests::LIMITS_SLEEP_AN_HOUR),
            Run::component_of(guests::LIMITS_SLEEP_AN_HOUR),
        ] {
            let run = run.arg(how).with(fixed(1)).go().await;
            assert_eq!(
                (&run.outcome, run.text().as_str()),
                (&SUCCESS, "sleeping\nwoke with 0\n")
            );
        }
    }
    let run = Run::script("sleep 2m; date +%s").with(fixed(1)).go().await;
    assert_eq!(
        (&run.outcome, run.text().as_str()),
        (&SUCCESS, "1000000120\n")
    );
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
