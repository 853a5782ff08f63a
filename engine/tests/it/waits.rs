//! Waiting in preview 1: for clocks and descriptors, in both versions, with and without
//! file access. No wait outlives its run.

use std::time::{Duration, SystemTime};

use tenterhook_engine::{Limit, Outcome, Pace};
use tokio_util::sync::CancellationToken;

use crate::harness::{ENGINE, Run, SUCCESS, exited, stopped};
use crate::wasm::Wait;

const WALL: u32 = 0;
const MONOTONIC: u32 = 1;

const SECOND_NS: u64 = 1_000_000_000;
const HOUR_NS: u64 = 3_600 * SECOND_NS;

/// The tags of descriptors in a subscription, which are those in an event.
const CLOCK: u8 = 0;
const READ: u8 = 1;
const WRITE: u8 = 2;

/// Error numbers.
const BAD_DESCRIPTOR: u8 = 8;
const INVALID: u8 = 28;

/// One event as the host wrote it.
#[derive(Debug, PartialEq, Eq)]
struct Event {
    userdata: u64,
    error: u16,
    tag: u8,
    bytes: u64,
    hangup: bool,
}

fn passed(userdata: u64) -> Event {
    ready(userdata, CLOCK, 0)
}

fn ready(userdata: u64, tag: u8, bytes: u64) -> Event {
    Event {
        userdata,
        error: 0,
        tag,
        bytes,
        hangup: false,
    }
}

/// The events that a module printed.
fn events(printed: &[u8]) -> Vec<Event> {
    let (count, events) = printed.split_at(4);
    let count = u32::from_le_bytes(count.try_into().unwrap());
    let long = |event: &[u8], at: usize| u64::from_le_bytes(event[at..at + 8].try_into().unwrap());
    let event = |event: &[u8]| Event {
        userdata: long(event, 0),
        error: u16::from_le_bytes(event[8..10].try_into().unwrap()),
        tag: event[10],
        bytes: long(event, 16),
        hangup: event[24] & 1 == 1,
    };
    events
        .chunks_exact(32)
        .map(event)
        .take(count as usize)
        .collect()
}

/// A wait in both versions, each with and without files in reach.
fn in_every_form(wait: impl Fn(Wait) -> Wait) -> Vec<Run> {
    let waits = Wait::VERSIONS.map(|version| wait(Wait::new(version)));
    let both = |wait: &Wait| [wait.module(), wait.clone().importing_files().module()];
    waits.iter().flat_map(both).map(Run::bytes).collect()
}

/// Waits that last far longer than any test.
const ENDLESS: [fn(Wait) -> Wait; 8] = [
    |wait| wait.clock(1, WALL, 8 * SECOND_NS, false).times(1_000),
    |wait| wait.clock(1, MONOTONIC, HOUR_NS, false),
    |wait| wait.clock(1, WALL, HOUR_NS, false),
    |wait| wait.clock(1, MONOTONIC, HOUR_NS, true),
    |wait| wait.clock(1, WALL, u64::MAX, true),
    |wait| wait.clock(1, MONOTONIC, u64::MAX, true),
    |wait| {
        wait.clock(1, WALL, HOUR_NS, false)
            .clock(2, MONOTONIC, u64::MAX, false)
    },
    |wait| wait.clock(1, MONOTONIC, u64::MAX, false),
];

#[tokio::test]
async fn no_wait_outlives_the_deadline() {
    for wait in ENDLESS {
        for run in in_every_form(wait) {
            let run = run.limits(|limits| limits.wall = Duration::from_millis(20));
            assert_eq!(run.go().await.outcome, stopped(Limit::Wall));
        }
    }
}

#[tokio::test]
async fn no_wait_outlives_its_cancellation() {
    for wait in ENDLESS {
        for run in in_every_form(wait) {
            let cancel = CancellationToken::new();
            let running = run
                .with(|invocation| invocation.cancel = cancel.clone())
                .start(&ENGINE)
                .await;
            tokio::task::yield_now().await;
            cancel.cancel();
            assert_eq!(running.await.unwrap().unwrap().outcome, Outcome::Cancelled);
        }
    }
}

#[tokio::test]
async fn more_waits_than_there_are_threads_leave_room_for_others() {
    let cancel = CancellationToken::new();
    let mut waiting = Vec::new();
    for _ in 0..10 {
        for run in in_every_form(|wait| wait.clock(1, WALL, HOUR_NS, false)) {
            let run = run.with(|invocation| invocation.cancel = cancel.clone());
            waiting.push(run.start(&ENGINE).await);
        }
    }
    assert_eq!(Run::script(":").go().await.outcome, SUCCESS);
    cancel.cancel();
    for run in waiting {
        assert_eq!(run.await.unwrap().unwrap().outcome, Outcome::Cancelled);
    }
}

#[tokio::test]
async fn a_wait_ends_with_what_comes_first() {
    for run in in_every_form(|wait| {
        wait.clock(7, MONOTONIC, HOUR_NS, false)
            .clock(8, WALL, 1_000_000, false)
            .clock(9, WALL, 1, true)
    }) {
        let run = run.go().await;
        assert_eq!(
            (&run.outcome, events(&run.stdout)),
            (&SUCCESS, vec![passed(9)])
        );
    }
    for run in in_every_form(|wait| {
        wait.clock(7, MONOTONIC, HOUR_NS, false)
            .clock(8, WALL, 1_000_000, false)
    }) {
        let run = run.go().await;
        assert_eq!(
            (&run.outcome, events(&run.stdout)),
            (&SUCCESS, vec![passed(8)])
        );
    }
}

#[tokio::test]
async fn standard_streams_are_always_ready() {
    for run in in_every_form(|wait| {
        wait.descriptor(1, READ, 0)
            .clock(2, MONOTONIC, HOUR_NS, false)
            .descriptor(3, WRITE, 1)
            .descriptor(4, WRITE, 2)
            .clock(5, MONOTONIC, 0, false)
    }) {
        let run = run.stdin("input").go().await;
        let expected = vec![
            ready(1, READ, 1),
            ready(3, WRITE, 1),
            ready(4, WRITE, 1),
            passed(5),
        ];
        assert_eq!((&run.outcome, events(&run.stdout)), (&SUCCESS, expected));
    }
}

#[tokio::test]
async fn a_poll_reports_how_much_of_a_file_can_be_read() {
    for version in Wait::VERSIONS {
        let wait = Wait::new(version)
            .descriptor(1, READ, 4)
            .clock(2, MONOTONIC, HOUR_NS, false)
            .opening("event.json");
        let run = Run::bytes(wait.module()).event("{}").go().await;
        let expected = vec![ready(1, READ, 2)];
        assert_eq!((&run.outcome, events(&run.stdout)), (&SUCCESS, expected));
        let run = Run::bytes(wait.creating().module()).go().await;
        let at_its_end = Event {
            hangup: true,
            ..ready(1, READ, 0)
        };
        assert_eq!(events(&run.stdout), vec![at_its_end]);
    }
}

#[tokio::test]
async fn an_invalid_wait_fails_at_once() {
    type Case = (u8, fn(Wait) -> Wait);
    const PROCESSOR: u32 = 2;
    const HOUR: fn(Wait) -> Wait = |wait| wait.clock(1, WALL, HOUR_NS, false);
    let cases: [Case; 9] = [
        (INVALID, |wait| wait),
        (INVALID, |wait| HOUR(wait).counting(65)),
        (INVALID, |wait| HOUR(wait).counting(-1)),
        (INVALID, |wait| HOUR(wait).clock(2, PROCESSOR, 0, false)),
        (INVALID, |wait| HOUR(wait).descriptor(2, 3, 0)),
        (BAD_DESCRIPTOR, |wait| HOUR(wait).descriptor(2, READ, 9)),
        (BAD_DESCRIPTOR, |wait| HOUR(wait).descriptor(2, READ, 1)),
        (BAD_DESCRIPTOR, |wait| HOUR(wait).descriptor(2, WRITE, 0)),
        // A folder is never ready; the root exists only with file access.
        (BAD_DESCRIPTOR, |wait| HOUR(wait).descriptor(2, READ, 3)),
    ];
    for (index, (error, wait)) in cases.into_iter().enumerate() {
        for run in in_every_form(wait) {
            let run = run.go().await;
            assert_eq!(run.outcome, exited(error), "case {index}");
        }
    }
}

#[tokio::test]
async fn a_clock_that_skips_sleep_advances_by_each_wait() {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    let waits: [fn(Wait) -> Wait; 4] = [
        |wait| wait.clock(1, WALL, HOUR_NS, false),
        |wait| wait.clock(1, MONOTONIC, HOUR_NS, true),
        |wait| wait.clock(1, WALL, HOUR_NS, true),
        |wait| {
            wait.clock(2, MONOTONIC, u64::MAX, false)
                .clock(1, MONOTONIC, HOUR_NS, false)
        },
    ];
    for wait in waits {
        for run in in_every_form(wait) {
            let run = run.with(|invocation| {
                invocation.start = start;
                invocation.limits.wall = Duration::from_nanos(2 * HOUR_NS);
                invocation.pace = Pace::Skip;
            });
            let run = run.go().await;
            assert_eq!(
                (&run.outcome, events(&run.stdout)),
                (&SUCCESS, vec![passed(1)])
            );
        }
    }
}
