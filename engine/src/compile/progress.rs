//! Whether a compiler process gets on, by the processor time that it has used.
//!
//! A bound on time by the clock would refuse a program because the machine is busy.
//! It bounds nothing else: how much processor time is too much the kernel knows.

use std::future::Future;
use std::time::Duration;

use rustix::process::Pid;

/// Looks at a process this often within the time that it may stand still: it is
/// ended at most so much later than it should be.
const LOOKS: u32 = 4;

/// The process used no processor time for too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stalled;

/// What is known of a process's progress.
struct Progress {
    used: Option<Duration>,
    without: u32,
}

impl Progress {
    /// Takes note of what the process has used so far.
    ///
    /// # Errors
    ///
    /// [`Stalled`] if that has been the same for too many looks.
    fn look(&mut self, used: Option<Duration>) -> Result<(), Stalled> {
        // Where it cannot be known, no program is refused for it.
        self.without = match used.is_some() && used == self.used {
            true => self.without + 1,
            false => 0,
        };
        self.used = used;
        match self.without < LOOKS {
            true => Ok(()),
            false => Err(Stalled),
        }
    }
}

/// Waits for what a process does, as long as the process gets on.
pub(super) async fn while_it_gets_on<T>(
    work: impl Future<Output = T>,
    stall: Duration,
    used: impl Fn() -> Option<Duration>,
) -> Result<T, Stalled> {
    let mut work = std::pin::pin!(work);
    let mut progress = Progress {
        used: used(),
        without: 0,
    };
    loop {
        match tokio::time::timeout(stall / LOOKS, &mut work).await {
            Ok(done) => return Ok(done),
            Err(_) => progress.look(used())?,
        }
    }
}

/// The processor time that a process has used, over all its threads; `None` once it
/// is gone.
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
            without: 0,
        }
    }

    #[test]
    fn a_process_that_gets_on_slowly_is_waited_for_however_long_it_takes() {
        let mut progress = progress();
        // It has a core for a nanosecond before it would be given up, for years.
        for look in 1..10_000_000_u32 {
            let used = Duration::from_nanos((look / LOOKS).into());
            assert_eq!(progress.look(Some(used)), Ok(()), "{look}");
        }
    }

    #[test]
    fn a_process_that_does_nothing_is_given_up() {
        for used in [Duration::ZERO, Duration::from_secs(3)].map(Some) {
            let mut progress = progress();
            let _ = progress.look(used);
            let looks = (0..LOOKS).map(|_| progress.look(used));
            assert!(looks.last().unwrap().is_err(), "{used:?}");
        }
        let mut unknown = progress();
        assert!((0..100).all(|_| unknown.look(None).is_ok()));
    }

    #[tokio::test]
    async fn what_ends_at_once_is_not_looked_at() {
        let done = while_it_gets_on(async { 7 }, Duration::from_secs(60), || None).await;
        assert_eq!(done, Ok(7));
    }

    #[test]
    fn the_time_of_this_very_process_grows_and_that_of_none_is_none() {
        let own = rustix::process::getpid();
        let before = cpu_time(own).unwrap();
        let sum = (0..50_000_u64).fold(0_u64, |sum, n| std::hint::black_box(sum ^ n));
        assert!(cpu_time(own).unwrap() > before, "{sum}");
        // `PID_MAX_LIMIT` of `linux/threads.h`, below which all processes are.
        assert_eq!(cpu_time(Pid::from_raw(1 << 22).unwrap()), None);
    }
}
