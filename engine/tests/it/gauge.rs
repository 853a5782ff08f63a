//! What a run has used is shown while it is in progress.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_engine::{Gauge, Outcome, SoFar};
use tokio_util::sync::CancellationToken;

use crate::harness::{ENGINE, Run};
use crate::wasm;

/// How often a test polls before it gives up; it waits a little in between.
const POLLS: u32 = 10_000;

async fn until(gauge: &Gauge, wanted: impl Fn(SoFar) -> bool) -> SoFar {
    for _ in 0..POLLS {
        if let Some(so_far) = gauge.so_far().filter(|so_far| wanted(*so_far)) {
            return so_far;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it never came to that: {:?}", gauge.so_far());
}

/// Runs it until `look` returns, and then cancels it.
async fn watched(run: Run, look: impl AsyncFnOnce(&Gauge)) {
    let gauge = Arc::new(Gauge::default());
    let cancel = CancellationToken::new();
    let run = run.limits(|limits| limits.fuel = 100_000_000_000);
    let run = run.with(|invocation| {
        invocation.gauge = Some(Arc::clone(&gauge));
        invocation.cancel = cancel.clone();
    });
    assert_eq!(gauge.so_far(), None);
    let running = run.start(&ENGINE).await;
    look(&gauge).await;
    cancel.cancel();
    let report = running.await.unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Cancelled);
    let so_far = gauge.so_far().unwrap();
    assert_eq!(so_far.memory_peak_bytes, report.usage.memory_peak_bytes);
}

#[tokio::test]
async fn a_spinning_script_uses_more_and_more_fuel() {
    watched(Run::script("while :; do :; done"), async |gauge| {
        let first = until(gauge, |so_far| so_far.fuel > 1_000_000).await;
        let later = until(gauge, |so_far| so_far.fuel > 4 * first.fuel).await;
        assert!(later.wall_us > first.wall_us);
    })
    .await;
}

#[tokio::test]
async fn a_loop_without_calls_reports_its_fuel_at_every_tick() {
    watched(Run::bytes(wasm::spin_holding(0)), async |gauge| {
        let first = until(gauge, |so_far| so_far.fuel > 0).await;
        until(gauge, |so_far| so_far.fuel > first.fuel).await;
    })
    .await;
}

#[tokio::test]
async fn memory_held_by_a_guest_is_reported() {
    watched(Run::bytes(wasm::spin_holding(512)), async |gauge| {
        until(gauge, |so_far| so_far.memory_peak_bytes >= 32 << 20).await;
    })
    .await;
}

#[tokio::test]
async fn a_sleeping_guest_reports_the_numbers_of_its_last_call() {
    watched(Run::script("sleep 1h"), async |gauge| {
        let asleep = until(gauge, |so_far| so_far.fuel > 1_000).await;
        let later = until(gauge, |so_far| so_far.wall_us > asleep.wall_us).await;
        assert!(later.fuel >= asleep.fuel && later.memory_peak_bytes > 0);
    })
    .await;
}

#[tokio::test]
async fn the_last_reading_is_no_more_than_the_usage() {
    let gauge = Arc::new(Gauge::default());
    let shared = Arc::clone(&gauge);
    let run = Run::script("for n in 1 2 3; do echo $n; done")
        .with(|invocation| invocation.gauge = Some(shared))
        .go()
        .await;
    let so_far = gauge.so_far().unwrap();
    assert!(
        so_far.fuel > 0 && so_far.fuel <= run.usage.fuel,
        "{so_far:?}"
    );
}
