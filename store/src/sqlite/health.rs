//! How the writing task is: what it is doing, when it last succeeded, whether it is gone.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tenterhook_dispatch::{Error, NotReady, Unavailable};
use tokio::sync::watch;

use super::convert::primary_code;

/// A commit that is younger shows well enough that writing succeeds.
const FRESH: Duration = Duration::from_secs(1);

/// How often all that an event does is tried, if readiness is asked for.
const TRIAL_EVERY: Duration = Duration::from_secs(10);

/// What the writing task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Activity {
    /// It waits for requests, or carries them out.
    Work = 0,
    /// It waits for the lock of the database.
    Lock = 1,
    /// It waits for the disk.
    Commit = 2,
}

/// How the writing task is.
#[derive(Debug)]
pub(super) struct Health {
    activity: AtomicU8,
    committed: watch::Sender<Option<Instant>>,
    /// Why the last commit failed, if it did and the database gave a reason.
    failed: Mutex<Option<NotReady>>,
    /// Whether so little of the disk is left that it is kept.
    full: AtomicBool,
    /// Whether a page was found to be damaged.
    damaged: AtomicBool,
    /// When all that an event does has last succeeded.
    tried: Mutex<Option<Instant>>,
    /// Whether a probe is on its way: one is enough, however many ask.
    probing: AtomicBool,
    gone: watch::Sender<Option<String>>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            activity: AtomicU8::new(Activity::Work as u8),
            committed: watch::Sender::new(None),
            failed: Mutex::new(None),
            full: AtomicBool::new(false),
            damaged: AtomicBool::new(false),
            tried: Mutex::new(None),
            probing: AtomicBool::new(false),
            gone: watch::Sender::new(None),
        }
    }
}

impl Health {
    pub(super) fn begins(&self, activity: Activity) {
        self.activity.store(activity as u8, Ordering::Relaxed);
    }

    pub(super) fn committed(&self) {
        *self.failed.lock() = None;
        self.committed.send_replace(Some(Instant::now()));
    }

    /// Notes why a commit has failed, if the database gave a reason.
    pub(super) fn failed(&self, reason: Option<NotReady>) {
        if let Some(why) = reason {
            *self.failed.lock() = Some(why);
            // What was written before shows nothing any more.
            self.committed.send_if_modified(|at| {
                *at = None;
                false
            });
            if why == NotReady::Damaged {
                self.damaged.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Whether a page was found to be damaged. Only a restart can show that it was repaired.
    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Waits until something has been committed.
    pub(super) async fn next_commit(&self) {
        let mut committed = self.committed.subscribe();
        committed.changed().await.expect("the sender is our own");
    }

    /// Whether all that an event does is to be tried again.
    pub(super) fn is_trial_due(&self) -> bool {
        self.tried
            .lock()
            .is_none_or(|at| at.elapsed() >= TRIAL_EVERY)
    }

    /// Notes what has become of trying that.
    pub(super) fn tried(&self, succeeded: bool) {
        *self.tried.lock() = succeeded.then(Instant::now);
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.committed
            .borrow()
            .is_some_and(|at| at.elapsed() < FRESH)
    }

    /// Notes whether so little of the disk is left that it is kept.
    pub(super) fn is_full_now(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
    }

    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Takes the one place for a probe.
    pub(super) fn begin_probe(&self) -> bool {
        !self.probing.swap(true, Ordering::Relaxed)
    }

    pub(super) fn end_probe(&self) {
        self.probing.store(false, Ordering::Relaxed);
    }

    /// Notes that nothing will be written any more.
    pub(super) fn is_gone(&self, why: String) {
        self.gone.send_if_modified(|gone| {
            let is_first = gone.is_none();
            gone.get_or_insert(why);
            is_first
        });
    }

    /// Waits until nothing will be written any more, and returns the reason.
    pub(super) async fn gone(&self) -> String {
        let mut gone = self.gone.subscribe();
        let why = gone.wait_for(Option::is_some).await;
        why.expect("the sender is our own")
            .clone()
            .expect("it was waited for")
    }

    /// Why a probe that has not come back does not.
    pub(super) fn why_late(&self) -> NotReady {
        if self.gone.borrow().is_some() {
            return NotReady::WriterGone;
        }
        match self.activity.load(Ordering::Relaxed) {
            activity if activity == Activity::Lock as u8 => NotReady::Locked,
            activity if activity == Activity::Commit as u8 => NotReady::Slow,
            _ => NotReady::Behind,
        }
    }

    /// Why a probe has failed.
    pub(super) fn why_failed(&self, error: &Error) -> NotReady {
        if self.gone.borrow().is_some() {
            return NotReady::WriterGone;
        }
        // A request that shared a failed commit has its error in words only.
        reason(error)
            .or(*self.failed.lock())
            .unwrap_or(NotReady::Other)
    }
}

/// Why the database cannot be written, according to its error.
pub(super) fn reason(error: &Error) -> Option<NotReady> {
    if let Error::Unavailable {
        why: Unavailable::DiskFull,
        ..
    } = error
    {
        return Some(NotReady::DiskFull);
    }
    match code_of(error)? {
        5 | 6 => Some(NotReady::Locked),
        8 => Some(NotReady::ReadOnly),
        10 => Some(NotReady::Disk),
        11 | 26 => Some(NotReady::Damaged),
        13 => Some(NotReady::DiskFull),
        _ => None,
    }
}

/// The database's own number of what went wrong: 5 and 6 busy, 8 read-only, 10 input or
/// output, 11 and 26 damaged, 13 full.
fn code_of(error: &Error) -> Option<i64> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<sqlx::Error>() {
            return primary_code(error);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_queue_is_not_blamed_on_the_disk() {
        let health = Health::default();
        for (activity, why) in [
            (Activity::Work, NotReady::Behind),
            (Activity::Lock, NotReady::Locked),
            (Activity::Commit, NotReady::Slow),
        ] {
            health.begins(activity);
            assert_eq!(health.why_late(), why, "{activity:?}");
        }
        assert!(!NotReady::Behind.to_string().contains("disk"));
    }
}
