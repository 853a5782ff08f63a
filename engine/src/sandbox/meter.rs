//! What host calls cost: the one place where they are counted and charged.
//!
//! Fuel does not burn while the host works for a guest, so a loop of host calls would be
//! free. Every call costs a base price, and a call whose work is proportional to bytes
//! adds to the debt; the guest must have enough fuel for both when the call returns. The
//! same holds for all versions of WASI and for our own imports.
//!
//! What is due is kept beside the store's fuel, and subtracted with the next slice: the
//! runtime calls in where guest code has its fuel in a register and does not read it
//! again, so that a subtraction there would be lost.

mod slices;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::{CallHook, Store, StoreContextMut, Trap};

use self::slices::{End, Slices};
use super::guest::Guest;

/// Fuel for a nanosecond, by the guest's clock and in all prices below. Guest code burns 1 to
/// 25 billion units per second, simple loops the least.
pub(crate) const FUEL_PER_NS: u64 = 10;

/// Fuel for any call into the host: a cheap one was measured at 76 to 254 ns.
const CALL: u64 = 2_000;

/// The same for a component: its calls are lifted and lowered, 540 to 1,400 ns.
const COMPONENT_CALL: u64 = 8_000;

/// Fuel for a byte that a call copies.
pub(crate) const COPIED_BYTE: u64 = 1;

/// Fuel for a random byte: small requests were measured at 15 to 20 ns per byte.
pub(crate) const RANDOM_BYTE: u64 = 50;

/// Fuel for reading, writing or changing an open file, beside its bytes.
pub(crate) const FILE_CALL: u64 = 1_000;

/// Fuel for opening or looking up something by its path, beside the steps on the way.
pub(crate) const PATH_CALL: u64 = 2_000;

/// Fuel for creating, renaming or removing something by its path, beside the same.
pub(crate) const CHANGE_CALL: u64 = 4_000;

/// Fuel for a step that files take: a component of a path, or a block that is made or
/// freed without being written.
pub(crate) const FILE_STEP: u64 = 2_000;

/// Fuel for a buffer of a list that a call is given.
pub(crate) const PIECE: u64 = 600;

/// Fuel for an entry of a folder that is read.
pub(crate) const READ_ENTRY: u64 = 1_500;

/// Fuel for one waiting call, whatever it waits for.
pub(crate) const POLL_CALL: u64 = 15_000;

/// Fuel for each thing that such a call waits for.
pub(crate) const SUBSCRIPTION: u64 = 5_000;

/// Counts one run's host calls, and what they cost.
pub(crate) struct Meter {
    call: u64,
    /// What the running call has to pay when it returns.
    debt: AtomicU64,
    /// What calls cost and is still to be subtracted from the store's fuel.
    due: AtomicU64,
    calls: AtomicU64,
    /// What the run was given.
    given: AtomicU64,
    /// What it had left at the beginning of its last call; calls within one do not count.
    left: AtomicU64,
    /// Calls in progress: within one, the guest may be called back to make room for the
    /// result, and be interrupted there at a tick.
    depth: AtomicU64,
    slices: Slices,
}

/// What follows from a crossing between guest and host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crossing {
    /// The guest continues with this much left.
    Continue(u64),
    /// The same, and the store's fuel has to be reset to what is left.
    Reset(u64),
}

/// A run does not have enough fuel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spent;

impl Default for Meter {
    fn default() -> Self {
        Self {
            call: CALL,
            debt: AtomicU64::new(0),
            due: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            given: AtomicU64::new(0),
            left: AtomicU64::new(0),
            depth: AtomicU64::new(0),
            slices: Slices::default(),
        }
    }
}

impl Meter {
    /// Creates a meter with the prices for components.
    pub(crate) fn for_components() -> Self {
        Self {
            call: COMPONENT_CALL,
            ..Self::default()
        }
    }

    /// Gives a store its fuel, and charges it for its host calls from now on.
    pub(crate) fn install(store: &mut Store<Guest>, fuel: u64) -> wasmtime::Result<()> {
        store.fuel_async_yield_interval(Some(slices::SLICE))?;
        store.set_fuel(fuel)?;
        let meter = &store.data().meter;
        meter.slices.begin(fuel);
        meter.given.store(fuel, Ordering::Relaxed);
        meter.left.store(fuel, Ordering::Relaxed);
        store.call_hook(charge);
        Ok(())
    }

    /// Returns whether a pending guest only waits for its next slice, and is to continue at
    /// once. The store yields to its executor for each slice; that trip would take longer
    /// than the slice is meant to.
    pub(crate) fn goes_on(&self) -> bool {
        self.slices.goes_on()
    }

    /// Returns what is left of the `held` fuel of the store.
    pub(crate) fn left(&self, held: u64) -> u64 {
        held.saturating_sub(self.due.load(Ordering::Relaxed))
    }

    /// Returns what the run had burnt when it last called in. It is the same in every
    /// repetition, whatever interrupts the guest between two calls.
    pub(crate) fn burnt(&self) -> u64 {
        let given = self.given.load(Ordering::Relaxed);
        given.saturating_sub(self.left.load(Ordering::Relaxed))
    }

    /// Adds `fuel` to what the running call has to pay when it returns.
    pub(crate) fn owe(&self, fuel: u64) {
        add(&self.debt, fuel);
    }

    /// Adds what one step of writing to standard output costs a component beyond its call;
    /// a module's call covers it.
    pub(crate) fn owe_step(&self) {
        self.owe(self.call - CALL);
    }

    /// Adds the price of copying `bytes`.
    pub(crate) fn owe_bytes(&self, bytes: usize) {
        self.owe((bytes as u64).saturating_mul(COPIED_BYTE));
    }

    /// Uncounts the call that is in progress: the runtime calls in at a tick like a guest,
    /// and the number of ticks depends on chance.
    pub(crate) fn take_tick(&self) {
        if self.slices.end() == End::No {
            let calls = self.calls().saturating_sub(1);
            self.calls.store(calls, Ordering::Relaxed);
            let due = self.due.load(Ordering::Relaxed).saturating_sub(self.call);
            self.due.store(due, Ordering::Relaxed);
        }
    }

    /// Returns how many calls there were.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Counts a call and its base price.
    fn count(&self) {
        add(&self.calls, 1);
        add(&self.due, self.call);
    }

    /// Records a crossing between guest and host, with `held` fuel in the store.
    fn cross(&self, hook: CallHook, held: u64) -> Result<Crossing, Spent> {
        let mut reset = false;
        match hook {
            CallHook::CallingHost => {
                if self.depth.load(Ordering::Relaxed) == 0 {
                    self.left.store(self.left(held), Ordering::Relaxed);
                }
                add(&self.depth, 1);
                if self.slices.end() == End::Perhaps {
                    // Only a call that is in progress calls the guest back.
                    self.count();
                }
                // One at the end of a slice is counted when it returns, if it is a call.
                if !self.slices.is_used_up(held) {
                    self.count();
                }
                // It is charged when it returns: until then a tick looks like a call.
                return Ok(Crossing::Continue(self.left(held)));
            }
            CallHook::ReturningFromHost => {
                let depth = self.depth.load(Ordering::Relaxed).saturating_sub(1);
                self.depth.store(depth, Ordering::Relaxed);
                if depth == 0 {
                    add(&self.due, self.debt.swap(0, Ordering::Relaxed));
                }
                match self.slices.end() {
                    End::No => {}
                    // The store had no further slice.
                    End::Perhaps if self.left(held) == 0 => return Err(self.spent(held)),
                    End::Perhaps => self.count(),
                    End::Yes => reset = true,
                }
            }
            CallHook::CallingWasm | CallHook::ReturningFromWasm => {}
        }
        let due = self.due.load(Ordering::Relaxed);
        let Some(left) = held.checked_sub(due) else {
            return Err(self.spent(held));
        };
        if !reset {
            return Ok(Crossing::Continue(left));
        }
        if left == 0 {
            return Err(self.spent(held));
        }
        self.due.store(0, Ordering::Relaxed);
        self.slices.begin(left);
        Ok(Crossing::Reset(left))
    }

    /// Records that nothing is left.
    fn spent(&self, held: u64) -> Spent {
        self.due.store(held, Ordering::Relaxed);
        Spent
    }
}

/// Adds to a number that only one thread writes, which needs no locked instruction.
/// Saturating, so that an absurd debt does not wrap around.
fn add(number: &AtomicU64, more: u64) {
    let sum = number.load(Ordering::Relaxed).saturating_add(more);
    number.store(sum, Ordering::Relaxed);
}

/// Charges a store for its host calls. Installed as the store's call hook.
fn charge(mut store: StoreContextMut<'_, Guest>, hook: CallHook) -> wasmtime::Result<()> {
    let held = store.get_fuel()?;
    let guest = store.data();
    let before = guest.meter.left(held);
    let crossing = guest.meter.cross(hook, held);
    if let Some(gauge) = &guest.gauge {
        gauge.fuel_left(match (hook, crossing) {
            // It may be a tick, which turns out to cost nothing.
            (CallHook::CallingHost, _) => before,
            (_, Ok(Crossing::Continue(left) | Crossing::Reset(left))) => left,
            (_, Err(Spent)) => 0,
        });
    }
    match crossing {
        Ok(Crossing::Continue(_)) => Ok(()),
        Ok(Crossing::Reset(left)) => store.set_fuel(left),
        Err(Spent) => Err(Trap::OutOfFuel.into()),
    }
}
