//! The monotonic clock of WASI 0.2, and waiting, in front of wasmtime-wasi's own.
//!
//! Upstream's timers are the host's: which of two is ready first would depend on its load.
//! Here a wait with timers ends at the earliest of them, by the run's own clock. Nothing
//! else is ever waited for: what a run reads from and writes to is always ready.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::bindings::io::poll;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use crate::sandbox::clock::Clocks;
use crate::sandbox::guest::Guest;
use crate::sandbox::meter::{Meter, SUBSCRIPTION};

/// The most entries that one poll list may have.
const POLLABLES_MAX: usize = 1_024;

/// Puts both in front of those that the linker has.
pub(super) fn add(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<Guest, Waits>(linker, view)?;
    poll::add_to_linker::<Guest, Waits>(linker, view)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn view(guest: &mut Guest) -> View<'_> {
    let (clocks, meter) = (guest.clocks.clone(), Arc::clone(&guest.meter));
    let wasi = guest.wasi();
    View {
        clocks,
        meter,
        timers: &mut wasi.timers,
        table: &mut wasi.table,
    }
}

/// The timers that a component holds: when each is over by the monotonic clock, by the
/// number of its pollable.
#[derive(Debug, Default)]
pub(crate) struct Timers(BTreeMap<u32, u64>);

struct Waits;

impl HasData for Waits {
    type Data<'a> = View<'a>;
}

struct View<'a> {
    clocks: Clocks,
    meter: Arc<Meter>,
    timers: &'a mut Timers,
    table: &'a mut ResourceTable,
}

/// What a timer's pollable refers to. Upstream never waits for it.
struct Timer;

#[async_trait::async_trait]
impl Pollable for Timer {
    async fn ready(&mut self) {}
}

impl View<'_> {
    /// Returns how long a pollable has to be waited for; `None` if it is no timer.
    fn ahead(&self, pollable: u32) -> Option<Duration> {
        let until = self.timers.0.get(&pollable)?;
        let ahead = until.saturating_sub(self.clocks.monotonic_ns());
        Some(Duration::from_nanos(ahead))
    }

    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + use<> {
        // A view cannot be shared between threads, which a future that borrows it would have to be.
        let clocks = self.clocks.clone();
        async move {
            if !time.is_zero() {
                clocks.sleep(time).await;
            }
        }
    }
}

impl monotonic_clock::Host for View<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.clocks.monotonic_ns())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let timer = self.table.push(Timer)?;
        let pollable = subscribe(self.table, timer)?;
        self.timers.0.insert(pollable.rep(), when);
        Ok(pollable)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let when = self.clocks.monotonic_ns().saturating_add(duration);
        self.subscribe_instant(when)
    }
}

impl poll::Host for View<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        if pollables.len() > POLLABLES_MAX {
            wasmtime::bail!("a poll list has at most {POLLABLES_MAX} entries");
        }
        // The call itself covers the first.
        let more = pollables.len().saturating_sub(1) as u64;
        self.meter.owe(more * SUBSCRIPTION);
        let mut ready = Vec::new();
        let mut first: Option<Duration> = None;
        for (index, pollable) in (0..).zip(&pollables) {
            match self.ahead(pollable.rep()) {
                Some(ahead) => {
                    first = Some(first.map_or(ahead, |first| first.min(ahead)));
                    if ahead.is_zero() {
                        ready.push(index);
                    }
                }
                None => {
                    let pollable = Resource::new_borrow(pollable.rep());
                    if poll::HostPollable::ready(self.table, pollable).await? {
                        ready.push(index);
                    }
                }
            }
        }
        match first {
            _ if !ready.is_empty() => Ok(ready),
            Some(first) => {
                self.sleep(first).await;
                let over =
                    |pollable: &Resource<_>| self.ahead(pollable.rep()) == Some(Duration::ZERO);
                let pollables = (0..).zip(&pollables);
                Ok(pollables
                    .filter_map(|(index, pollable)| over(pollable).then_some(index))
                    .collect())
            }
            None => poll::Host::poll(self.table, pollables).await,
        }
    }
}

impl poll::HostPollable for View<'_> {
    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        match self.ahead(pollable.rep()) {
            Some(ahead) => {
                self.sleep(ahead).await;
                Ok(())
            }
            None => poll::HostPollable::block(self.table, pollable).await,
        }
    }

    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        match self.ahead(pollable.rep()) {
            Some(ahead) => Ok(ahead.is_zero()),
            None => poll::HostPollable::ready(self.table, pollable).await,
        }
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.timers.0.remove(&pollable.rep());
        poll::HostPollable::drop(self.table, pollable)
    }
}
