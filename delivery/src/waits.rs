//! Waits that go on as if nobody had set the clock.
//!
//! When a letter is due is stored with a time of the wall, since it outlives the process.
//! So when the wall clock is set, what waits is set with it; and no wait that was stored
//! is longer than any that is asked for.

use tenterhook_clock::{Jump, JumpWatch, Moment};

use crate::office::Office;

/// Watches the clock for lanes.
pub(crate) struct Waits {
    jumps: JumpWatch,
    /// By how much the clock was set and waits were not yet, since the store has failed.
    owed: time::Duration,
}

impl Waits {
    pub(crate) fn start(now: Moment) -> Self {
        Self {
            jumps: JumpWatch::start(now),
            owed: time::Duration::ZERO,
        }
    }
}

impl Office {
    /// The time, as stored waits have it: if the clock was set, they are put right first.
    pub(crate) async fn now(&self) -> Moment {
        let mut waits = self.waits.lock().await;
        let now = self.surroundings.timepiece.now();
        if let Some(Jump { by }) = waits.jumps.look(now) {
            waits.owed = waits.owed.saturating_add(by);
        }
        if !waits.owed.is_zero() {
            match self.outbox.shift_waits(waits.owed, now.wall).await {
                Ok(()) => {
                    tracing::warn!(by = %waits.owed, "the clock was set; webhooks wait as if it had not been");
                    waits.owed = time::Duration::ZERO;
                }
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(%error, cause, "cannot put right how long webhooks wait; trying again");
                }
            }
        }
        now
    }
}
