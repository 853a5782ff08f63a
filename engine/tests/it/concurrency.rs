//! Many runs at a time: all end, none disturbs another, nothing is left behind.

use std::fs;
use std::sync::Arc;

use tenterhook_engine::{Limit, OutputSink, Settings, Stream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::guests;
use crate::harness::{ENGINE, Run, SUCCESS, component_of, engine, load, load_guest, stopped};
use crate::wasm::sum_of_memory;

fn few_sandboxes(sandboxes: u32) -> Settings {
    Settings {
        sandboxes,
        threads: 2,
        ..Settings::default()
    }
}

#[tokio::test]
async fn two_hundred_runs_on_twenty_sandboxes_all_end() {
    let engine = engine(few_sandboxes(20));
    let programs = [
        load_guest(&engine, guests::FRIENDLY_HELLO).await,
        load(
            &engine,
            &fs::read(component_of(guests::FRIENDLY_HELLO)).unwrap(),
        )
        .await,
        load(&engine, b"echo hello").await,
        load_guest(&engine, guests::FRIENDLY_FILES).await,
    ];
    let mut running = Vec::new();
    for index in 0..200 {
        running.push(
            Run::loaded(&programs[index % programs.len()])
                .start(&engine)
                .await,
        );
    }
    for run in running {
        assert_eq!(run.await.unwrap().unwrap().outcome, SUCCESS);
    }
}

#[tokio::test]
async fn spinning_guests_do_not_keep_others_from_running() {
    let engine = engine(few_sandboxes(8));
    let hello = load_guest(&engine, guests::FRIENDLY_HELLO).await;
    let spin = load_guest(&engine, guests::LIMITS_SPIN_FOREVER).await;
    let cancel = CancellationToken::new();
    let mut spinning = Vec::new();
    for _ in 0..4 {
        let run = Run::loaded(&spin)
            .limits(|limits| limits.fuel = u64::MAX >> 1)
            .with(|invocation| invocation.cancel = cancel.clone());
        spinning.push(run.start(&engine).await);
    }
    for _ in 0..20 {
        assert_eq!(Run::loaded(&hello).on(&engine).await.outcome, SUCCESS);
    }
    // They were there all the time.
    assert!(spinning.iter().all(|run| !run.is_finished()));
    cancel.cancel();
    for run in spinning {
        run.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_panic_of_the_host_fails_only_one_run() {
    struct Panics;
    impl OutputSink for Panics {
        fn write(&self, _: Stream, _: &[u8]) {
            panic!("the sink is broken");
        }
    }
    let engine = engine(few_sandboxes(1));
    let hello = load_guest(&engine, guests::FRIENDLY_HELLO).await;
    for _ in 0..3 {
        let run = Run::loaded(&hello).with(|invocation| invocation.output = Some(Arc::new(Panics)));
        let broken = run.start(&engine).await;
        assert!(broken.await.unwrap_err().is_panic());
        assert_eq!(Run::loaded(&hello).on(&engine).await.outcome, SUCCESS);
    }
}

#[tokio::test]
async fn a_sandbox_is_free_again_however_its_run_ended() {
    let engine = engine(few_sandboxes(1));
    let hello = load_guest(&engine, guests::FRIENDLY_HELLO).await;
    for guest in [
        guests::LIMITS_ABORT,
        guests::LIMITS_RECURSE_FOREVER,
        guests::LIMITS_MEMORY_BOMB,
        guests::LIMITS_OUTPUT_FLOOD,
    ] {
        Run::guest(guest).on(&engine).await;
        Run::component_of(guest).on(&engine).await;
        assert_eq!(Run::loaded(&hello).on(&engine).await.outcome, SUCCESS);
    }
}

#[tokio::test]
async fn no_memory_of_one_run_is_seen_by_the_next() {
    // The same slot is used again: whatever the first wrote must be gone.
    let engine = engine(few_sandboxes(1));
    let bomb = Run::guest(guests::LIMITS_MEMORY_BOMB).limits(|limits| limits.memory = 16 << 20);
    assert_eq!(bomb.on(&engine).await.outcome, stopped(Limit::Memory));
    let run = Run::bytes(sum_of_memory(200)).on(&engine).await;
    assert_eq!(run.outcome, SUCCESS);
}

#[tokio::test]
async fn dropping_the_handle_does_not_end_the_run() {
    struct Notifies(Arc<Notify>);
    impl OutputSink for Notifies {
        fn write(&self, _: Stream, _: &[u8]) {
            self.0.notify_one();
        }
    }
    let heard = Arc::new(Notify::new());
    let sink = Arc::new(Notifies(Arc::clone(&heard)));
    let run = Run::guest(guests::FRIENDLY_HELLO).with(|invocation| invocation.output = Some(sink));
    drop(run.start(&ENGINE).await);
    heard.notified().await;
}

#[tokio::test]
async fn runs_leave_no_descriptors_open() {
    let engine = engine(few_sandboxes(4));
    let mut programs = vec![load(&engine, b"echo x > /tmp/x; cat /tmp/x").await];
    for guest in [
        guests::FRIENDLY_FILES,
        guests::FILES_DESCRIPTORS,
        guests::LIMITS_ABORT,
        guests::FILES_KEEP,
    ] {
        programs.push(load_guest(&engine, guest).await);
        programs.push(load(&engine, &fs::read(component_of(guest)).unwrap()).await);
    }
    let all = || async {
        for program in &programs {
            Run::loaded(program).on(&engine).await;
        }
    };
    all().await;
    let before = open_descriptors();
    for _ in 0..50 {
        all().await;
    }
    // Other tests run meanwhile, each with a few; a leak would leave hundreds.
    let after = open_descriptors();
    assert!(after < before + 100, "{before} before, {after} after");
}

/// Descriptors of this process that are open on a file system of a run.
fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}
