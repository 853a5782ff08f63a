//! What host calls cost: the one place where they are counted and charged.
//!
//! Fuel does not burn while the host works for a guest, so a loop of host calls
//! would be free. Every call costs a base price before it starts. Whoever does
//! work in proportion to bytes adds it to the debt, which is paid when the call
//! returns. The same holds for all versions of WASI and for our own imports.

use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::{CallHook, StoreContextMut, Trap};

use super::guest::Guest;

/// Fuel for any call into the host. A cheap call took 76 to 254 ns where a
/// second of guest code burnt 15 to 25 billion units.
const CALL: u64 = 2_000;

/// Fuel for a byte that a call copies.
pub(crate) const COPIED_BYTE: u64 = 1;

/// Fuel for a random byte: 15 to 20 ns each were measured for small requests.
pub(crate) const RANDOM_BYTE: u64 = 50;

/// Fuel for opening or changing something in the file system: 3 to 20 us.
pub(crate) const PATH_CALL: u64 = 100_000;

/// Fuel for one waiting call, whatever it waits for.
pub(crate) const POLL_CALL: u64 = 10_000;

/// Counts one run's host calls and what they cost beyond the base price.
#[derive(Default)]
pub(crate) struct Meter {
    debt: AtomicU64,
    calls: AtomicU64,
}

impl Meter {
    /// Adds `fuel` to what the running call has to pay when it returns.
    pub(crate) fn owe(&self, fuel: u64) {
        // Saturating, so that an absurd debt stays one.
        let debt = self.debt.load(Ordering::Relaxed).saturating_add(fuel);
        self.debt.store(debt, Ordering::Relaxed);
    }

    /// Adds the price of copying `bytes`.
    pub(crate) fn owe_bytes(&self, bytes: usize) {
        self.owe((bytes as u64).saturating_mul(COPIED_BYTE));
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
    let price = match hook {
        CallHook::CallingHost => {
            let calls = &store.data().meter.calls;
            calls.store(calls.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            CALL
        }
        CallHook::ReturningFromHost => match store.data().meter.debt.swap(0, Ordering::Relaxed) {
            0 => return Ok(()),
            debt => debt,
        },
        CallHook::CallingWasm | CallHook::ReturningFromWasm => return Ok(()),
    };
    let fuel = store.get_fuel()?;
    if fuel < price {
        store.set_fuel(0)?;
        return Err(Trap::OutOfFuel.into());
    }
    store.set_fuel(fuel - price)
}
