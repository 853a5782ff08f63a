//! A guest's fuel in slices, so that what it has burnt is known when it is interrupted.
//!
//! Guest code counts its fuel in a register, and writes it to its store only when it calls
//! something or has none left. Interrupted in a loop without calls, it would seem to have
//! burnt nothing. So its store gives it one slice at a time, and calls in for the next one.
//!
//! The store calls in like the guest. A call at the end of a slice may be either, and only
//! one thing distinguishes them: for the next slice, the store yields to its executor.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// Fuel in a slice, 40 us to 1 ms of work at 1 to 25 billion units per second. What a guest
/// has burnt of its last one is unknown if it is interrupted.
pub(super) const SLICE: u64 = 1 << 20;

/// The state of one run's slices.
#[derive(Debug, Default)]
pub(super) struct Slices {
    /// What the store has beyond the guest's current slice.
    behind: AtomicU64,
    end: AtomicU8,
}

/// Whether a call into the host was for the next slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It was not: the guest has some of its slice left.
    No,
    /// It may have been, or it was a call of the guest that did not wait.
    Perhaps,
    /// It was, or it was a call of the guest that waited. Those few are not counted.
    Yes,
}

impl Slices {
    /// Records that the store was given this much fuel.
    pub(super) fn begin(&self, fuel: u64) {
        let behind = fuel.saturating_sub(SLICE);
        self.behind.store(behind, Ordering::Relaxed);
    }

    /// Returns whether a guest that calls in has nothing left of its slice, while its store
    /// holds this much.
    pub(super) fn is_used_up(&self, held: u64) -> bool {
        let is = held <= self.behind.load(Ordering::Relaxed);
        if is {
            self.set(End::Perhaps);
        }
        is
    }

    /// Records that the guest is pending, and returns whether it is to continue at once.
    pub(super) fn goes_on(&self) -> bool {
        let perhaps = self.get() == End::Perhaps;
        if perhaps {
            self.set(End::Yes);
        }
        perhaps
    }

    /// Returns what is known about the last call, which has ended, and resets it.
    pub(super) fn end(&self) -> End {
        let end = self.get();
        self.set(End::No);
        end
    }

    fn get(&self) -> End {
        match self.end.load(Ordering::Relaxed) {
            0 => End::No,
            1 => End::Perhaps,
            _ => End::Yes,
        }
    }

    fn set(&self, end: End) {
        self.end.store(end as u8, Ordering::Relaxed);
    }
}
