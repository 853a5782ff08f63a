//! Processor time that one run took, over all the threads it was polled on.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Adds up the processor time of a future's polls.
#[derive(Default)]
pub(crate) struct CpuTime(Duration);

impl CpuTime {
    /// Waits for `future` and counts the processor time of each of its polls.
    pub(crate) async fn measure<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        std::future::poll_fn(|context| {
            let before = thread_time();
            let poll: Poll<F::Output> = future.as_mut().poll(context);
            self.0 += thread_time().saturating_sub(before);
            poll
        })
        .await
    }

    /// What was counted, in microseconds.
    pub(crate) fn micros(&self) -> u64 {
        u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX)
    }
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
