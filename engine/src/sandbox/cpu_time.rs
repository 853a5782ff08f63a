//! The processor time that one run took, over all threads that it was polled on.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::watchdog::Watchdog;

/// Adds up the processor time of a future's polls.
#[derive(Default)]
pub(crate) struct CpuTime(Duration);

impl CpuTime {
    /// Waits for `future` and adds up the processor time of its polls, each of which is
    /// also recorded by the watchdog.
    pub(crate) async fn measure<F: Future>(&mut self, watchdog: &Watchdog, future: F) -> F::Output {
        let mut future = pin!(future);
        std::future::poll_fn(|context| {
            let ticks = watchdog.ticks();
            let before = thread_time();
            let poll: Poll<F::Output> = future.as_mut().poll(context);
            let took = thread_time().saturating_sub(before);
            watchdog.record(took, ticks);
            self.0 += took;
            poll
        })
        .await
    }

    /// Returns the total, in microseconds.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps the thread busy for this much of its processor time.
    fn spin(time: Duration) {
        let began_at = thread_time();
        while thread_time() - began_at < time {}
    }

    #[tokio::test]
    async fn the_watchdog_sees_the_longest_poll_and_not_their_sum() {
        const SHORT: Duration = Duration::from_millis(5);
        const LONG: Duration = Duration::from_millis(20);
        let watchdog = Watchdog::default();
        let mut cpu = CpuTime::default();
        let polls = async {
            for poll in [SHORT, LONG, SHORT, SHORT] {
                spin(poll);
                tokio::task::yield_now().await;
            }
        };
        cpu.measure(&watchdog, polls).await;
        let long = u64::try_from(LONG.as_micros()).unwrap();
        assert!(watchdog.longest_us() >= long);
        assert!(cpu.micros() >= long + 3 * u64::try_from(SHORT.as_micros()).unwrap());
        assert!(watchdog.longest_us() < cpu.micros());
    }
}
