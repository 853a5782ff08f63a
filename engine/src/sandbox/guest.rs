//! What the host holds for one guest while it runs.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::clock::Clocks;
use super::memory::Memory;
use super::meter::Meter;
use super::verdict::VerdictFile;
use super::world::World;
use crate::gauge::Gauge;
use crate::link::{Opened, RequestMemory, Timers};

/// What the host holds for one guest: the data of its store.
pub(crate) struct Guest {
    /// What it finds in its world.
    pub(crate) world: World,
    /// What serves WASI 0.2; `None` unless it is a component.
    pub(crate) wasi: Option<Box<Wasi>>,
    pub(crate) memory: Memory,
    pub(crate) meter: Arc<Meter>,
    /// Shows others what was used so far.
    pub(crate) gauge: Option<Arc<Gauge>>,
    pub(crate) clocks: Clocks,
    /// The guest's memory, once there is an instance: looking it up by name at every call
    /// costs as much as a cheap call.
    pub(crate) linear: Option<wasmtime::Memory>,
    /// What the shell reads through its own imports; `None` for other guests.
    pub(crate) shell: Option<ShellInputs>,
    /// Whether it yielded at the last tick, and could resume at once.
    pub(crate) yielded: Arc<AtomicBool>,
}

/// What the shell guest is given and what it returns.
pub(crate) struct ShellInputs {
    pub(crate) script: Bytes,
    pub(crate) event: Bytes,
    pub(crate) stdin: Bytes,
    pub(crate) files: u64,
    pub(crate) inodes: u32,
    pub(crate) verdict: VerdictFile,
}

/// What the host holds for a component alone.
pub(crate) struct Wasi {
    pub(crate) ctx: WasiCtx,
    pub(crate) table: ResourceTable,
    /// The timers among its resources.
    pub(crate) timers: Timers,
    /// The files and folders that it has open.
    pub(crate) opened: Opened,
    /// What its requests hold, which are never sent.
    pub(crate) http: RequestMemory,
}

impl Guest {
    /// Returns what serves WASI 0.2.
    pub(crate) fn wasi(&mut self) -> &mut Wasi {
        self.wasi
            .as_mut()
            .expect("nothing but a component is linked with WASI 0.2")
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi();
        WasiCtxView {
            ctx: &mut wasi.ctx,
            table: &mut wasi.table,
        }
    }
}
