//! Calls into the host: none is free, none reads what it is not given, and none can make
//! the host fail.

use std::time::Duration;

use tenterhook_engine::{Limit, Outcome};
use tokio_util::sync::CancellationToken;

use crate::guests;
use crate::harness::{ENGINE, Run, SUCCESS, stopped};

#[tokio::test]
async fn no_host_call_is_free() {
    for call in [
        "clock",
        "yield",
        "empty-write",
        "bad-write",
        "poll",
        "bad-poll",
        "read-dir",
        "large-dir",
        "stat",
        "read-file",
        "write-file",
        "bad-open",
    ] {
        let run = Run::guest(guests::HOST_CALLS_LOOP)
            .arg(call)
            .limits(|limits| limits.fuel = 20_000_000)
            .go()
            .await;
        assert_eq!(run.outcome, stopped(Limit::Fuel), "{call}");
        assert!(
            (10..=10_000).contains(&run.usage.host_calls),
            "{call}: {}",
            run.usage.host_calls
        );
    }
}

#[tokio::test]
async fn no_host_call_of_a_component_is_free() {
    for call in [
        "clock",
        "empty-write",
        "poll",
        "read-dir",
        "large-dir",
        "stat",
        "read-file",
        "write-file",
        "bad-open",
    ] {
        let run = Run::component_of(guests::HOST_CALLS_LOOP)
            .arg(call)
            .limits(|limits| limits.fuel = 20_000_000)
            .go()
            .await;
        assert_eq!(run.outcome, stopped(Limit::Fuel), "{call}");
    }
}

/// Calls that wait for other threads, or for nothing.
const WAITING: [&str; 4] = ["empty-write", "poll", "read-file", "read-dir"];

fn endless(call: &str) -> [Run; 2] {
    [
        Run::guest(guests::HOST_CALLS_LOOP),
        Run::component_of(guests::HOST_CALLS_LOOP),
    ]
    .map(|run| run.arg(call).limits(|limits| limits.fuel = u64::MAX >> 1))
}

#[tokio::test]
async fn host_calls_end_at_the_deadline() {
    for call in WAITING {
        for run in endless(call) {
            let run = run
                .limits(|limits| limits.wall = Duration::from_millis(50))
                .go()
                .await;
            assert_eq!(run.outcome, stopped(Limit::Wall), "{call}");
        }
    }
}

#[tokio::test]
async fn host_calls_end_when_their_run_is_cancelled() {
    for call in WAITING {
        for run in endless(call) {
            let cancel = CancellationToken::new();
            let running = run
                .with(|invocation| invocation.cancel = cancel.clone())
                .start(&ENGINE)
                .await;
            tokio::task::yield_now().await;
            cancel.cancel();
            let outcome = running.await.unwrap().unwrap().outcome;
            assert_eq!(outcome, Outcome::Cancelled, "{call}");
        }
    }
}

#[tokio::test]
async fn one_call_waits_for_64_things_at_most() {
    const INVALID: u16 = 28;
    let run = Run::guest(guests::HOST_CALLS_POLL_MANY).go().await;
    let expected = format!("64 0\n65 {INVALID}\n100000 {INVALID}\nlying {INVALID}\n");
    assert_eq!((&run.outcome, run.text()), (&SUCCESS, expected));
}

#[tokio::test]
async fn every_random_byte_is_charged() {
    const INVALID: u16 = 28;
    let run = Run::guest(guests::HOST_CALLS_RANDOM)
        .limits(|limits| limits.fuel = 100_000_000)
        .go()
        .await;
    assert_eq!(run.outcome, stopped(Limit::Fuel));
    assert_eq!(run.text(), format!("at once {INVALID}\n"));
    assert!(run.usage.host_calls < 100);
}

#[tokio::test]
async fn bad_addresses_affect_only_the_guest() {
    for call in [
        "clock",
        "write",
        "many-pieces",
        "poll",
        "random",
        "open",
        "open-long",
    ] {
        for at in [u32::MAX, u32::MAX - 7, 0xffff_0000, 0x7fff_fff8] {
            let run = Run::guest(guests::HOST_CALLS_BAD_POINTERS)
                .arg(call)
                .arg(at)
                .go()
                .await;
            let is_error = run.outcome == SUCCESS && run.text() != "answered 0\n";
            assert!(
                is_error || matches!(run.outcome, Outcome::Trapped(_)),
                "{call} {at:x}: {:?}",
                run.outcome
            );
        }
    }
}
