//! Every limit is really reached, and each has its outcome: with and without file access.
//! Every test here runs all forms of a program.

use std::time::Duration;

use tenterhook_engine::{Limit, Outcome};
use tokio_util::sync::CancellationToken;

use crate::guests;
use crate::harness::{ENGINE, Run, SUCCESS, stopped};
use crate::wasm;

#[tokio::test]
async fn a_guest_that_never_returns_is_stopped_by_its_fuel() {
    for run in Run::in_every_form(guests::LIMITS_SPIN_FOREVER) {
        let run = run.limits(|limits| limits.fuel = 50_000_000).go().await;
        assert_eq!(run.outcome, stopped(Limit::Fuel));
        assert_eq!(run.usage.fuel, 50_000_000);
    }
}

#[tokio::test]
async fn a_guest_that_never_returns_is_stopped_by_the_wall_clock() {
    for run in Run::in_every_form(guests::LIMITS_SPIN_FOREVER) {
        let run = run
            .limits(|limits| {
                limits.fuel = u64::MAX >> 1;
                limits.wall = Duration::from_millis(50);
            })
            .go()
            .await;
        assert_eq!(run.outcome, stopped(Limit::Wall));
        assert!(run.usage.cpu_us > 0 && run.usage.wall_us >= 50_000);
    }
}

#[tokio::test]
async fn a_guest_that_loops_before_its_entry_point_is_stopped() {
    for run in Run::bytes_in_every_form(wasm::loop_in_start_function()) {
        let run = run.limits(|limits| limits.fuel = 50_000_000).go().await;
        assert_eq!(run.outcome, stopped(Limit::Fuel));
    }
}

#[tokio::test]
async fn endless_recursion_is_a_trap() {
    for run in Run::in_every_form(guests::LIMITS_RECURSE_FOREVER) {
        let run = run.go().await;
        let Outcome::Trapped(trap) = &run.outcome else {
            panic!("{:?}", run.outcome);
        };
        assert!(trap.reason.contains("stack"), "{}", trap.reason);
        assert!(trap.backtrace.len() <= 20);
    }
}

#[tokio::test]
async fn a_memory_bomb_is_stopped_at_its_limit() {
    for run in Run::in_every_form(guests::LIMITS_MEMORY_BOMB) {
        let run = run.limits(|limits| limits.memory = 8 << 20).go().await;
        assert_eq!(run.outcome, stopped(Limit::Memory));
        let peak = run.usage.memory_peak_bytes;
        assert!((4 << 20..=8 << 20).contains(&peak), "{peak}");
    }
}

#[tokio::test]
async fn a_guest_that_is_refused_memory_may_continue() {
    for run in Run::in_every_form(guests::LIMITS_MEMORY_REFUSED) {
        let run = run.go().await;
        assert_eq!(
            (&run.outcome, run.text().as_str()),
            (&SUCCESS, "refused true\n")
        );
    }
}

#[tokio::test]
async fn a_module_that_starts_with_more_memory_than_it_may_have_is_stopped() {
    for run in Run::bytes_in_every_form(wasm::memory_of(2_000)) {
        assert_eq!(run.go().await.outcome, stopped(Limit::Memory));
    }
}

#[tokio::test]
async fn tables_count_as_memory() {
    let bytes = wasm::table_of(131_000);
    for run in Run::bytes_in_every_form(bytes.clone()) {
        assert_eq!(run.go().await.outcome, SUCCESS);
    }
    for run in Run::bytes_in_every_form(bytes) {
        let run = run.limits(|limits| limits.memory = 1 << 20).go().await;
        assert_eq!(run.outcome, stopped(Limit::Memory));
    }
}

#[tokio::test]
async fn sleep_ends_at_the_deadline_whichever_call_requests_it() {
    for how in ["", "until", "many"] {
        for run in Run::in_every_form(guests::LIMITS_SLEEP_AN_HOUR) {
            let run = run
                .arg(how)
                .limits(|limits| limits.wall = Duration::from_millis(50))
                .go()
                .await;
            assert_eq!(
                (&run.outcome, run.text().as_str()),
                (&stopped(Limit::Wall), "sleeping\n")
            );
        }
    }
}

#[tokio::test]
async fn a_short_sleep_elapses_and_takes_no_processor_time() {
    for run in Run::in_every_form(guests::FRIENDLY_SLEEP) {
        let run = run.arg(30).go().await;
        assert_eq!(
            (&run.outcome, run.text().as_str()),
            (&SUCCESS, "sleeping\nslept true\n")
        );
        assert!(run.usage.wall_us >= 30_000);
        assert!(run.usage.cpu_us < run.usage.wall_us);
    }
}

#[tokio::test]
async fn a_run_can_be_cancelled_in_guest_code_and_in_its_sleep() {
    for guest in [guests::LIMITS_SPIN_FOREVER, guests::LIMITS_SLEEP_AN_HOUR] {
        for run in Run::in_every_form(guest) {
            let cancel = CancellationToken::new();
            let run = run
                .limits(|limits| limits.fuel = u64::MAX >> 1)
                .with(|invocation| {
                    invocation.cancel = cancel.clone();
                });
            let running = run.start(&ENGINE).await;
            tokio::task::yield_now().await;
            cancel.cancel();
            assert_eq!(running.await.unwrap().unwrap().outcome, Outcome::Cancelled);
        }
    }
}

#[tokio::test]
async fn a_run_that_was_cancelled_before_it_starts_does_not_run() {
    for run in Run::in_every_form(guests::FRIENDLY_HELLO) {
        let cancel = CancellationToken::new();
        cancel.cancel();
        let run = run.with(|invocation| invocation.cancel = cancel).go().await;
        assert_eq!(
            (&run.outcome, run.text().as_str()),
            (&Outcome::Cancelled, "")
        );
    }
}

#[tokio::test]
async fn output_beyond_the_limit_is_cut_and_counted() {
    for run in Run::in_every_form(guests::LIMITS_OUTPUT_BYTES) {
        let run = run
            .arg(3_000)
            .limits(|limits| limits.output = 2_000)
            .go()
            .await;
        assert_eq!(run.outcome, SUCCESS);
        assert_eq!((run.stdout.len(), run.stderr.len()), (1_500, 500));
        assert_eq!((run.dropped_bytes, run.usage.output_bytes), (1_000, 3_000));
    }
}

#[tokio::test]
async fn output_up_to_the_limit_is_whole() {
    for run in Run::in_every_form(guests::LIMITS_OUTPUT_BYTES) {
        let run = run
            .arg(2_000)
            .limits(|limits| limits.output = 2_000)
            .go()
            .await;
        assert_eq!(
            (run.stdout.len(), run.stderr.len(), run.dropped_bytes),
            (1_000, 1_000, 0)
        );
    }
}

#[tokio::test]
async fn a_flood_of_output_is_stopped() {
    for run in Run::in_every_form(guests::LIMITS_OUTPUT_FLOOD) {
        let run = run.limits(|limits| limits.output = 10_000).go().await;
        assert_eq!(run.outcome, stopped(Limit::Output));
        assert_eq!(run.stdout.len(), 10_000);
        assert_eq!(run.usage.output_bytes, run.dropped_bytes + 10_000);
    }
}

#[tokio::test]
async fn large_fills_and_copies_are_cut_like_any_other_work() {
    for how in ["fill", "copy"] {
        for run in Run::in_every_form(guests::LIMITS_BULK) {
            let run = run.arg(how).limits(|limits| {
                limits.fuel = u64::MAX >> 1;
                limits.memory = 512 << 20;
                limits.wall = Duration::from_millis(300);
            });
            // The harness checks that no piece takes long.
            assert_eq!(run.go().await.outcome, stopped(Limit::Wall), "{how}");
        }
    }
}
