//! The monotonic clock of WASI 0.2, in front of wasmtime-wasi's own.
//!
//! With a frozen clock every time that a guest subscribes to has already passed: a sleep
//! takes no time, and every run sees the same times. Otherwise upstream's clock is used.

use std::time::Duration;

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::clocks::{WasiClocksCtxView, WasiClocksView as _};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::{self, Host};

use crate::sandbox::clock::Clocks;
use crate::sandbox::guest::Guest;

/// Puts this clock in front of the one that the linker has.
pub(super) fn add(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<Guest, Clock>(linker, |guest| View {
        clocks: guest.clocks.clone(),
        upstream: guest.clocks(),
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

struct Clock;

impl HasData for Clock {
    type Data<'a> = View<'a>;
}

struct View<'a> {
    clocks: Clocks,
    upstream: WasiClocksCtxView<'a>,
}

impl Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.clocks.monotonic_ns())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        self.upstream.resolution()
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let from_now = when.saturating_sub(self.clocks.monotonic_ns());
        self.subscribe_duration(from_now)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let passed = self.clocks.slept_through(Duration::from_nanos(duration));
        self.upstream
            .subscribe_duration(if passed { 0 } else { duration })
    }
}
