//! Whether the wall clock was set, detected by comparing it with the time that has passed.

use time::Duration;

use crate::clock::Moment;

/// What the clocks may differ by between two looks. Slewing brings a clock right by
/// half a millisecond in a second, so within minutes it stays far below; a clock
/// that is stepped by less moves no wait by more than this.
pub(crate) const TOLERATED: Duration = Duration::seconds(10);

/// Compares the wall clock with what has passed, look by look.
#[derive(Clone, Copy, Debug)]
pub struct JumpWatch {
    last: Moment,
}

/// The wall clock was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// By how much; negative if it was set back.
    pub by: Duration,
}

impl JumpWatch {
    /// Begins to watch.
    #[must_use]
    pub fn start(now: Moment) -> Self {
        Self { last: now }
    }

    /// Reports whether the wall clock was set since the last look.
    pub fn look(&mut self, now: Moment) -> Option<Jump> {
        let last = std::mem::replace(&mut self.last, now);
        let expected = last.after(now.steady.saturating_sub(last.steady)).wall;
        let by = now.wall - expected;
        (by.abs() > TOLERATED).then_some(Jump { by })
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn a_clock_that_is_set_has_jumped_once() {
        let start = Moment {
            steady: std::time::Duration::from_secs(7),
            wall: OffsetDateTime::UNIX_EPOCH,
        };
        let minute = std::time::Duration::from_secs(60);
        let mut watch = JumpWatch::start(start);
        let mut now = start.after(minute);
        assert_eq!(watch.look(now), None);
        for by in [Duration::days(-365), Duration::hours(3)] {
            now = now.after(minute);
            now.wall += by;
            assert_eq!(watch.look(now), Some(Jump { by }));
            now = now.after(minute);
            assert_eq!(watch.look(now), None);
        }
        now.wall += Duration::seconds(2);
        assert_eq!(watch.look(now), None, "that is slewing, or a leap second");
    }
}
