//! What host calls cost: the one place where they are counted and charged.
//!
//! Fuel does not burn while the host works for a guest, so a loop of host calls
//! would be free. Every call costs a base price before it starts. Whoever does
//! work in proportion to bytes adds it to the debt, which is paid when the call
//! returns. The same holds for all versions of WASI and for our own imports.

use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::{CallHook, StoreContextMut, Trap};

use super::guest::Guest;

/// Fuel for any call into the host: 76 to 254 ns were measured for a cheap one.
///
/// All prices are for 10 units in a nanosecond. Guest code burns 1 to 25 billion
/// units in a second, simple loops the least.
const CALL: u64 = 2_000;

/// The same for a component: its calls are lifted and lowered, 540 to 1,400 ns.
const COMPONENT_CALL: u64 = 8_000;

/// Fuel for a byte that a call copies.
pub(crate) const COPIED_BYTE: u64 = 1;

/// Fuel for a random byte: 15 to 20 ns each were measured for small requests.
pub(crate) const RANDOM_BYTE: u64 = 50;

/// Fuel for reading, writing or asking about an open file: the work is done by
/// another thread, which takes 15 us for the way there and back alone.
pub(crate) const FILE_CALL: u64 = 150_000;

/// Fuel for opening, finding or changing something by its path: 20 us.
pub(crate) const PATH_CALL: u64 = 200_000;

/// Fuel for an entry of a folder that is read.
pub(crate) const READ_ENTRY: u64 = 20_000;

/// What a module's calls on files cost, by who does the work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FilePrices {
    /// Reading, writing or changing an open file.
    pub(crate) file: u64,
    /// Asking about an open file.
    pub(crate) about: u64,
    /// Opening, finding or asking about something by its path.
    pub(crate) path: u64,
    /// Making, renaming or removing something by its path.
    pub(crate) change: u64,
    /// An entry of a folder that is read: it is looked up by its name.
    pub(crate) entry: u64,
}

impl FilePrices {
    /// Another thread does it.
    pub(crate) const ELSEWHERE: Self = Self {
        file: FILE_CALL,
        about: FILE_CALL,
        path: PATH_CALL,
        change: PATH_CALL,
        entry: READ_ENTRY + FILE_CALL,
    };

    /// The guest's own thread does it, in memory. Measured were 2 us to read or write
    /// 4 KiB, 0.5 us to ask about an open file, 5 to 11 us to find one by its path, and
    /// 12 to 19 us to make, rename or remove one.
    pub(crate) const HERE: Self = Self {
        file: 37_500,
        about: 5_000,
        path: 80_000,
        change: 150_000,
        entry: 40_000,
    };
}

/// Fuel for one waiting call, whatever it waits for.
pub(crate) const POLL_CALL: u64 = 15_000;

/// Fuel for each thing that such a call waits for.
pub(crate) const SUBSCRIPTION: u64 = 5_000;

/// Counts one run's host calls and what they cost beyond the base price.
pub(crate) struct Meter {
    call: u64,
    debt: AtomicU64,
    calls: AtomicU64,
    /// Calls that are in progress: within one, the guest may be called back to
    /// make room for the answer, and interrupted there at a tick.
    depth: AtomicU64,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            call: CALL,
            debt: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            depth: AtomicU64::new(0),
        }
    }
}

impl Meter {
    /// A meter with the prices for components.
    pub(crate) fn for_components() -> Self {
        Self {
            call: COMPONENT_CALL,
            ..Self::default()
        }
    }

    /// Adds `fuel` to what the running call has to pay when it returns.
    pub(crate) fn owe(&self, fuel: u64) {
        // Saturating, so that an absurd debt stays one.
        let debt = self.debt.load(Ordering::Relaxed).saturating_add(fuel);
        self.debt.store(debt, Ordering::Relaxed);
    }

    /// Adds what one step of writing to standard output costs a component beyond
    /// its call; a module's call covers it.
    pub(crate) fn owe_step(&self) {
        self.owe(self.call - CALL);
    }

    /// Adds the price of copying `bytes`.
    pub(crate) fn owe_bytes(&self, bytes: usize) {
        self.owe((bytes as u64).saturating_mul(COPIED_BYTE));
    }

    /// What is to be paid at this crossing between guest and host, and settles it.
    fn settle(&self, hook: CallHook) -> u64 {
        match hook {
            CallHook::CallingHost => {
                let calls = self.calls().saturating_add(1);
                self.calls.store(calls, Ordering::Relaxed);
                let depth = self.depth.load(Ordering::Relaxed).saturating_add(1);
                self.depth.store(depth, Ordering::Relaxed);
                self.call
            }
            CallHook::ReturningFromHost => {
                let depth = self.depth.load(Ordering::Relaxed).saturating_sub(1);
                self.depth.store(depth, Ordering::Relaxed);
                match depth {
                    0 => self.debt.swap(0, Ordering::Relaxed),
                    _ => 0,
                }
            }
            CallHook::CallingWasm | CallHook::ReturningFromWasm => 0,
        }
    }

    /// Forgets the call that is in progress: the runtime calls in at a tick as a
    /// guest does, and how many ticks there are is chance.
    pub(crate) fn is_a_tick(&self) {
        let calls = self.calls().saturating_sub(1);
        self.calls.store(calls, Ordering::Relaxed);
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

/// Charges a store for its host calls. Installed as the store's call hook.
pub(crate) fn charge(
    mut store: StoreContextMut<'_, Guest>,
    hook: CallHook,
) -> wasmtime::Result<()> {
    let price = store.data().meter.settle(hook);
    if price == 0 {
        return Ok(());
    }
    let left = pay(store.get_fuel()?, price);
    store.set_fuel(left.unwrap_or(0))?;
    if let Some(gauge) = &store.data().gauge {
        gauge.fuel_left(left.unwrap_or(0));
    }
    left.map(|_| ()).ok_or_else(|| Trap::OutOfFuel.into())
}

/// What is left of `fuel`; `None` if it does not suffice, and then nothing is left.
fn pay(fuel: u64, price: u64) -> Option<u64> {
    fuel.checked_sub(price)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What happens between a guest and its host.
    #[derive(Clone, Debug)]
    enum Step {
        Cross(CallHook),
        Owe(u64),
        OweBytes(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Step::Cross(CallHook::CallingHost)),
            Just(Step::Cross(CallHook::ReturningFromHost)),
            Just(Step::Cross(CallHook::CallingWasm)),
            Just(Step::Cross(CallHook::ReturningFromWasm)),
            prop_oneof![0..10_000_u64, any::<u64>()].prop_map(Step::Owe),
            prop_oneof![0..10_000_usize, any::<usize>()].prop_map(Step::OweBytes),
        ]
    }

    #[test]
    fn a_tick_amid_a_call_neither_counts_nor_pays_for_it() {
        let meter = Meter::default();
        meter.settle(CallHook::CallingHost);
        meter.owe(7);
        meter.settle(CallHook::CallingWasm);
        meter.settle(CallHook::CallingHost);
        meter.is_a_tick();
        assert_eq!(meter.settle(CallHook::ReturningFromHost), 0);
        meter.settle(CallHook::ReturningFromWasm);
        assert_eq!(meter.settle(CallHook::ReturningFromHost), 7);
        assert_eq!(meter.calls(), 1);
    }

    proptest! {
        #[test]
        fn a_run_pays_for_all_it_does_and_never_more_than_it_has(
            given in prop_oneof![0..1_000_000_u64, any::<u64>()],
            steps in prop::collection::vec(step(), 0..100),
        ) {
            let meter = Meter::default();
            let (mut fuel, mut owed, mut calls, mut depth) = (given, 0_u128, 0, 0_u32);
            let mut stopped = false;
            for step in steps {
                match step {
                    // Debts beyond what a number holds stay at its end.
                    Step::Owe(debt) => {
                        owed += u128::from(debt);
                        meter.owe(debt);
                    }
                    Step::OweBytes(bytes) => {
                        owed += bytes as u128 * u128::from(COPIED_BYTE);
                        meter.owe_bytes(bytes);
                    }
                    Step::Cross(hook) => {
                        let due = match hook {
                            CallHook::CallingHost => {
                                calls += 1;
                                depth += 1;
                                CALL.into()
                            }
                            CallHook::ReturningFromHost => {
                                depth = depth.saturating_sub(1);
                                match depth {
                                    0 => std::mem::take(&mut owed),
                                    _ => 0,
                                }
                            }
                            CallHook::CallingWasm | CallHook::ReturningFromWasm => 0,
                        };
                        let left = pay(fuel, meter.settle(hook));
                        if due > u128::from(fuel) && due <= u128::from(u64::MAX) {
                            prop_assert_eq!(left, None, "{} of {}", due, fuel);
                        }
                        let Some(left) = left else {
                            stopped = true;
                            break;
                        };
                        prop_assert_eq!(
                            u128::from(fuel - left),
                            due.min(u64::MAX.into())
                        );
                        fuel = left;
                    }
                }
            }
            prop_assert!(fuel <= given);
            prop_assert_eq!(meter.calls(), calls);
            prop_assert!(stopped || given >= calls * CALL);
        }
    }
}
