//! What follows when the wall clock is set.
//!
//! Waits do not notice, neither those in memory nor those that are stored: see
//! [`Timepiece::for_waits`].

use std::time::Duration;

use tenterhook_clock::{CONFIRMED_AFTER, Doubt, Jump, JumpWatch, Moment, Timepiece};
use time::OffsetDateTime;

use super::Core;

/// How often the trusted time is stored: a server that was killed goes on
/// from at most so long ago, which is far below [`CONFIRMED_AFTER`].
const STORED_EVERY: time::Duration = time::Duration::hours(1);

/// Compares the clocks, and remembers how far they can be trusted.
pub(crate) struct Timekeeper {
    jumps: JumpWatch,
    timepiece: Timepiece,
    /// The time that the store knows as seen.
    stored: Option<OffsetDateTime>,
}

/// What a look at the clock has shown.
#[derive(Debug, Default)]
struct ClockReading {
    jump: Option<Jump>,
    doubt: Option<Doubt>,
    /// A time to be stored as seen.
    seen: Option<OffsetDateTime>,
}

impl Timekeeper {
    /// Begins where an earlier run ended, unless the operator vouches for the clock.
    pub(super) fn start(timepiece: Timepiece, seen: Option<OffsetDateTime>, trust: bool) -> Self {
        let now = timepiece.now();
        let doubt = timepiece.look(|history| {
            if trust {
                history.believe(now);
            }
            history.doubt()
        });
        if let Some(doubt) = doubt {
            warn_of(doubt);
        }
        Self {
            jumps: JumpWatch::start(now),
            timepiece,
            stored: seen,
        }
    }

    /// The time by which history ages.
    pub(super) fn history(&self) -> OffsetDateTime {
        self.timepiece.look(|history| history.time())
    }

    fn look(&mut self, now: Moment) -> ClockReading {
        let jump = self.jumps.look(now);
        let (doubt, time) = self
            .timepiece
            .look(|history| (history.look(now), history.time()));
        let is_stale = self
            .stored
            .is_none_or(|stored| (time - stored).abs() >= STORED_EVERY);
        ClockReading {
            jump,
            doubt,
            seen: is_stale.then_some(time),
        }
    }
}

impl Core {
    /// Checks whether the wall clock was set, and logs it.
    pub(crate) async fn look_at_the_clock(&self) {
        let now = self.clock.now();
        let looked = self.timekeeper.lock().look(now);
        if let Some(Jump { by }) = looked.jump {
            tracing::warn!(by = %by, "the clock was set; waits are not affected");
        }
        if let Some(doubt) = looked.doubt {
            warn_of(doubt);
        }
        if let Some(seen) = looked.seen {
            self.store_seen(seen).await;
        }
    }

    async fn store_seen(&self, seen: OffsetDateTime) {
        match self.store.see_clock(seen).await {
            Ok(()) => self.timekeeper.lock().stored = Some(seen),
            // Tried again at the next look; nothing depends on this one.
            Err(error) => tracing::debug!(
                error = &error as &dyn std::error::Error,
                "cannot store the time that was seen"
            ),
        }
    }
}

fn warn_of(doubt: Doubt) {
    let hours = CONFIRMED_AFTER.as_secs() / Duration::from_secs(3_600).as_secs();
    tracing::warn!(
        ahead = %doubt.ahead,
        "the clock is ahead of the time that has passed: nothing is removed for its age by the new time \
         for {hours} hours; correct the clock, or restart with --trust-clock if it is right"
    );
}
