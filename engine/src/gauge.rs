//! What a run has used so far, for others to read while it is in progress.
//!
//! The thread that runs the guest writes it whenever control passes between guest and
//! host: at every host call, at every tick of the epoch, after every slice of fuel, and
//! when memory grows.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Measures what one run has used so far; shared with it through
/// [`Invocation::gauge`](crate::Invocation::gauge).
#[derive(Debug, Default)]
pub struct Gauge {
    /// When the run began, and the fuel that it was given.
    began: OnceLock<(Instant, u64)>,
    fuel: AtomicU64,
    memory: AtomicU64,
}

/// What a run has used so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoFar {
    /// Units of work, as a lower bound: guest code may have burnt up to a slice of its
    /// fuel, a million units, more than this.
    pub fuel: u64,
    /// The peak of linear memory, in bytes.
    pub memory_peak_bytes: u64,
    /// Microseconds since the run began.
    pub wall_us: u64,
}

impl Gauge {
    /// Returns what was used so far; `None` before the run has begun.
    #[must_use]
    pub fn so_far(&self) -> Option<SoFar> {
        let (began, _) = self.began.get()?;
        Some(SoFar {
            fuel: self.fuel.load(Ordering::Relaxed),
            memory_peak_bytes: self.memory.load(Ordering::Relaxed),
            wall_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        })
    }

    /// Records that the run begins with this much fuel.
    pub(crate) fn begin(&self, at: Instant, fuel: u64) {
        // One gauge measures one run; a second run is not counted.
        let _ = self.began.set((at, fuel));
    }

    /// Records how much fuel is left.
    pub(crate) fn fuel_left(&self, left: u64) {
        let given = self.began.get().map_or(0, |(_, given)| *given);
        let used = given.saturating_sub(left);
        // There is a single writer, which needs no locked instruction.
        if used > self.fuel.load(Ordering::Relaxed) {
            self.fuel.store(used, Ordering::Relaxed);
        }
    }

    /// Records a new peak of memory.
    pub(crate) fn memory_peak(&self, bytes: usize) {
        self.memory.store(bytes as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_before_the_run_begins() {
        let gauge = Gauge::default();
        assert_eq!(gauge.so_far(), None);
        gauge.begin(Instant::now(), 100);
        let so_far = gauge.so_far().unwrap();
        assert_eq!((so_far.fuel, so_far.memory_peak_bytes), (0, 0));
    }

    #[test]
    fn fuel_only_grows() {
        let gauge = Gauge::default();
        gauge.begin(Instant::now(), 100);
        gauge.fuel_left(40);
        gauge.fuel_left(90);
        assert_eq!(gauge.so_far().unwrap().fuel, 60);
        gauge.fuel_left(0);
        assert_eq!(gauge.so_far().unwrap().fuel, 100);
    }
}
