//! The watchdog of the other tests: it detects a run that keeps its thread.

use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};
use tenterhook_engine::{OutputSink, Settings, Stream};

use crate::guests;
use crate::harness::{Run, SUCCESS, engine, overrun};

/// Blocks the guest's own thread for every write.
struct Slow(Duration);

impl OutputSink for Slow {
    fn write(&self, _: Stream, _: &[u8]) {
        let time = |time: Timespec| {
            Duration::new(
                time.tv_sec.cast_unsigned(),
                u32::try_from(time.tv_nsec).unwrap(),
            )
        };
        let began_at = time(clock_gettime(ClockId::ThreadCPUTime));
        while time(clock_gettime(ClockId::ThreadCPUTime)) - began_at < self.0 {}
    }
}

#[tokio::test]
async fn a_run_that_blocks_its_thread_is_detected() {
    let engine = engine(Settings::default());
    Run::guest(guests::FRIENDLY_HELLO).on(&engine).await;
    assert_eq!(overrun(&engine), None);
    let slow = Slow(Duration::from_millis(60));
    let run = Run::guest(guests::FRIENDLY_HELLO)
        .with(|invocation| invocation.output = Some(Arc::new(slow)))
        .start(&engine)
        .await;
    assert_eq!(run.await.unwrap().unwrap().outcome, SUCCESS);
    assert!(engine.stats().longest_poll_us >= 60_000);
    assert!(overrun(&engine).is_some());
}
