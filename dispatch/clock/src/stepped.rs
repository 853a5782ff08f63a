//! A clock that stands still until it is advanced: for tests only.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::watch;

use crate::clock::{Clock, Moment, Sleep};

/// A clock that a test steps. All clones are one clock.
#[derive(Clone, Debug)]
pub struct SteppedClock {
    now: Arc<watch::Sender<Moment>>,
}

impl SteppedClock {
    /// Creates a clock whose wall shows `wall`.
    #[must_use]
    pub fn at(wall: OffsetDateTime) -> Self {
        let now = Moment {
            // Not zero, so that a test meets what subtracts from it.
            steady: Duration::from_secs(1_000),
            wall,
        };
        Self {
            now: Arc::new(watch::Sender::new(now)),
        }
    }

    /// Lets time pass, on both clocks. What slept until then goes on.
    pub fn pass(&self, by: Duration) {
        self.now.send_modify(|now| *now = now.after(by));
    }

    /// Sets the wall clock. No time passes.
    pub fn set_wall(&self, wall: OffsetDateTime) {
        self.now.send_modify(|now| now.wall = wall);
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> Moment {
        *self.now.borrow()
    }

    fn sleep(&self, lasting: Duration) -> Sleep {
        let mut now = self.now.subscribe();
        let end = self.now().after(lasting).steady;
        Box::pin(async move {
            // The sender is gone with the clock: then no time passes any more.
            if now.wait_for(|now| now.steady >= end).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_its_time_has_passed_and_not_when_the_wall_is_set() {
        let clock = SteppedClock::at(OffsetDateTime::UNIX_EPOCH);
        let mut sleep = clock.sleep(Duration::from_secs(10));
        clock.set_wall(OffsetDateTime::UNIX_EPOCH + time::Duration::days(400));
        clock.pass(Duration::from_secs(9));
        let woken = tokio::select! {
            biased;
            () = &mut sleep => true,
            () = std::future::ready(()) => false,
        };
        assert!(!woken);
        clock.pass(Duration::from_secs(1));
        sleep.await;
    }
}
