//! Detects a compiler process that makes no progress, by the processor time that it used.
//!
//! A bound on wall-clock time would refuse a program because the machine is busy. The
//! total processor time is not bounded here: the kernel enforces that.

use std::future::Future;
use std::time::Duration;

use rustix::process::Pid;

/// How often a process is checked within the time that it may make no progress: it is
/// ended at most a quarter of that time late.
const CHECKS: u32 = 4;

/// The process used no processor time for too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stalled;

/// What is known about a process's progress.
struct Progress {
    used: Option<Duration>,
    idle_checks: u32,
}

impl Progress {
    /// Records the processor time that the process has used so far.
    ///
    /// # Errors
    ///
    /// [`Stalled`] if that has been the same for too many checks.
    fn check(&mut self, used: Option<Duration>) -> Result<(), Stalled> {
        // Where it is unknown, no program is refused for it.
        self.idle_checks = match used.is_some() && used == self.used {
            true => self.idle_checks + 1,
            false => 0,
        };
        self.used = used;
        match self.idle_checks < CHECKS {
            true => Ok(()),
            false => Err(Stalled),
        }
    }
}

/// Waits for a process's result, as long as the process makes progress.
pub(super) async fn while_progressing<T>(
    work: impl Future<Output = T>,
    stall: Duration,
    used: impl Fn() -> Option<Duration>,
) -> Result<T, Stalled> {
    let mut work = std::pin::pin!(work);
    let mut progress = Progress {
        used: used(),
        idle_checks: 0,
    };
    loop {
        match tokio::time::timeout(stall / CHECKS, &mut work).await {
            Ok(done) => return Ok(done),
            Err(_) => progress.check(used())?,
        }
    }
}

/// Returns the processor time that a process has used, over all its threads; `None` once
/// the process is gone.
#[expect(
    unsafe_code,
    reason = "the clock of another process has no safe wrapper"
)]
pub(super) fn cpu_time(process: Pid) -> Option<Duration> {
    let mut clock = 0;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: both calls write to a variable of ours, and to nothing else.
    let failed = unsafe {
        libc::clock_getcpuclockid(process.as_raw_nonzero().get(), &raw mut clock) != 0
            || libc::clock_gettime(clock, &raw mut time) != 0
    };
    if failed {
        return None;
    }
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let nanos = u32::try_from(time.tv_nsec).ok()?;
    Some(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress() -> Progress {
        Progress {
            used: Some(Duration::ZERO),
            idle_checks: 0,
        }
    }

    #[test]
    fn a_process_that_progresses_slowly_is_waited_for_however_long_it_takes() {
        let mut progress = progress();
        // For years, it gets a core for a nanosecond just before it would be given up.
        for check in 1..10_000_000_u32 {
            let used = Duration::from_nanos((check / CHECKS).into());
            assert_eq!(progress.check(Some(used)), Ok(()), "{check}");
        }
    }

    #[test]
    fn a_process_that_does_nothing_is_killed() {
        for used in [Duration::ZERO, Duration::from_secs(3)].map(Some) {
            let mut progress = progress();
            let _ = progress.check(used);
            let checks = (0..CHECKS).map(|_| progress.check(used));
            assert!(checks.last().unwrap().is_err(), "{used:?}");
        }
        let mut unknown = progress();
        assert!((0..100).all(|_| unknown.check(None).is_ok()));
    }

    #[tokio::test]
    async fn a_process_that_ends_at_once_is_not_checked() {
        let done = while_progressing(async { 7 }, Duration::from_secs(60), || None).await;
        assert_eq!(done, Ok(7));
    }

    #[test]
    fn the_time_of_this_process_grows_and_that_of_a_missing_one_is_none() {
        let own = rustix::process::getpid();
        let before = cpu_time(own).unwrap();
        let sum = (0..50_000_u64).fold(0_u64, |sum, n| std::hint::black_box(sum ^ n));
        assert!(cpu_time(own).unwrap() > before, "{sum}");
        // `PID_MAX_LIMIT` of `linux/threads.h`, below which all processes are.
        assert_eq!(cpu_time(Pid::from_raw(1 << 22).unwrap()), None);
    }
}
